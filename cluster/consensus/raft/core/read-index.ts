import { assert } from './assert.ts'
import { send } from './outbox.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { none } from './types.ts'
import type { Index, Message, NodeId, StepResult } from './types.ts'

/**
 * A linearizable read at the leader: the commit index as of now, once it is certain that nobody else led meanwhile.
 * The heartbeats that make it certain go out with the next Ready, once for all reads asked for until then.
 */
export function askRead (raft: RaftState, m: Message): StepResult {
  assert(raft.role === 'leader', 'only a leader knows the commit index')
  if (raft.reads.full) {
    raft.trace?.('warn', 'too many reads wait', [hex(raft.id)])
    return 'dropped'
  }
  if (committedInTerm(raft)) start(raft, m)
  else raft.reads.park(m)
  return 'accepted'
}

/** To be called when the leader's commit index has moved. */
export function releaseParkedReads (raft: RaftState): void {
  for (const m of raft.reads.takeParked()) {
    assert(committedInTerm(raft), 'the leader has committed an entry of its own')
    start(raft, m)
  }
}

/** `from`, which may be this peer itself, has taken part in a round of heartbeats. */
export function confirmReads (raft: RaftState, from: NodeId, round: number): void {
  for (const { request, index } of raft.reads.acknowledge(from, round, raft.tracker.voters)) {
    answer(raft, request, index)
  }
}

/** Until then entries of an earlier leader may be committed without this one knowing. */
function committedInTerm ({ log, term }: RaftState): boolean {
  return log.matches(log.committed, term)
}

function start (raft: RaftState, m: Message): void {
  const { readOnly, electionTicks } = raft.config
  const isAlone = raft.tracker.isSingleVoter && raft.tracker.isVoter(raft.id)
  const isLeased = readOnly === 'lease' && raft.leadTransferee === none && raft.ticks < raft.reads.leaseUntil(electionTicks)
  if (isAlone || isLeased) answer(raft, m, raft.log.committed)
  else raft.reads.add(m, raft.log.committed)
}

function answer (raft: RaftState, m: Message, index: Index): void {
  if (m.from === none || m.from === raft.id) raft.readStates.push({ index, context: m.context })
  else send(raft, 'MsgReadIndexResp', { to: m.from, index, context: m.context })
}
