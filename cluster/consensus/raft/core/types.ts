import type { RaftLimits } from './limits.ts'
import type { TraceEvents } from './trace-event.ts'

/** A member of the group: a positive integer of at most 48 bits, never reused. `none` stands for "nobody". */
export type NodeId = number
/** Position in the log; the first entry has 1. */
export type Index = number
/** Leadership period; 0 before the first election. */
export type Term = number

export const none: NodeId = 0
/** Whom `MsgStorageAppend` is addressed to: the lane that makes entries, votes and terms durable. */
export const appendThread: NodeId = Number.MAX_SAFE_INTEGER
/** Whom `MsgStorageApply` is addressed to: the lane that applies committed entries. */
export const applyThread: NodeId = Number.MAX_SAFE_INTEGER - 1

export type EntryType = 'EntryNormal' | 'EntryConfChange' | 'EntryConfChangeV2'

/** Immutable once made: the same object is shared by log, messages and Ready. `data` is never written to. */
export interface Entry {
  readonly term: Term
  readonly index: Index
  readonly type: EntryType
  readonly data: Uint8Array
}

/** What a proposer hands in; the leader gives it its term and index. */
export interface EntryInput {
  readonly type: EntryType
  readonly data: Uint8Array
}

/** Durable before anything that follows from it is said. `commit` is a hint: a change of it alone needs no sync. */
export interface HardState {
  readonly term: Term
  readonly vote: NodeId
  readonly commit: Index
}

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader'

/** Not durable: who leads, and what this peer is. */
export interface SoftState {
  readonly lead: NodeId
  readonly role: Role
}

/** The membership. `votersOutgoing` is not empty exactly while it is joint. All lists ascend. */
export interface ConfState {
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  readonly learners: readonly NodeId[]
  /** Voters of the outgoing half that become learners when the joint state is left. */
  readonly learnersNext: readonly NodeId[]
  readonly autoLeave: boolean
}

export interface SnapshotMeta {
  readonly index: Index
  readonly term: Term
  /** The membership as of `index`, never a later one. */
  readonly confState: ConfState
}

export interface Snapshot {
  readonly meta: SnapshotMeta
  /** Small state as it is, or a handle to what is streamed beside the messages; the core never looks. */
  readonly data: Uint8Array
}

export type ConfChangeType = 'ConfChangeAddNode' | 'ConfChangeRemoveNode' | 'ConfChangeUpdateNode' | 'ConfChangeAddLearnerNode'

export interface ConfChangeSingle {
  readonly type: ConfChangeType
  readonly nodeId: NodeId
}

/**
 * A change of the membership. No changes and `auto`: leave the joint state. `auto` uses the simple path for one
 * change and a joint state left by itself for more; `implicit` always a joint state left by itself; `explicit` one
 * that stays until it is left by a further, empty change.
 */
export interface ConfChange {
  readonly transition: 'auto' | 'implicit' | 'explicit'
  readonly changes: readonly ConfChangeSingle[]
  /** For the application; the core carries it. */
  readonly context: Uint8Array
}

export type MessageType =
  // between peers
  | 'MsgProp' | 'MsgApp' | 'MsgAppResp' | 'MsgVote' | 'MsgVoteResp' | 'MsgPreVote' | 'MsgPreVoteResp' | 'MsgSnap'
  | 'MsgHeartbeat' | 'MsgHeartbeatResp' | 'MsgTransferLeader' | 'MsgTimeoutNow' | 'MsgReadIndex' | 'MsgReadIndexResp'
  // inside this peer
  | 'MsgHup' | 'MsgUnreachable' | 'MsgSnapStatus' | 'MsgForgetLeader'
  | 'MsgStorageAppend' | 'MsgStorageAppendResp' | 'MsgStorageApply' | 'MsgStorageApplyResp'

