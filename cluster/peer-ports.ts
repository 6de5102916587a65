/**
 * The seams between peers: what one may ask of another, and what carries it. Interfaces only, as in `ports.ts`.
 */
import type { CID } from 'multiformats/cid'
import type { AllocationReason } from './api/allocation-reason.ts'
import type { Drift } from './api/drift.ts'
import type { Measurement } from './api/metric.ts'
import type { ClusterId, PeerLinks } from './api/peer.ts'
import type { PinInfo, TrackerStatus } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import type { RepoStat } from './api/repo.ts'
import type { Announcing, AbortOptions, Block, ClusterApi, Component, Consensus, NamedRoot, PinsetEntry, StateStore, UnpinnedRoot } from './ports.ts'

/** What a peer says that wants to be taken in, or is reached elsewhere now. Who it is, its connection has proven to the peer that it asked. */
export interface JoinRequest {
  readonly peer: PeerId
  /** Peers of clusters with different names do not join, even if somebody gave them the same secret. */
  readonly clusterName: string
  /** Of its Raft folder. */
  readonly nodeId: number
  readonly incarnation: number
  readonly addresses: readonly string[]
  /** The id of its daemon, because two peers with one daemon would be one copy; empty when it does not answer. */
  readonly daemon: string
  /** Whether it has what was agreed on until it was taken in, and wants to vote; otherwise it is to be told. */
  readonly votes: boolean
}

/** Where a peer of the peerset is reached. */
export interface PeerAddresses { readonly peer: PeerId, readonly addresses: readonly string[] }

/** That a member is to be relieved of all it holds, or no longer. */
export interface DrainRequest { readonly peer: PeerId, readonly isDraining: boolean }

/** Who may change the pinset and the peerset: all members, or those named, who need not be members yet. As of an entry of the log: of two answers the one with the higher number is the newer. */
export interface TrustedPeers { readonly everyone: boolean, readonly peers: readonly PeerId[], readonly asOf: number }

/** That a peer may change the pinset from now on, or that it only stores. */
export interface TrustRequest { readonly peer: PeerId, readonly isTrusted: boolean }

/** How far that is: pins that still name the peer. Those that go everywhere are not counted, for they stay on all members. */
export interface DrainProgress extends DrainRequest { readonly pins: number }

/** Changes of the peerset, and what comes of them. */
export interface Membership {
  /** Where each member is reached; it travels with the membership, so that who knows one peer finds all. */
  members (): readonly PeerAddresses[]
  /** Takes a peer in, or notes where it is reached now; resolves once it votes, or stores if that is all it may. @throws ClusterError ERR_INVALID_ARGUMENT when it must not be taken in */
  add (request: JoinRequest, options: AbortOptions): Promise<readonly PeerAddresses[]>
  /** Has it noted where this peer is reached now. */
  readdress (addresses: readonly string[], options: AbortOptions): Promise<void>
  /** @throws ClusterError ERR_INVALID_ARGUMENT when it is no member, or the last one; ERR_NO_LEADER when a majority would be missing; ERR_UNKNOWN_OUTCOME when it was asked for and may happen yet */
  remove (peer: PeerId, options: AbortOptions): Promise<void>
  /** Members that are to be relieved of what they hold. */
  draining (): ReadonlySet<PeerId>
  /** Has it agreed on; once it is, pins are given to others, see `relocation.ts`. As good twice as once. @throws ClusterError ERR_INVALID_ARGUMENT when it is no member, or nobody else would be left; else as `remove` */
  drain (request: DrainRequest, options: AbortOptions): Promise<void>
  /** @throws ClusterError ERR_NO_LEADER when this peer is in no cluster yet */
  trusted (): TrustedPeers
  /**
   * Has it agreed on who may change the pinset. A member that is trusted gets a vote as soon as it has caught up; one that is trusted no longer loses it. As good
   * twice as once. @throws ClusterError ERR_INVALID_ARGUMENT when nobody would be left that may, or when it is no member and all members are trusted; else as `remove`
   */
  trust (request: TrustRequest, options: AbortOptions): Promise<void>
  /** Told after each change, and once at the start. */
  watch (changed: () => void): Disposable
}

/** A part of a pinset as it stands elsewhere: entries with the revisions they have there, and `gone`, what has none there any more. */
export interface PinsetPart { readonly entries: readonly PinsetEntry[], readonly gone: readonly CID[], readonly asOf?: bigint }

