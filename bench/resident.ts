import { setTimeout } from 'node:timers/promises'
import { startClusterContest } from './cluster/contest.ts'
import { fill } from './cluster/filled.ts'
import { tell } from './output.ts'
import { memoryOf, watchMemory } from './process-figures.ts'

const pins = 20_000
const restMs = 20_000

/** What each peer of a cluster has resident when there are many pins: the most of any. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await startClusterContest(args, 1)
  const peers = contest.cluster.peers.map(({ process }) => ({ memory: async () => await memoryOf(process.child.pid!) }))
  using watched = watchMemory(peers)
  await fill(contest.peer, pins)
  const most = watched.most()
  await setTimeout(restMs)
  const rested = await Promise.all(peers.map(async peer => await peer.memory()))

  const goals = { itself: { atMost: 180 } }
  await tell({
    sides: contest.sides,
    title: `resident memory of the largest peer, ${pins.toLocaleString('en')} pins`,
    rounds: { peer: [{ 'while they are pinned': most.all, [`${restMs / 1_000} s later`]: Math.max(...rested.map(({ all }) => all)), 'of it mapped files': Math.max(...rested.map(({ files }) => files)) }] },
    measured: { 'while they are pinned': { unit: 'MiB', goals }, [`${restMs / 1_000} s later`]: { unit: 'MiB', goals }, 'of it mapped files': { unit: 'MiB' } }
  })
}
