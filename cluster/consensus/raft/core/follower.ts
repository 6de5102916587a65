import { countVote, isPromotable, standForElection } from './election.ts'
import { send } from './outbox.ts'
import { takeAppend, takeHeartbeat, takeSnapshot } from './replica.ts'
import { becomeFollower } from './roles.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { none } from './types.ts'
import type { Message, StepResult } from './types.ts'

/** One tick of everyone but the leader: after long enough a silence it stands for election. */
export function tickFollower (raft: RaftState): void {
  raft.electionElapsed++
  if (raft.electionElapsed < raft.randomizedElectionTicks || !isPromotable(raft)) return
  raft.electionElapsed = 0
  standForElection(raft, raft.config.preVote ? 'pre-election' : 'election', 'timeout')
}

export function stepFollower (raft: RaftState, m: Message): StepResult {
  switch (m.type) {
    case 'MsgProp': return forwardProposal(raft, m)
    case 'MsgReadIndex':
    case 'MsgTransferLeader': return forward(raft, m)
    case 'MsgApp': follow(raft, m); takeAppend(raft, m); break
    case 'MsgHeartbeat': follow(raft, m); takeHeartbeat(raft, m); break
    case 'MsgSnap': follow(raft, m); takeSnapshot(raft, m); break
    case 'MsgForgetLeader': forgetLeader(raft); break
    case 'MsgTimeoutNow':
      raft.trace?.('info', 'told to take over', [hex(raft.id), raft.term, hex(m.from)])
      // Without a pre-vote: the leader is not lost, it asks for this.
      standForElection(raft, 'transfer', 'transfer')
      break
    case 'MsgReadIndexResp':
      raft.readStates.push({ index: m.index, context: m.context })
      break
    default:
  }
  return 'accepted'
}

/** For candidates and pre-candidates. An answer to the other kind of candidacy is a late one and says nothing. */
export function stepCandidate (raft: RaftState, m: Message): StepResult {
  switch (m.type) {
    case 'MsgProp':
      raft.trace?.('info', 'no leader to propose to', [hex(raft.id), raft.term])
      return 'dropped'
    case 'MsgApp': becomeFollower(raft, m.term, m.from); takeAppend(raft, m); break
    case 'MsgHeartbeat': becomeFollower(raft, m.term, m.from); takeHeartbeat(raft, m); break
    case 'MsgSnap': becomeFollower(raft, m.term, m.from); takeSnapshot(raft, m); break
    case 'MsgPreVoteResp': if (raft.role === 'pre-candidate') countVote(raft, m); break
    case 'MsgVoteResp': if (raft.role === 'candidate') countVote(raft, m); break
    case 'MsgTimeoutNow':
      raft.trace?.('debug', 'stands for election already', [hex(raft.id), raft.term, hex(m.from)])
      break
    default:
  }
  return 'accepted'
}

function follow (raft: RaftState, m: Message): void {
  raft.electionElapsed = 0
  raft.lead = m.from
}

function forwardProposal (raft: RaftState, m: Message): StepResult {
  if (raft.lead === none) {
    raft.trace?.('info', 'no leader to propose to', [hex(raft.id), raft.term])
    return 'dropped'
  }
  if (raft.config.disableProposalForwarding) {
    raft.trace?.('info', 'proposals are not passed on', [hex(raft.id), hex(raft.lead), raft.term])
    return 'dropped'
  }
  return forward(raft, m)
}

function forward (raft: RaftState, m: Message): StepResult {
  if (raft.lead === none) {
    raft.trace?.('info', 'no leader to ask', [hex(raft.id), raft.term])
    return m.type === 'MsgReadIndex' ? 'dropped' : 'accepted'
  }
  const { type, from, entries, context } = m
  if (type !== 'MsgTransferLeader' && isForwarded(raft, m)) {
    raft.trace?.('info', 'passed on once already', [hex(raft.id), hex(from)])
    return 'dropped'
  }
  send(raft, type, { to: raft.lead, from: from === none ? raft.id : from, entries, context })
  return 'accepted'
}

/** One hop: peers that each take another for the leader must not pass a request round. Its sender tries again. */
function isForwarded ({ id, config }: RaftState, { from }: Message): boolean {
  return from !== none && from !== id && !config.asEtcd
}

/** So that this peer may vote, or be asked to, without waiting for the silence to be long enough. */
function forgetLeader (raft: RaftState): void {
  if (raft.config.readOnly === 'lease') {
    // Others' leases rest on this peer remembering whom it follows.
    raft.trace?.('error', 'a leased leader is not forgotten', [])
    return
  }
  if (raft.lead === none) return
  raft.trace?.('info', 'leader forgotten', [hex(raft.id), hex(raft.lead), raft.term])
  raft.lead = none
}