/** A pinset that can be made what another place has, part by part. */
export interface FollowingState extends StateStore {
  /**
   * The applied index stays until a part says what all of it is as of.
   *
   * @throws ClusterError ERR_STORAGE when the disk refuses; then nothing of the part was taken over
   */
  takeOver (part: PinsetPart): Promise<void>
}

/** Consensus, and who takes part in it. */
export interface MemberConsensus extends Consensus {
  /** So many ops one `log` always takes; with more it may be refused. */
  readonly opsMax: number
  /** The peerset, and who was taken in and does not vote yet. */
  members (): readonly PeerId[]
  readonly membership: Membership
}

/** Whether what a daemon's own user has pinned is told of as well. */
export interface AuditWish { readonly foreign: boolean }

/** Compares what was agreed on with what this peer noted and its daemon holds, both ways; mends nothing. One at a time, the others wait. */
export interface Auditor { audit (wish: AuditWish, options: AbortOptions): AsyncIterable<Drift> }

/** How pins are moved to where they would be put now. */
export interface RebalanceWish {
  /** Only tells what would be moved. */
  readonly isDry: boolean
  readonly bytesPerSecond: number
}

/** A copy of a pin that moves from one peer to another. */
export interface Move {
  readonly cid: CID
  readonly name: string
  readonly from: PeerId
  readonly to: PeerId
  /** Of all below it; `undefined` where nobody knows. */
  readonly bytes: number | undefined
  /** What the allocator goes by, of the one and the other. */
  readonly why: string
  /** `left`: all is as before, and `detail` says why. */
  readonly state: 'planned' | 'moved' | 'left'
  readonly detail: string
}

/** What operators ask about the peers, beside the verbs of `ClusterApi`. */
export interface ClusterOverview {
  /** Those verbs as far as this peer alone goes: no other is asked. */
  readonly here: Pick<ClusterApi, 'status' | 'statusAll' | 'recover' | 'recoverAll' | 'repoGc'>
  /** Takes a peer out of the cluster, dead or alive; what only it was to hold is given to others. Given up after a while. @throws as `Membership.remove` */
  remove (peer: PeerId, options: AbortOptions): Promise<void>
  /** Has a member relieved of its pins, or no longer. Given up after a while. @throws as `Drain.ask` */
  drain (request: DrainRequest, options: AbortOptions): Promise<DrainProgress>
  drainProgress (peer: PeerId, options: AbortOptions): Promise<DrainProgress>
  trusted (): TrustedPeers
  /** Has a peer trusted to change the pinset, or no longer. Given up after a while. @returns who is, afterwards @throws as `Membership.trust` */
  trust (request: TrustRequest, options: AbortOptions): Promise<TrustedPeers>
  /** Moves pins to where they would be put now, for as long as it is iterated. @throws as `Rebalance.run` */
  rebalance (wish: RebalanceWish, options: AbortOptions): AsyncIterable<Move>
  /** As `Auditor`, of all members at the same time, as they come. @throws ClusterError ERR_PEER_FAILED, after what the others found, that names who did not answer */
  audit (wish: AuditWish & { readonly local: boolean }, options: AbortOptions): AsyncIterable<Drift>
  /** What each peer would be chosen for or not as the holder of a pin, by what is known of them now. @throws ClusterError ERR_PIN_NOT_FOUND */
  explain (cid: CID, options: AbortOptions): Promise<readonly AllocationReason[]>
  /** Who is connected with whom; nothing of a member that does not answer. */
  links (options: AbortOptions): Promise<ReadonlyMap<PeerId, PeerLinks | undefined>>
  /** Why this peer cannot do its work just now, in words; empty when it can. */
  ailments (options: AbortOptions): Promise<readonly string[]>
}

/** What has become of a pin that a peer waits for, at the peer that tells it. `id` is the waiting peer's, see `Ask`. */
export interface Reached { readonly id: number, readonly outcome: 'held' | 'overtaken' | 'failed', readonly error: Error | undefined }

/**
 * First under which name the import is logged and what is left of the caller's time (0 is no limit), then blocks, and last what is to be
 * pinned: that comes once the pin is agreed, and until then the daemon's GC waits.
 */
export type ImportItem = ({ readonly delivery: string, readonly timeoutMs: number } & Announcing) | Block | { readonly roots: readonly NamedRoot[] }