/**
 * Every kind has the same fields, so that the hot paths see one object shape; those a kind does not use are zero,
 * false, empty or undefined. `message()` in message.ts makes them.
 *
 * MsgApp: `logTerm`/`index` name the entry before `entries`. MsgAppResp: `index` acknowledged, or refused with
 * `reject`, then `rejectHint`/`logTerm` say where the sender's log may still agree. MsgVote, MsgPreVote:
 * `logTerm`/`index` of the candidate's last entry, `context` 1 when it is a leadership transfer. MsgHeartbeat and its
 * response: `context` is the read round. MsgReadIndex and its response: `context` is the asker's own number.
 * MsgStorageAppend: `term`, `vote`, `commit` are the HardState to write, all zero if it did not change.
 */
export interface Message {
  readonly type: MessageType
  readonly to: NodeId
  readonly from: NodeId
  readonly term: Term
  readonly logTerm: Term
  readonly index: Index
  readonly commit: Index
  readonly vote: NodeId
  readonly reject: boolean
  readonly rejectHint: Index
  readonly context: number
  readonly entries: readonly Entry[]
  readonly snapshot: Snapshot | undefined
  /** To be delivered, in order, once the storage message that carries them has been carried out. */
  readonly responses: readonly Message[]
}

/** Confirmed: once `index` is applied here, the read asked for with `context` sees every write acknowledged before it. */
export interface ReadState {
  readonly index: Index
  readonly context: number
}

/**
 * What the owner must do, in this order: make `hardState`, `entries` and `snapshot` durable (synced if `mustSync`),
 * send `messages`, apply `committedEntries`, then `advance`. With asynchronous storage writes all but `messages` is
 * information: the storage messages among them say the same, and `advance` is not called.
 */
export interface Ready {
  readonly softState: SoftState | undefined
  readonly hardState: HardState | undefined
  readonly readStates: readonly ReadState[]
  readonly entries: readonly Entry[]
  readonly snapshot: Snapshot | undefined
  readonly committedEntries: readonly Entry[]
  readonly messages: readonly Message[]
  readonly mustSync: boolean
}

/**
 * What the core may ask of the durable log. Every answer is immediate. It sees only what was handed out in a Ready
 * and written; `entries` owns nothing of the answer, which must not be changed afterwards.
 */
