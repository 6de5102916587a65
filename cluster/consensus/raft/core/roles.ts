import { assert } from './assert.ts'
import { emptyData } from './entries.ts'
import { appendEntries } from './append.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { traceEvent } from './trace-event.ts'
import { none } from './types.ts'
import type { NodeId, Term } from './types.ts'

export function becomeFollower (raft: RaftState, term: Term, lead: NodeId): void {
  const isNews = raft.role !== 'follower' || raft.term !== term
  reset(raft, term)
  raft.role = 'follower'
  raft.lead = lead
  raft.trace?.('info', 'became follower', [hex(raft.id), raft.term])
  if (isNews) traceEvent(raft, 'BecomeFollower')
}

/** A new term, and our own vote in it: durable before it counts. */
export function becomeCandidate (raft: RaftState): void {
  assert(raft.role !== 'leader', 'a leader does not stand for election')
  reset(raft, raft.term + 1)
  raft.role = 'candidate'
  raft.vote = raft.id
  raft.trace?.('info', 'became candidate', [hex(raft.id), raft.term])
  traceEvent(raft, 'BecomeCandidate')
}

/** Asks only whether it could win: term, vote and timeout stay as they are. */
export function becomePreCandidate (raft: RaftState): void {
  assert(raft.role !== 'leader', 'a leader does not stand for election')
  raft.tracker.resetVotes()
  raft.role = 'pre-candidate'
  raft.lead = none
  raft.trace?.('info', 'became pre-candidate', [hex(raft.id), raft.term])
}

/** Starts with an entry of its own term: only that can commit what its predecessors left. */
export function becomeLeader (raft: RaftState): void {
  assert(raft.role === 'candidate', 'only a candidate is elected')
  assert(raft.vote === raft.id, 'a leader voted for itself', raft.vote)
  reset(raft, raft.term)
  raft.role = 'leader'
  raft.lead = raft.id
  raft.elections.won++

  const own = raft.tracker.get(raft.id)
  assert(own !== undefined, 'a leader is a member', raft.id)
  own.becomeReplicate()
  own.recentActive = true

  // There may be a membership change anywhere in what is not applied; nobody looks, the next one waits for all of it.
  raft.pendingConfIndex = raft.log.lastIndex()
  traceEvent(raft, 'BecomeLeader')
  const accepted = appendEntries(raft, [{ type: 'EntryNormal', data: emptyData }])
  assert(accepted, 'an empty entry always fits')
  raft.trace?.('info', 'became leader', [hex(raft.id), raft.term])
}

export function chooseElectionTimeout (raft: RaftState): void {
  const { electionTicks, priority, random } = raft.config
  const extra = random.below(electionTicks)
  assert(extra >= 0 && extra < electionTicks, 'chance stays within its range', extra)
  raft.randomizedElectionTicks = electionTicks * (1 + priority) + extra
}

function reset (raft: RaftState, term: Term): void {
  // But in a script, which can hand a candidate a snapshot without a term.
  assert(term >= raft.term || raft.config.asEtcd, 'terms never fall', term, raft.term)
  if (raft.term !== term) {
    raft.term = term
    raft.vote = none
  }
  raft.lead = none
  raft.leadTransferee = none
  raft.electionElapsed = 0
  raft.heartbeatElapsed = 0
  chooseElectionTimeout(raft)

  raft.tracker.resetVotes()
  const last = raft.log.lastIndex()
  for (const progress of raft.tracker.members) progress.restart(progress.id === raft.id ? last : 0, last + 1)
  raft.pendingConfIndex = 0
  raft.uncommittedBytes = 0
  raft.reads.reset()
}
