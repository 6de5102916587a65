import { compare, contestOf } from './harness.ts'
import { runLoad } from './load.ts'

const connections = 32
const roundMs = 3_000

/** A request that the proxy only carries: what standing in the way costs. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await contestOf(args)
  await compare(contest, {
    title: `pass-through: POST /api/v0/version, ${connections} connections`,
    rounds: contest.rounds ?? 5,
    measured: {
      requests: { unit: '1/s', goals: { bare: { atLeast: 12_000 / 22_900 } } },
      p50: { unit: 'ms' },
      p99: { unit: 'ms' }
    },
    round: async side => {
      const { perSecond, p50Ms, p99Ms } = await runLoad(side, { connections, path: () => '/api/v0/version', durationMs: roundMs })
      return { requests: perSecond, p50: p50Ms, p99: p99Ms }
    }
  })
  await compare(contest, {
    title: 'pass-through: the same on one connection',
    rounds: contest.rounds ?? 5,
    measured: { p50: { unit: 'ms', goals: { bare: { atMost: 1.6 } } } },
    round: async side => ({ p50: (await runLoad(side, { connections: 1, path: () => '/api/v0/version', durationMs: roundMs / 2 })).p50Ms })
  })
}
