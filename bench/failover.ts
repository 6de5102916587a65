import { setTimeout } from 'node:timers/promises'
import { leaderAmong } from '../ipfs-compat-tests/harness/faults.ts'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { inlineCidOf } from '../ipfs-compat-tests/harness/pins.ts'
import { sideArguments, startBareAndCluster } from './harness.ts'
import { tell } from './output.ts'
import type { Round } from './report.ts'

const peersUsually = 3
const roundsUsually = 7
const askAgainMs = 20
const patienceMs = 60_000

/** From `kill -9` of the peer that leads until another one answers that a pin is agreed on. */
export async function bench (args: readonly string[]): Promise<void> {
  const { peers: count = peersUsually, rounds = roundsUsually, against, peer } = sideArguments(args)
  if (against !== undefined || peer !== undefined) throw new TypeError('failover: only processes that were started here are killed')
  if (count < 3) throw new TypeError('failover: of fewer than three peers none can be missed')
  await using running = await startBareAndCluster(count, { IPFS_CLUSTER_LOG_LEVEL: 'info' })
  const { peers } = running.cluster

  const results: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const leader = await leaderAmong(peers)
    const survivors = peers.filter(peer => peer !== leader)
    for (const { rest } of survivors) await eventually('pins are agreed on', async () => await pin(rest))
    await leader.kill()
    const begunMs = performance.now()
    while (!await pin(survivors[round % survivors.length]!.rest)) {
      if (performance.now() - begunMs > patienceMs) throw new Error(`no pin was agreed on within ${patienceMs} ms`)
      await setTimeout(askAgainMs)
    }
    results.push({ answered: (performance.now() - begunMs) / 1_000 })
    await leader.start()
  }
  await tell({ sides: running.sides, title: 'leader killed, until the next pin is agreed on', rounds: { peer: results }, measured: { answered: { unit: 's', goals: { itself: { atMost: 1.2 } } } } })
}

let pinned = 0

async function pin (rest: string): Promise<boolean> {
  try {
    const answer = await fetch(`${rest}/pins/${inlineCidOf(`failover ${pinned++}`).toString()}`, { method: 'POST', signal: AbortSignal.timeout(patienceMs) })
    await answer.arrayBuffer()
    return answer.ok
  } catch {
    return false // nobody leads yet
  }
}