export interface LogReader {
  initialState (): { readonly hard: HardState, readonly conf: ConfState }
  firstIndex (): Index
  lastIndex (): Index
  /** Known for `firstIndex() - 1` to `lastIndex()`. */
  term (index: Index): Term | 'compacted' | 'unavailable'
  /**
   * Entries of [lo, hi), at least one, cut before `maxBytes` (as `entryBytes` counts) is exceeded.
   * 'pending': being read; tell the core with `entriesFetched()` when they are there.
   */
  entries (lo: Index, hi: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'pending'
  /** The newest snapshot; 'pending' while one is being made. */
  snapshot (): Snapshot | 'pending'
}

/** The only source of chance. Equal seeds, equal runs. */
export interface Random {
  /** An integer from 0 to n − 1. */
  below (n: number): number
}

export type TraceLevel = 'debug' | 'info' | 'warn' | 'error'
/** Told of what happens, for logs and tests; ids of peers are hexadecimal text. */
export type Trace = (level: TraceLevel, what: string, values: readonly (number | string)[]) => void

export interface RaftCoreConfig {
  readonly id: NodeId
  readonly log: LogReader
  readonly random: Random
  /** A follower that hears nothing for this many ticks, plus up to as many again by chance, stands for election. */
  readonly electionTicks: number
  readonly heartbeatTicks: number
  /**
   * Whom to prefer as leader: 0 first, up to `priorityMax`. A peer of priority p waits p election timeouts more before it
   * stands, so that it leads only where nobody before it can. It votes, and may be handed the lead, like any other. Default 0.
   */
  readonly priority?: number
  /** The last index the state machine has applied, when it starts again; 0 applies from the snapshot on. */
  readonly applied?: Index
  readonly limits?: Partial<RaftLimits>
  /** Storage is written by lanes that are sent messages, and may be behind. Default false. */
  readonly asyncStorageWrites?: boolean
  /** Default true. */
  readonly preVote?: boolean
  /** Default true. */
  readonly checkQuorum?: boolean
  /** 'lease' answers reads without asking while a majority has just answered: safe only if clocks run alike. Default 'safe'. */
  readonly readOnly?: 'safe' | 'lease'
  /** Default false: a follower passes proposals on to the leader. */
  readonly disableProposalForwarding?: boolean
  /** Default false. Only for an owner that itself puts membership changes in order. */
  readonly disableConfChangeValidation?: boolean
  /** Default true: a leader that is removed or demoted becomes a follower at once. */
  readonly stepDownOnRemoval?: boolean
  /**
   * Default false. Leaves out what this engine does beyond etcd's: a snapshot whose membership lacks the receiver is
   * not taken, a refused vote says nothing about commits, a membership change that does not fit is only noticed when it
   * is applied, requests may be passed on more than once, and a leader of the past is answered only with pre-vote or the
   * check of the quorum. For scripts that expect exactly etcd's messages.
   */
  readonly asEtcd?: boolean
  readonly trace?: Trace
  /** Told of each step in the words of the TLA+ specification; for runs that are checked against it. */
  readonly events?: TraceEvents
}

/**
 * 'accepted': taken in, or rightly ignored. 'dropped': a proposal that was not taken. 'peer-not-found': a response of
 * someone who is no member. 'local-message': of a kind that never comes from outside. 'malformed': entries that
 * contradict their message. Only 'dropped' concerns the proposer.
 */
export type StepResult = 'accepted' | 'dropped' | 'peer-not-found' | 'local-message' | 'malformed'

export type DropReason =
  | 'no-leader' | 'forwarding-disabled' | 'transferring' | 'not-member' | 'uncommitted-full' | 'entry-too-large' | 'malformed'

/** Why a membership change was put in the log as an empty entry instead. 'invalid': it does not fit the membership. */
export type ConfChangeRefusal = 'change-pending' | 'still-joint' | 'not-joint' | 'invalid'

export type ProposeResult =
  /** In the leader's log (not committed). The entries took `index` and following in `term`. */
  | { readonly kind: 'appended', readonly index: Index, readonly term: Term, readonly refusal?: ConfChangeRefusal }
  | { readonly kind: 'forwarded', readonly to: NodeId }
  | { readonly kind: 'dropped', readonly reason: DropReason }

export type ProgressState = 'probe' | 'replicate' | 'snapshot'

export interface ProgressStatus {
  readonly id: NodeId
  readonly match: Index
  readonly next: Index
  readonly state: ProgressState
  readonly learner: boolean
  readonly paused: boolean
  readonly pendingSnapshot: Index
  readonly recentActive: boolean
  readonly inflightMessages: number
  readonly inflightBytes: number
  readonly inflightFull: boolean
}

/** How often this peer stood for election since it started, by cause, and was elected. */
export interface ElectionCounts {
  /** It had heard nothing for long enough. */
  readonly timeout: number
  /** Its owner said so. */
  readonly asked: number
  /** The leader handed over. */
  readonly transfer: number
  readonly won: number
}

export interface Status {
  readonly id: NodeId
  readonly term: Term
  readonly vote: NodeId
  readonly commit: Index
  readonly applied: Index
  readonly applying: Index
  readonly firstIndex: Index
  readonly lastIndex: Index
  readonly lead: NodeId
  readonly role: Role
  readonly leadTransferee: NodeId
  readonly pendingConfIndex: Index
  readonly uncommittedBytes: number
  readonly unstableEntries: number
  readonly pendingReads: number
  readonly electionElapsed: number
  readonly randomizedElectionTicks: number
  readonly elections: ElectionCounts
  /** How often somebody new was found to lead. */
  readonly leaderChanges: number
  readonly conf: ConfState
  /** Ascending by id; empty unless leader. */
  readonly progress: readonly ProgressStatus[]
}
