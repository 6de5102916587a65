import type { PeerId } from './api/pin.ts'
import type { RepoGcLine, RepoStat } from './api/repo.ts'
import { Channel } from './async/channel.ts'
import { joinSignals } from './async/join-signals.ts'
import type { PeerVerbs } from './peer-verbs.ts'
import type { AbortOptions, RepoStatCall } from './ports.ts'

const linesMax = 1_024
/** What an unset `StorageMax` is in Kubo's answer, and the most that fits there. */
const uint64Max = 2n ** 64n - 1n

export interface GlobalRepoComponents {
  readonly self: PeerId
  readonly peerset: () => readonly PeerId[]
  readonly ask: Pick<PeerVerbs, 'repoStat' | 'repoGc'>
}

/** Sums over the daemons that answer; path and version are this peer's. As in ipfs-cluster one that is away is not counted. @throws what went wrong when none answers */
export async function repoStatOfAll ({ self, peerset, ask }: GlobalRepoComponents, options: RepoStatCall): Promise<RepoStat> {
  const peers = [self, ...peerset().filter(peer => peer !== self)]
  const answers = await Promise.allSettled(peers.map(async peer => await ask.repoStat(peer, options)))
  options.signal.throwIfAborted()
  const stats = answers.filter(answer => answer.status === 'fulfilled').map(({ value }) => value)
  const [first] = stats
  if (first === undefined) throw (answers[0] as PromiseRejectedResult).reason
  const sum = (of: (stat: RepoStat) => bigint): bigint => stats.reduce((total, stat) => total + of(stat), 0n)
  const storageMax = sum(stat => stat.storageMax)
  return { ...first, repoSize: sum(stat => stat.repoSize), numObjects: sum(stat => stat.numObjects), storageMax: storageMax > uint64Max ? uint64Max : storageMax }
}

/** Every member's daemon collects, all at once; lines come as they come. A peer that fails is a line with its error. */
export async function * collectOnAll ({ peerset, ask }: Omit<GlobalRepoComponents, 'self'>, { signal }: AbortOptions): AsyncGenerator<RepoGcLine, void, undefined> {
  const leaving = new AbortController()
  using given = joinSignals(signal, leaving.signal)
  const lines = new Channel<RepoGcLine>(linesMax)
  const collecting = Promise.all(peerset().map(async peer => {
    try {
      for await (const line of ask.repoGc(peer, given)) await lines.send({ peer, ...line })
    } catch (err) {
      if (!given.signal.aborted) await lines.send({ peer, key: '', error: err instanceof Error ? err.message : String(err), isOfPeer: true })
    }
  })).then(() => { lines.close() })
  try {
    yield * lines
    signal.throwIfAborted()
  } finally {
    leaving.abort(new Error('nobody reads any more'))
    await collecting
  }
}
