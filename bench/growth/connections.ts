import { compare, startSides } from '../harness.ts'
import { runLoad } from '../load.ts'

const roundMs = 3_000
const rounds = 5

/** Requests that the proxy only carries, on so many connections. */
export async function growConnections (sizes: readonly number[]): Promise<void> {
  await using contest = await startSides()
  for (const connections of sizes) {
    await compare(contest, {
      title: `pass-through: POST /api/v0/version, connections: ${connections}`,
      rounds,
      measured: { requests: { unit: '1/s' }, p50: { unit: 'ms' }, p99: { unit: 'ms' } },
      over: { what: 'connections', value: connections },
      round: async side => {
        const { perSecond, p50Ms, p99Ms } = await runLoad(side, { connections, path: () => '/api/v0/version', durationMs: roundMs })
        return { requests: perSecond, p50: p50Ms, p99: p99Ms }
      }
    })
  }
}
