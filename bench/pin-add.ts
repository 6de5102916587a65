import { unpinnedAt } from './cluster/unpinned.ts'
import { compare, contestOf } from './harness.ts'
import { runLoad } from './load.ts'

const pins = 256

/** Pins of small content that every daemon has: what being a logged, durable, tracked cluster pin costs on top. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await contestOf(args)
  for (const connections of [1, 32]) {
    await compare(contest, {
      title: `pin/add of ${pins} CIDs, ${connections === 1 ? 'one by one' : `${connections} at once`}`,
      rounds: contest.rounds ?? 5,
      measured: { rate: { unit: 'pins/s' }, p50: { unit: 'ms' }, p99: { unit: 'ms' } },
      round: async side => {
        const cids = await unpinnedAt(side.daemons ?? [side], pins)
        const { perSecond, p50Ms, p99Ms } = await runLoad(side, { connections, path: number => cids[number] && `/api/v0/pin/add?arg=${cids[number]}` })
        return { rate: perSecond, p50: p50Ms, p99: p99Ms }
      }
    })
  }
}
