import { assert } from './assert.ts'
import { message } from './message.ts'
import type { RaftState } from './state.ts'
import { traceMessage } from './trace-event.ts'
import type { Message, MessageType } from './types.ts'

/**
 * Queues a message. Acknowledgements and votes, refusals too, are held until everything they rest on is durable;
 * only they may be addressed to this peer itself, which is how it counts its own vote and its own copy.
 */
export function send (raft: RaftState, type: MessageType, fields: Partial<Message>): void {
  const isVoting = type === 'MsgVote' || type === 'MsgPreVote' || type === 'MsgVoteResp' || type === 'MsgPreVoteResp'
  // A forwarded request has no term: the leader it reaches may be a newer one.
  const isForwarded = type === 'MsgProp' || type === 'MsgReadIndex'
  assert(isVoting === (fields.term !== undefined), 'elections state their term, all else has the term it is sent in')
  assert((fields.to ?? 0) > 0, 'a message has somebody to go to')

  const m = message(type, fields, fields.from ?? raft.id, isVoting ? fields.term! : isForwarded ? 0 : raft.term)
  if (type === 'MsgAppResp' || type === 'MsgVoteResp' || type === 'MsgPreVoteResp') {
    raft.messagesAfterAppend.push(m)
  } else {
    assert(m.to !== raft.id, 'nothing else is sent to oneself')
    raft.messages.push(m)
  }
  traceMessage(raft, 'Send', m)
}
