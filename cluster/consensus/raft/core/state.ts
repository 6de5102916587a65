import { assert } from './assert.ts'
import { restoreMembership } from './conf-state.ts'
import { defaultLimits, nodeIdMax, priorityMax, termMax } from './limits.ts'
import type { RaftLimits } from './limits.ts'
import { RaftLog } from './log.ts'
import { ReadQueue } from './read-queue.ts'
import { Tracker } from './tracker.ts'
import { appendThread, applyThread, none } from './types.ts'
import type { ElectionCounts, HardState, Index, Message, NodeId, RaftCoreConfig, ReadState, Role, Term, Trace } from './types.ts'

/**
 * Everything a peer knows. Only `RaftCore` holds one; the files of each role are functions over it. Answers that
 * promise something durable (acknowledgements, votes) wait in `messagesAfterAppend`; the rest leave at once.
 */
export interface RaftState {
  readonly id: NodeId
  readonly config: ResolvedConfig
  readonly log: RaftLog
  readonly tracker: Tracker
  readonly reads: ReadQueue
  readonly trace: Trace | undefined
  term: Term
  vote: NodeId
  lead: NodeId
  role: Role
  isLearner: boolean
  leadTransferee: NodeId
  /** No membership change is proposed before everything up to here is applied. */
  pendingConfIndex: Index
  /** Payload in the leader's log that is not applied yet; an estimate that is never too high. */
  uncommittedBytes: number
  ticks: number
  electionElapsed: number
  heartbeatElapsed: number
  randomizedElectionTicks: number
  readonly elections: { -readonly [cause in keyof ElectionCounts]: number }
  leaderChanges: number
  messages: Message[]
  messagesAfterAppend: Message[]
  readStates: ReadState[]
}

export interface ResolvedConfig {
  readonly limits: RaftLimits
  readonly random: RaftCoreConfig['random']
  readonly electionTicks: number
  readonly heartbeatTicks: number
  readonly priority: number
  readonly asyncStorageWrites: boolean
  readonly preVote: boolean
  readonly checkQuorum: boolean
  readonly readOnly: 'safe' | 'lease'
  readonly disableProposalForwarding: boolean
  readonly disableConfChangeValidation: boolean
  readonly stepDownOnRemoval: boolean
  readonly asEtcd: boolean
  readonly events: RaftCoreConfig['events']
}

/** The state as storage has it; the caller makes it a follower. */
export function createState (config: RaftCoreConfig): RaftState {
  const resolved = resolve(config)
  const log = new RaftLog(config.log, resolved.limits.applyingBytesMax, config.trace)
  const { hard, conf } = config.log.initialState()

  const state: RaftState = {
    id: config.id,
    config: resolved,
    log,
    tracker: new Tracker(),
    reads: new ReadQueue(resolved.limits.pendingReadsMax),
    trace: config.trace,
    term: 0,
    vote: none,
    lead: none,
    role: 'follower',
    isLearner: false,
    leadTransferee: none,
    pendingConfIndex: 0,
    uncommittedBytes: 0,
    ticks: 0,
    electionElapsed: 0,
    heartbeatElapsed: 0,
    randomizedElectionTicks: resolved.electionTicks,
    elections: { timeout: 0, asked: 0, transfer: 0, won: 0 },
    leaderChanges: 0,
    messages: [],
    messagesAfterAppend: [],
    readStates: []
  }
  const { membership, progress } = restoreMembership({ lastIndex: log.lastIndex(), limits: resolved.limits }, conf)
  state.tracker.use(membership, progress)
  state.isLearner = progress.get(config.id)?.isLearner ?? false
  load(state, hard)
  if ((config.applied ?? 0) > 0) log.appliedTo(config.applied!, 0)
  return state
}

export function hardState ({ term, vote, log }: RaftState): HardState {
  return { term, vote, commit: log.committed }
}

/** Identities in traces, as in all text about them. The storage lanes are etcd's last two numbers of 64 bits. */
export function hex (id: NodeId): string {
  if (id === appendThread) return 'ffffffffffffffff'
  return id === applyThread ? 'fffffffffffffffe' : id.toString(16)
}

function load (state: RaftState, { term, vote, commit }: HardState): void {
  if (term === 0 && vote === none && commit === 0) return
  assert(term <= termMax && vote <= nodeIdMax, 'the stored term and vote are in range', term, vote)
  state.log.loadCommit(commit)
  state.term = term
  state.vote = vote
}

function resolve (config: RaftCoreConfig): ResolvedConfig {
  const limits = { ...defaultLimits, ...config.limits }
  if (limits.applyingBytesMax === 0) limits.applyingBytesMax = Math.max(1, limits.messageBytesMax)
  assert(Number.isSafeInteger(config.id) && config.id > none && config.id <= nodeIdMax, 'a peer id has 1 to 48 bits', config.id)
  assert(config.heartbeatTicks > 0, 'heartbeats take at least a tick', config.heartbeatTicks)
  assert(config.electionTicks > config.heartbeatTicks, 'an election waits longer than a heartbeat', config.electionTicks, config.heartbeatTicks)
  assert(limits.inflightBytesMax >= limits.messageBytesMax, 'the window holds one message', limits.inflightBytesMax, limits.messageBytesMax)
  const { priority = 0 } = config
  assert(Number.isInteger(priority) && priority >= 0 && priority <= priorityMax, 'a priority is within its bounds', priority)
  const checkQuorum = config.checkQuorum ?? true
  assert(config.readOnly !== 'lease' || checkQuorum, 'a lease needs the quorum to be checked')
  return {
    limits,
    random: config.random,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    priority,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    preVote: config.preVote ?? true,
    checkQuorum,
    readOnly: config.readOnly ?? 'safe',
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? true,
    asEtcd: config.asEtcd ?? false,
    events: config.events
  }
}
