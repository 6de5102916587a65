import { assert } from './assert.ts'
import { appliedSnapshot, appliedTo } from './applied.ts'
import { answerVote, standForElection } from './election.ts'
import { entriesBytes, payloadBytes } from './entries.ts'
import { release } from './append.ts'
import { stepCandidate, stepFollower } from './follower.ts'
import { stepLeader } from './leader.ts'
import { send } from './outbox.ts'
import { becomeFollower } from './roles.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { traceMessage } from './trace-event.ts'
import { none } from './types.ts'
import type { Message, StepResult } from './types.ts'

/** Every message goes through here: first its term, then what any role does with it, then what this role does. */
export function step (raft: RaftState, m: Message): StepResult {
  traceMessage(raft, 'Receive', m)
  // Requests made here and forwarded ones have no term.
  if (m.term > raft.term && !meetNewerTerm(raft, m)) return 'accepted'
  if (m.term !== 0 && m.term < raft.term) {
    answerOlderTerm(raft, m)
    return 'accepted'
  }
  assert(m.term <= raft.term || m.type === 'MsgPreVote' || m.type === 'MsgPreVoteResp', 'the term has been met', m.term)

  switch (m.type) {
    case 'MsgHup': standForElection(raft, raft.config.preVote ? 'pre-election' : 'election', 'asked'); return 'accepted'
    case 'MsgVote':
    case 'MsgPreVote': answerVote(raft, m); return 'accepted'
    case 'MsgStorageAppendResp': storageAppended(raft, m); return 'accepted'
    case 'MsgStorageApplyResp': storageApplied(raft, m); return 'accepted'
    default: return stepRole(raft, m)
  }
}

function stepRole (raft: RaftState, m: Message): StepResult {
  if (raft.role === 'leader') return stepLeader(raft, m)
  return raft.role === 'follower' ? stepFollower(raft, m) : stepCandidate(raft, m)
}

/** False if the message is to be ignored. */
function meetNewerTerm (raft: RaftState, m: Message): boolean {
  const isRequest = m.type === 'MsgVote' || m.type === 'MsgPreVote'
  if (isRequest && m.context !== 1 && isLeaderFresh(raft)) {
    const last = raft.log.lastId()
    raft.trace?.('info', 'leader is alive, no vote', [
      hex(raft.id), last.term, last.index, hex(raft.vote), hex(m.from), m.logTerm, m.index, raft.term,
      raft.config.electionTicks - raft.electionElapsed
    ])
    return false
  }
  // A pre-vote asks about a term that nobody is in yet; a granted one repeats it.
  if (m.type === 'MsgPreVote' || (m.type === 'MsgPreVoteResp' && !m.reject)) return true

  raft.trace?.('info', 'newer term', [hex(raft.id), raft.term, hex(m.from), m.term])
  const isLeader = m.type === 'MsgApp' || m.type === 'MsgHeartbeat' || m.type === 'MsgSnap'
  becomeFollower(raft, m.term, isLeader ? m.from : none)
  return true
}

function isLeaderFresh ({ config, lead, electionElapsed }: RaftState): boolean {
  return config.checkQuorum && lead !== none && electionElapsed < config.electionTicks
}

function answerOlderTerm (raft: RaftState, m: Message): void {
  const { checkQuorum, preVote, asEtcd } = raft.config
  if ((checkQuorum || preVote || !asEtcd) && (m.type === 'MsgHeartbeat' || m.type === 'MsgApp')) {
    // A leader that fell behind would otherwise never learn our term: votes do not raise terms while leaders live, and who
    // goes by an older membership does not ask that leader for one.
    send(raft, 'MsgAppResp', { to: m.from, reject: !asEtcd })
  } else if (m.type === 'MsgPreVote') {
    // An answer, or two peers with pre-votes and unequal terms and logs could wait for each other for ever.
    const last = raft.log.lastId()
    raft.trace?.('info', 'vote denied', [
      hex(raft.id), last.term, last.index, hex(raft.vote), hex(m.from), m.logTerm, m.index, raft.term
    ])
    send(raft, 'MsgPreVoteResp', { to: m.from, term: raft.term, reject: true })
  } else if (m.type === 'MsgStorageAppendResp') {
    // Since that write began, another leader may have replaced the entries: a later write under way would undo what
    // this answer says is stable. A snapshot holds only what is committed, whatever the term.
    if (m.index !== 0) raft.trace?.('info', 'write of an older term', [hex(raft.id), raft.term, m.term])
    if (m.snapshot !== undefined) appliedSnapshot(raft, m.snapshot)
  } else {
    raft.trace?.('info', 'older term', [hex(raft.id), raft.term, hex(m.from), m.term])
  }
}

function storageAppended (raft: RaftState, m: Message): void {
  const { asEtcd } = raft.config
  assert(m.term === raft.term || asEtcd, 'only a write of this term says what is stable', m.term, raft.term)
  if (m.index !== 0) raft.log.stableTo(m.index, m.logTerm, asEtcd)
  if (m.snapshot !== undefined) appliedSnapshot(raft, m.snapshot)
}

function storageApplied (raft: RaftState, m: Message): void {
  const last = m.entries.at(-1)
  if (last === undefined) return
  appliedTo(raft, last.index, entriesBytes(m.entries))
  release(raft, payloadBytes(m.entries))
}
