import type { PeerId } from './api/pin.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { PeerRpc } from './peer-ports.ts'
import type { AbortOptions } from './ports.ts'

/** Between two times that the others are asked. */
const askAgainMs = 500
/** Of times in a row, one in so many is told. */
const toldEvery = 20

export interface FoundingComponents {
  readonly self: PeerId
  /** Peers that are to change the pinset, one of which has to found; `*` is all. */
  readonly trusted?: readonly string[]
  readonly rpc: Pick<PeerRpc, 'call'>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Whether this peer is the one of `initPeerset`, to which it belongs itself, that founds the cluster: the one with the smallest id of those that are trusted. It asks the others first, and waits until a
 * majority of all is known to be in no cluster; when one is in a cluster, this peer has only lost its folder, and joins that one instead.
 */
export async function isFounderOf (initPeerset: readonly PeerId[], { self, trusted = ['*'], rpc, clock, log }: FoundingComponents, { signal }: AbortOptions): Promise<boolean> {
  const all = [...new Set([...initPeerset, self])].sort()
  const others = all.filter(peer => peer !== self)
  const majority = Math.floor(all.length / 2) + 1
  const founders = trusted.includes('*') ? all : all.filter(peer => trusted.includes(peer))
  if ((founders[0] ?? all[0]) !== self) return false

  async function standingOf (peer: PeerId): Promise<Standing> {
    try {
      const { clusterPeers } = await rpc.call(peer, 'Cluster.Id', undefined, { signal })
      if (clusterPeers.length === 0) return { peer, is: 'in-none', why: '' }
      // Alone is also what a peer says that has not opened its log yet.
      return clusterPeers.length > 1 ? { peer, is: 'in-one', why: '' } : { peer, is: 'unknown', why: 'it is still starting, or has founded a cluster of its own' }
    } catch (err) {
      signal.throwIfAborted()
      return { peer, is: 'unknown', why: (err as Error).message }
    }
  }

  for (let times = 0; ; times++) {
    const standings = await Promise.all(others.map(standingOf))
    if (standings.some(({ is }) => is === 'in-one')) return false
    const inNone = 1 + standings.filter(({ is }) => is === 'in-none').length
    if (inNone >= majority) return true
    if (times % toldEvery === 0) {
      const waitsFor = standings.filter(({ is }) => is === 'unknown').map(({ peer, why }) => `${peer}: ${why}`)
      log.warn('the cluster is founded once a majority of consensus.raft.init_peerset is there', { there: inNone, majority, waitsFor })
    }
    await pause(clock, askAgainMs, signal)
  }
}

interface Standing { readonly peer: PeerId, readonly is: 'in-none' | 'in-one' | 'unknown', readonly why: string }
