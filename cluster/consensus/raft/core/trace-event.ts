import type { RaftState } from './state.ts'
import type { ConfChange, ConfChangeType, Index, Message, NodeId, Role, Term } from './types.ts'

/**
 * What happens inside the core, in the words of etcd's TLA+ specification: written one a line, a run can be checked
 * against the model. Ids are decimal text there; pre-votes are no part of the model and are not told.
 */
export interface TraceEvent {
  readonly name: TraceEventName
  readonly nid: string
  readonly state: { readonly term: Term, readonly vote: string, readonly commit: Index }
  readonly role: 'StateFollower' | 'StatePreCandidate' | 'StateCandidate' | 'StateLeader'
  /** The index of the last entry. */
  readonly log: Index
  /** Voters; while joint, those of the outgoing half as well. */
  readonly conf: readonly [readonly string[], readonly string[]]
  readonly msg?: TracedMessage
  readonly prop?: { readonly cc: TracedChange }
}

export type TraceEventName =
  | 'InitState' | 'BecomeFollower' | 'BecomeCandidate' | 'BecomeLeader' | 'Commit' | 'Replicate' | 'ChangeConf' | 'ApplyConfChange' | 'Ready'
  | SentOrReceived<'AppendEntriesRequest' | 'AppendEntriesResponse' | 'RequestVoteRequest' | 'RequestVoteResponse'>
type SentOrReceived<Kind extends string> = `Send${Kind}` | `Receive${Kind}`

export interface TracedMessage {
  readonly type: string
  readonly term: Term
  readonly from: string
  readonly to: string
  /** How many; of a snapshot, its index: to the model it is a long append. */
  readonly entries: number
  readonly logTerm: Term
  readonly index: Index
  readonly commit: Index
  readonly vote: string
  readonly reject: boolean
  readonly rejectHint: Index
}

/** `changes`: proposed. `newconf`: the voters from now on. */
export interface TracedChange {
  readonly changes?: ReadonlyArray<{ readonly nid: string, readonly action: string }>
  readonly newconf?: readonly string[]
}

export type TraceEvents = (event: TraceEvent) => void

const roles = { follower: 'StateFollower', 'pre-candidate': 'StatePreCandidate', candidate: 'StateCandidate', leader: 'StateLeader' } as const satisfies Record<Role, string>
const actions: Partial<Record<ConfChangeType, string>> = {
  ConfChangeAddNode: 'AddNewServer', ConfChangeAddLearnerNode: 'AddLearner', ConfChangeRemoveNode: 'RemoveServer'
}
const kinds = {
  MsgApp: 'AppendEntriesRequest', MsgHeartbeat: 'AppendEntriesRequest', MsgSnap: 'AppendEntriesRequest',
  MsgAppResp: 'AppendEntriesResponse', MsgHeartbeatResp: 'AppendEntriesResponse', MsgVote: 'RequestVoteRequest', MsgVoteResp: 'RequestVoteResponse'
} as const

export function traceEvent (raft: RaftState, name: TraceEventName, more: Pick<TraceEvent, 'msg' | 'prop'> = {}): void {
  if (raft.config.events === undefined) return
  const { id, term, vote, role, log, tracker: { voters } } = raft
  raft.config.events({
    name, nid: String(id), state: { term, vote: String(vote), commit: log.committed }, role: roles[role], log: log.lastIndex(),
    conf: [voters.incoming.map(String), voters.outgoing.map(String)], ...more
  })
}

export function traceMessage (raft: RaftState, direction: 'Send' | 'Receive', m: Message): void {
  if (raft.config.events === undefined || !(m.type in kinds)) return
  const { type, term, from, to, commit, vote, reject, rejectHint, snapshot } = m
  const place = snapshot === undefined
    ? { entries: m.entries.length, logTerm: m.logTerm, index: m.index }
    : { entries: snapshot.meta.index, logTerm: 0, index: 0 }
  traceEvent(raft, `${direction}${kinds[type as keyof typeof kinds]}`, {
    msg: { type, term, from: String(from), to: String(to), ...place, commit, vote: String(vote), reject, rejectHint }
  })
}

/** A membership change that was taken into the log. */
export function traceChange (raft: RaftState, { changes }: ConfChange): void {
  const told = changes.flatMap(({ type, nodeId }) => actions[type] === undefined ? [] : [{ nid: String(nodeId), action: actions[type] }])
  if (told.length > 0) traceEvent(raft, 'ChangeConf', { prop: { cc: { changes: told } } })
}

/** Told before it is in force. */
export function traceMembership (raft: RaftState, voters: readonly NodeId[]): void {
  traceEvent(raft, 'ApplyConfChange', { prop: { cc: { newconf: voters.map(String) } } })
}
