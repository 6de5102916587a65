import { assert } from './assert.ts'
import { jointIds } from './joint.ts'
import { termMax } from './limits.ts'
import { send } from './outbox.ts'
import { broadcastAppend } from './replication.ts'
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { none } from './types.ts'
import type { ElectionCounts, Message } from './types.ts'

/** 'transfer': the leader asked us to, so that followers do not wait for it to fall silent. */
export type Campaign = 'pre-election' | 'election' | 'transfer'

/** Stands for election, unless this peer cannot or must not win now. */
export function standForElection (raft: RaftState, campaign: Campaign, cause: Exclude<keyof ElectionCounts, 'won'>): void {
  const { id, term, trace } = raft
  if (raft.role === 'leader') return trace?.('debug', 'leads already', [hex(id)])
  if (!isPromotable(raft)) return trace?.('warn', 'cannot be elected', [hex(id)])
  if (term >= termMax) return trace?.('error', 'terms are used up', [hex(id)])
  // Its voters may not be those that decide.
  if (hasUnappliedConfChange(raft)) return trace?.('warn', 'membership change to be applied first', [hex(id), term])

  trace?.('info', 'stands for election', [hex(id), term])
  raft.elections[cause]++
  askForVotes(raft, campaign)
}

export function isPromotable ({ id, tracker, log }: RaftState): boolean {
  const own = tracker.get(id)
  return own !== undefined && !own.isLearner && log.unstable.snapshot === undefined
}

/** Takes an answer to our (pre-)candidacy. */
export function countVote (raft: RaftState, m: Message): void {
  const { tracker, trace } = raft
  trace?.('info', m.reject ? 'vote refused' : 'vote received', [hex(raft.id), hex(m.from), raft.term])
  if (m.reject && m.commit > raft.log.committed && raft.log.matches(m.commit, m.logTerm)) {
    // What is committed now may change who decides, and whether we may stand: not with votes counted before.
    raft.log.commitTo(m.commit)
    return becomeFollower(raft, raft.term, none)
  }
  tracker.recordVote(m.from, !m.reject)
  const { granted, rejected, result } = tracker.tally()
  assert(granted + rejected <= tracker.members.length, 'nobody votes twice', granted, rejected)
  trace?.('info', 'votes so far', [hex(raft.id), granted, rejected])

  if (result === 'lost') return becomeFollower(raft, raft.term, none)
  if (result === 'pending') return
  if (raft.role === 'pre-candidate') return askForVotes(raft, 'election')
  becomeLeader(raft)
  broadcastAppend(raft)
}

/**
 * Answers MsgVote and MsgPreVote. Learners vote too: one may have been promoted without knowing it yet, and its vote
 * may be needed.
 */
export function answerVote (raft: RaftState, m: Message): void {
  const { log } = raft
  const isPreVote = m.type === 'MsgPreVote'
  const mayVote = raft.vote === m.from ||
    (raft.vote === none && raft.lead === none) ||
    (isPreVote && m.term > raft.term)
  const granted = mayVote && log.isUpToDate({ term: m.logTerm, index: m.index })
  const last = log.lastId()
  raft.trace?.('info', granted ? 'vote granted' : 'vote denied', [
    hex(raft.id), last.term, last.index, hex(raft.vote), hex(m.from), m.logTerm, m.index, raft.term
  ])
  const type = isPreVote ? 'MsgPreVoteResp' : 'MsgVoteResp'
  if (!granted) return refuseVote(raft, m, type)

  // The term asked about: for a pre-vote it is beyond ours, and the asker ignores answers of past terms.
  send(raft, type, { to: m.from, term: m.term })
  if (isPreVote) return
  assert(raft.vote === none || raft.vote === m.from, 'one vote a term', raft.vote, m.from)
  assert(m.term === raft.term, 'a vote is given in the current term', m.term, raft.term)
  raft.electionElapsed = 0
  raft.vote = m.from
}

/**
 * Whoever is no voter any more and refuses says what it knows to be committed: its removal is, and the asker, that has
 * the entry and does not know it, would need this vote for ever. A leader that removes itself may be that one.
 */
function refuseVote (raft: RaftState, { from, term: askedTerm, type: asked }: Message, type: 'MsgVoteResp' | 'MsgPreVoteResp'): void {
  const { log, term } = raft
  const logTerm = raft.config.asEtcd || raft.tracker.isVoter(raft.id) || log.committed === 0 ? undefined : log.term(log.committed)
  if (logTerm === undefined) return send(raft, type, { to: from, term, reject: true })
  // In the asker's own term, or it would be ignored: a pre-vote asks about the one after it.
  const heard = Math.max(term, asked === 'MsgPreVote' ? askedTerm - 1 : askedTerm)
  send(raft, type, { to: from, term: heard, reject: true, commit: log.committed, logTerm })
}

function askForVotes (raft: RaftState, campaign: Campaign): void {
  const isPreVote = campaign === 'pre-election'
  if (isPreVote) becomePreCandidate(raft)
  else becomeCandidate(raft)
  const term = isPreVote ? raft.term + 1 : raft.term
  const last = raft.log.lastId()

  for (const id of jointIds(raft.tracker.voters)) {
    if (id === raft.id) {
      send(raft, isPreVote ? 'MsgPreVoteResp' : 'MsgVoteResp', { to: id, term })
      continue
    }
    raft.trace?.('info', 'vote asked for', [hex(raft.id), last.term, last.index, hex(id), raft.term])
    send(raft, isPreVote ? 'MsgPreVote' : 'MsgVote', {
      to: id, term, index: last.index, logTerm: last.term, context: campaign === 'transfer' ? 1 : 0
    })
  }
}

/** Reads the committed tail page by page. What storage cannot show yet counts as holding a change. */
function hasUnappliedConfChange ({ log, config }: RaftState): boolean {
  let at = log.applied + 1
  while (at <= log.committed) {
    const page = log.slice(at, log.committed + 1, config.limits.applyingBytesMax)
    if (page === 'pending') return true
    assert(page !== 'compacted' && page.length > 0, 'what is not applied is in the log', at)
    if (page.some(entry => entry.type !== 'EntryNormal')) return true
    at += page.length
  }
  return false
}
