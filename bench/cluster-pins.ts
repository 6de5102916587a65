import { amongOnly, startClusterContest } from './cluster/contest.ts'
import type { ClusterContest, ClusterSide, PinAnswer } from './cluster/contest.ts'
import { cpuMeasured, spentOn } from './cluster/spent.ts'
import { unpinnedAt, untilHeld } from './cluster/unpinned.ts'
import { compare } from './harness.ts'
import { runLoad } from './load.ts'
import type { LoadResult } from './load.ts'
import type { Round } from './report.ts'

const few = 200
const many = 3_000
const manyWhileWarmingUp = 500
const connections = 32
/** So many pins take a real Kubo some ten seconds. */
const patienceMs = 300_000

/** Pins of content that all daemons have, in a cluster whose pins go everywhere, until they are agreed on, held by `replication.min`, held by all. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await startClusterContest(args, 5)
  await oneByOne(contest, 'agreed', 'answered when agreed on: POST /pins', 3)
  await oneByOne(contest, 'all', 'answered when all daemons hold it: pin/add', 8)
  await atOnce(contest, 'agreed', 'answered when agreed on: POST /pins')
  await atOnce(contest, 'min', 'answered when the fewest that it needs hold it: pin/add')
}

/** A bare Kubo took 1.6 ms where the goal was set. */
async function oneByOne (contest: ClusterContest, answer: PinAnswer, how: string, goalMs: number): Promise<void> {
  const compared = answer === 'all' ? amongOnly(contest, 'bare', 'limit', 'peer') : contest
  await compare(compared, {
    title: `pins one by one, ${how}`,
    rounds: contest.rounds,
    measured: { p50: { unit: 'ms', goals: { bare: { atMost: goalMs / 1.6 } } }, p99: { unit: 'ms' } },
    round: async side => {
      const cids = await unpinnedAt(side.daemons, few)
      const { p50Ms, p99Ms } = await pinned(side, answer, cids, 1)
      await untilHeld(side.daemons, cids, patienceMs)
      return { p50: p50Ms, p99: p99Ms }
    }
  })
}

async function atOnce (contest: ClusterContest, answer: 'agreed' | 'min', how: string): Promise<void> {
  const goals = answer === 'agreed'
    ? { answered: { bare: { atLeast: 1_500 / 950 } } }
    : { answered: { bare: { atLeast: 280 / 950 }, limit: { atLeast: 280 / 310 } }, p99: { itself: { atMost: 250 } }, held: { limit: { atLeast: 290 / 310 } } }
  await compare(contest, {
    title: `${many.toLocaleString('en')} pins, ${connections} at once, ${how}`,
    rounds: contest.rounds,
    measured: {
      answered: { unit: 'pins/s', goals: goals.answered },
      p99: { unit: 'ms', ...goals.p99 !== undefined && { goals: goals.p99 } },
      'held by all daemons': { unit: 'pins/s', ...goals.held !== undefined && { goals: goals.held } },
      ...cpuMeasured()
    },
    round: async (side, number) => await burst(side, answer, number < 0 ? manyWhileWarmingUp : many)
  })
}

/** Processor time is counted until all daemons hold all. */
async function burst (side: ClusterSide, answer: PinAnswer, count: number): Promise<Round> {
  const cids = await unpinnedAt(side.daemons, count)
  let load: LoadResult | undefined
  const { seconds, cpu } = await spentOn(side.processes, async () => {
    load = await pinned(side, answer, cids, connections)
    await untilHeld(side.daemons, cids, patienceMs)
  })
  return { answered: load!.perSecond, p99: load!.p99Ms, 'held by all daemons': count / seconds, ...cpu }
}

/** The limit is all daemons at once, of which the slowest counts. */
async function pinned (side: ClusterSide, answer: PinAnswer, cids: readonly string[], connections: number): Promise<LoadResult> {
  if (side.name !== 'limit') {
    const door = side.pinDoors[answer]
    return await runLoad(door, { connections, path: number => cids[number] && door.path(cids[number]) })
  }
  const loads = await Promise.all(side.daemons.map(async daemon => await runLoad(daemon, { connections, path: number => cids[number] && side.pinDoors[answer].path(cids[number]) })))
  return loads.reduce((slowest, load) => load.perSecond < slowest.perSecond ? load : slowest)
}