/** Every method one peer may call on another. The types of argument and answer are here and nowhere else. */
export interface RpcMethods {
  'Cluster.Id': { readonly shape: 'call', readonly argument: undefined, readonly result: ClusterId }
  'Cluster.Links': { readonly shape: 'call', readonly argument: undefined, readonly result: PeerLinks }
  /** To any peer that is in; it asks the leader. Answered once the peer votes. */
  'Cluster.Join': { readonly shape: 'call', readonly argument: JoinRequest, readonly result: readonly PeerAddresses[] }
  /** To any member; it asks the leader. */
  'Consensus.RemovePeer': { readonly shape: 'call', readonly argument: PeerId, readonly result: undefined }
  /** To any member; it asks the leader. */
  'Consensus.DrainPeer': { readonly shape: 'call', readonly argument: DrainRequest, readonly result: undefined }
  /** To any member; it asks the leader. Answered once the peer votes, or votes no longer. */
  'Consensus.TrustPeer': { readonly shape: 'call', readonly argument: TrustRequest, readonly result: undefined }
  /** Whom a peer is to believe that does not know it from its own log yet. */
  'Consensus.TrustedPeers': { readonly shape: 'call', readonly argument: undefined, readonly result: TrustedPeers }
  'PinTracker.Status': { readonly shape: 'call', readonly argument: CID, readonly result: PinInfo }
  'PinTracker.StatusAll': { readonly shape: 'pull', readonly argument: readonly TrackerStatus[], readonly result: PinInfo }
  'PinTracker.Audit': { readonly shape: 'pull', readonly argument: AuditWish, readonly result: Drift }
  'PinTracker.Recover': { readonly shape: 'call', readonly argument: CID, readonly result: PinInfo }
  'PinTracker.RecoverAll': { readonly shape: 'pull', readonly argument: undefined, readonly result: PinInfo }
  /** To the peer that a client asked: what has become of its pins here, several at once, so that it need not poll. */
  'PinTracker.Reached': { readonly shape: 'call', readonly argument: readonly Reached[], readonly result: undefined }
  'IpfsConnector.ImportBlocks': { readonly shape: 'push', readonly argument: ImportItem, readonly result: readonly UnpinnedRoot[] }
  /** Whether only the size is wanted, see `RepoStatCall`. */
  'IpfsConnector.RepoStat': { readonly shape: 'call', readonly argument: boolean, readonly result: RepoStat }
  'IpfsConnector.RepoGc': { readonly shape: 'pull', readonly argument: undefined, readonly result: { readonly key: string, readonly error: string } }
  /** Where the peer's daemon is reached by other daemons. */
  'IpfsConnector.SwarmAddresses': { readonly shape: 'call', readonly argument: undefined, readonly result: readonly string[] }
  /** What a peer has measured of itself: nobody speaks for another. The answer is what the other has measured. */
  'Monitor.Receive': { readonly shape: 'call', readonly argument: readonly Measurement[], readonly result: readonly Measurement[] }
}
type MethodOf<Shape> = { [M in keyof RpcMethods]: RpcMethods[M]['shape'] extends Shape ? M : never }[keyof RpcMethods]
export type RpcMethod = keyof RpcMethods
export type CallMethod = MethodOf<'call'>
export type PullMethod = MethodOf<'pull'>
export type PushMethod = MethodOf<'push'>

/** Who calls, as its connection has proven; the signal aborts when the answer is not wanted any more. */
export interface RpcCaller extends AbortOptions { readonly peer: PeerId }

/** What answers each method; complete by type. */
export type RpcHandlers =
  & { readonly [M in CallMethod]: (argument: RpcMethods[M]['argument'], caller: RpcCaller) => Promise<RpcMethods[M]['result']> }
  & { readonly [M in PullMethod]: (argument: RpcMethods[M]['argument'], caller: RpcCaller) => AsyncIterable<RpcMethods[M]['result']> }
  & { readonly [M in PushMethod]: (source: AsyncIterable<RpcMethods[M]['argument']>, caller: RpcCaller) => Promise<RpcMethods[M]['result']> }

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
  /** Who serves streams of a protocol that others open. */
  handle (protocol: string, lane: PeerLane, serve: (stream: PeerStream) => void): void
  /** Where a peer may be reached: multiaddrs, added to those that are known. What cannot be read is left out. */
  learn (peer: PeerId, addresses: readonly string[]): void
}

/** Bytes over the streams of one protocol since the start, and a second. */
export interface ProtocolTraffic { readonly totalIn: number, readonly totalOut: number, readonly rateIn: number, readonly rateOut: number }

/** Where HTTP is spoken over libp2p, until disposed. */
export interface HttpDoor extends AsyncDisposable { readonly addresses: readonly string[] }
