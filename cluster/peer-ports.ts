/**
 * The seams between peers: what one may ask of another, and what carries it. Interfaces only, as in `ports.ts`.
 */
import type { CID } from 'multiformats/cid'
import type { Measurement } from './api/metric.ts'
import type { ClusterId } from './api/peer.ts'
import type { PinInfo, TrackerStatus } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import type { RepoStat } from './api/repo.ts'
import type { AbortOptions, Block, Component, NamedRoot, UnpinnedRoot } from './ports.ts'

/** What a peer says that wants to be taken in; who it is, its connection has proven. */
export interface JoinRequest {
  /** Peers of clusters with different names do not join, even if somebody gave them the same secret. */
  readonly clusterName: string
  /** Of its Raft folder. */
  readonly nodeId: number
  readonly incarnation: number
  readonly addresses: readonly string[]
}

/** Where a peer of the peerset is reached. */
export interface PeerAddresses { readonly peer: PeerId, readonly addresses: readonly string[] }

/** A block, or last what is to be pinned: it comes once the pin is agreed, and until then the daemon's GC waits. */
export type ImportItem = Block | { readonly roots: readonly NamedRoot[] }

/** Every method one peer may call on another. The types of argument and answer are here and nowhere else. */
export interface RpcMethods {
  'Cluster.Id': { readonly shape: 'call', readonly argument: undefined, readonly result: ClusterId }
  /** To any peer that is in; it asks the leader. The answer is the peerset, the new peer in it. */
  'Cluster.Join': { readonly shape: 'call', readonly argument: JoinRequest, readonly result: { readonly clusterId: string, readonly peerset: readonly PeerAddresses[] } }
  /** To the leader. */
  'Consensus.RemovePeer': { readonly shape: 'call', readonly argument: PeerId, readonly result: undefined }
  /** To the leader: a change that a follower was asked for, as its entry in the log will hold it. The answer is its revision. */
  'Consensus.Log': { readonly shape: 'call', readonly argument: Uint8Array, readonly result: bigint }
  'PinTracker.Status': { readonly shape: 'call', readonly argument: CID, readonly result: PinInfo }
  'PinTracker.StatusAll': { readonly shape: 'pull', readonly argument: readonly TrackerStatus[], readonly result: PinInfo }
  'PinTracker.Recover': { readonly shape: 'call', readonly argument: CID, readonly result: PinInfo }
  'PinTracker.RecoverAll': { readonly shape: 'pull', readonly argument: undefined, readonly result: PinInfo }
  /** To the peer that a client asked: what has become of its pins here, several at once, so that it need not poll. */
  'PinTracker.Reached': { readonly shape: 'call', readonly argument: readonly PinInfo[], readonly result: undefined }
  'IpfsConnector.ImportBlocks': { readonly shape: 'push', readonly argument: ImportItem, readonly result: readonly UnpinnedRoot[] }
  'IpfsConnector.RepoStat': { readonly shape: 'call', readonly argument: undefined, readonly result: RepoStat }
  'IpfsConnector.RepoGc': { readonly shape: 'pull', readonly argument: undefined, readonly result: { readonly key: string, readonly error: string } }
  /** Where the peer's daemon is reached by other daemons. */
  'IpfsConnector.SwarmAddresses': { readonly shape: 'call', readonly argument: undefined, readonly result: readonly string[] }
  /** What a peer has measured of itself: nobody speaks for another. */
  'Monitor.Receive': { readonly shape: 'call', readonly argument: readonly Measurement[], readonly result: undefined }
}
type MethodOf<Shape> = { [M in keyof RpcMethods]: RpcMethods[M]['shape'] extends Shape ? M : never }[keyof RpcMethods]
export type RpcMethod = keyof RpcMethods
export type CallMethod = MethodOf<'call'>
export type PullMethod = MethodOf<'pull'>
export type PushMethod = MethodOf<'push'>

/**
 * Calls to *other* peers. A call to oneself is a plain method call and never comes here.
 *
 * What the other peer throws arrives with its code and message; whatever else goes wrong on the way is ERR_PEER_FAILED, and then it is
 * not known whether the call was carried out. All of it can be given up; the other side then sees its signal abort.
 */
export interface PeerRpc extends Component {
  /** @throws ClusterError also ERR_TIMEOUT after the method's own time limit, ERR_INVALID_ARGUMENT for what is larger than the method allows */
  call<M extends CallMethod> (peer: PeerId, method: M, argument: RpcMethods[M]['argument'], options: AbortOptions): Promise<RpcMethods[M]['result']>
  /** Nothing is asked for before the first item is. Leaving the loop ends it on the other side. */
  pull<M extends PullMethod> (peer: PeerId, method: M, argument: RpcMethods[M]['argument'], options: AbortOptions): AsyncIterable<RpcMethods[M]['result']>
  /** Takes from `source` at the pace of the other side. An error of `source` is thrown here, and there its source fails too. */
  push<M extends PushMethod> (peer: PeerId, method: M, source: AsyncIterable<RpcMethods[M]['argument']>, options: AbortOptions): Promise<RpcMethods[M]['result']>
}

/**
 * Which connection to a peer a stream goes over: `bulk` for whatever is large, `log` for what peers agree on, `swift` for what is small
 * and must not wait. None ever queues behind another: lanes do not share a socket that this peer opened.
 */
export type PeerLane = 'swift' | 'log' | 'bulk'

/** Bytes to and from one other peer, in order. Its end means nothing: who sends says in its own bytes that it is done, and waits to be told. */
export interface PeerStream {
  readonly peer: PeerId
  /** Bytes that were written and that the network has not taken yet. */
  readonly queuedBytes: number
  /** Aborts when the stream has ended, whoever ended it, with the reason. */
  readonly closed: AbortSignal
  /** Takes the bytes, which must not change afterwards. False: no more until `drained`, or memory grows; once the stream has ended they are dropped. */
  write (...pieces: readonly Uint8Array[]): boolean
  /** @throws the reason when the stream ends instead, or the signal's */
  drained (options: AbortOptions): Promise<void>
  /** To be iterated once. The far side is asked to hold while much waits to be read. @throws the reason when the stream ends */
  readonly received: AsyncIterable<Uint8Array>
  /** Ends it both ways, at once and on both sides. */
  abort (reason: Error): void
}

/** Connections to the other peers that have proven the cluster secret. */
export interface PeerStreams {
  readonly self: PeerId
  /** Connects if need be. @throws ClusterError ERR_PEER_FAILED when the peer cannot be reached or does not speak the protocol */
  open (peer: PeerId, protocol: string, lane: PeerLane, options: AbortOptions): Promise<PeerStream>
  /** Who serves streams of a protocol that others open; to be said before the start. */
  handle (protocol: string, lane: PeerLane, serve: (stream: PeerStream) => void): void
  /** Where a peer may be reached: multiaddrs, added to those that are known. What cannot be read is left out. */
  learn (peer: PeerId, addresses: readonly string[]): void
}
