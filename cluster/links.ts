import type { PeerLinks } from './api/peer.ts'
import type { PeerId } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { deadline } from './async/deadline.ts'
import type { Clock } from './clock.ts'
import type { PeerRpc } from './peer-ports.ts'
import type { AbortOptions, IpfsConnector } from './ports.ts'

/** How long a peer may take to answer. */
const peerTimeoutMs = 15_000

export interface LinksComponents {
  readonly self: PeerId
  readonly peername: string
  readonly peerset: () => readonly PeerId[]
  /** Peers that this one is connected with. */
  readonly connected: () => readonly PeerId[]
  readonly ipfs: Pick<IpfsConnector, 'id'>
  readonly daemonPeers: (options: AbortOptions) => Promise<readonly string[]>
  readonly rpc: Pick<PeerRpc, 'call'>
  readonly clock: Clock
}

export interface Links {
  /** Of this peer. What its daemon does not tell is left empty. */
  own (options: AbortOptions): Promise<PeerLinks>
  /** Of all members, asked at the same time; nothing of one that does not answer. */
  all (options: AbortOptions): Promise<ReadonlyMap<PeerId, PeerLinks | undefined>>
}

/** Who is connected with whom. Each peer speaks for itself and its daemon. */
export function createLinks ({ self, peername, peerset, connected, ipfs, daemonPeers, rpc, clock }: LinksComponents): Links {
  async function own (options: AbortOptions): Promise<PeerLinks> {
    const [daemon, theirs] = await Promise.all([ipfs.id(options).then(({ id }) => id, () => ''), daemonPeers(options).catch(() => [])])
    options.signal.throwIfAborted()
    const members = peerset()
    return { peername, peers: connected().filter(peer => peer !== self && members.includes(peer)), daemon, daemonPeers: theirs }
  }

  async function linksOf (peer: PeerId, { signal }: AbortOptions): Promise<PeerLinks | undefined> {
    using limit = deadline(clock, peerTimeoutMs, `the answer of ${peer}`, signal)
    try {
      return await abortable(peer === self ? own(limit) : rpc.call(peer, 'Cluster.Links', undefined, limit), limit.signal)
    } catch {
      signal.throwIfAborted()
      return undefined
    }
  }

  return { own, all: async options => new Map(await Promise.all(peerset().map(async peer => [peer, await linksOf(peer, options)] as const))) }
}
