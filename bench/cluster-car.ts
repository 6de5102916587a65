import { amongOnly, startClusterContest } from './cluster/contest.ts'
import type { ClusterContest, ClusterSide } from './cluster/contest.ts'
import { forget, importEverywhere, importOnce, importOverRest } from './cluster/imports.ts'
import type { Imported } from './cluster/imports.ts'
import { cpuMeasured } from './cluster/spent.ts'
import { carOf, mib } from './content.ts'
import type { Car } from './content.ts'
import { compare } from './harness.ts'
import type { Comparison } from './harness.ts'

/** By whichever of its two APIs a cluster gets the CAR. */
type Door = 'dag/import' | 'REST'

/** CARs to a cluster whose pins go everywhere, through the proxy and over REST. Another cluster is asked over REST: Go's proxy imports on one daemon only. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await startClusterContest(args, 3)
  for (const door of ['dag/import', 'REST'] as const) {
    await manySmall(contest, door)
    await large(contest, door)
  }
}

async function manySmall (contest: ClusterContest, door: Door): Promise<void> {
  const count = 1_000
  await compareImports(contest, door, {
    title: '1,000 blocks of 460 B',
    rounds: 3 * contest.rounds,
    measured: { rate: { unit: 'blocks/s', goals: { bare: { atLeast: 5_200 / 16_500 }, limit: { atLeast: 5_200 / 9_400 } } }, ...cpuMeasured() },
    round: async side => {
      const { seconds, cpu } = await sent(side, door, carOf(count, 460))
      return { rate: count / seconds, ...cpu }
    }
  })
}

async function large (contest: ClusterContest, door: Door): Promise<void> {
  await compareImports(contest, door, {
    title: '256 MiB',
    rounds: contest.rounds,
    measured: { rate: { unit: 'MB/s', goals: { bare: { atLeast: 57 / 235 }, limit: { atLeast: 57 / 112 } } }, ...cpuMeasured({ asked: { atMost: 3 }, other: { atMost: 0.9 } }) },
    round: async side => {
      const car = carOf(1_024, mib / 4)
      const { seconds, cpu, root } = await sent(side, door, car)
      await forget(side, root)
      return { rate: car.bytes.byteLength / seconds / 1e6, ...cpu }
    }
  })
}

async function compareImports (contest: ClusterContest, door: Door, comparison: Comparison<ClusterSide>): Promise<void> {
  const compared = door === 'REST' ? contest : amongOnly(contest, 'bare', 'limit', 'peer')
  await compare(compared, { ...comparison, title: `CAR of ${comparison.title}, to all daemons, ${door === 'REST' ? 'over REST' : 'by dag/import'}` })
}

async function sent (side: ClusterSide, door: Door, car: Car): Promise<Imported> {
  if (side.name === 'limit') return await importEverywhere(side, car)
  if (side.name === 'bare' || door === 'dag/import') return await importOnce(side, car)
  return await importOverRest(side, car)
}
