import { assert } from './assert.ts'
import { send } from './outbox.ts'
import type { Progress } from './progress.ts'
import { sendAppend } from './replication.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { none } from './types.ts'
import type { NodeId } from './types.ts'

/** Hands leadership to `peer`: as soon as it holds everything it is told to stand. It has one election timeout for it. */
export function transferTo (raft: RaftState, peer: Progress): void {
  const { id, term, trace } = raft
  const running = raft.leadTransferee
  if (peer.isLearner) return trace?.('debug', 'no transfer to a learner', [hex(id)])
  if (running === peer.id) return trace?.('info', 'transfer runs already', [hex(id), term, hex(peer.id), hex(peer.id)])
  if (running !== none) {
    raft.leadTransferee = none
    trace?.('info', 'transfer replaced', [hex(id), term, hex(running)])
  }
  if (peer.id === id) return trace?.('debug', 'no transfer to oneself', [hex(id)])

  trace?.('info', 'transfer starts', [hex(id), term, hex(peer.id)])
  raft.electionElapsed = 0
  raft.leadTransferee = peer.id
  if (peer.match === raft.log.lastIndex()) {
    sendTimeoutNow(raft, peer.id)
    trace?.('info', 'transfer target is up to date', [hex(id), hex(peer.id), hex(peer.id)])
  } else {
    sendAppend(raft, peer, true)
  }
}

export function sendTimeoutNow (raft: RaftState, to: NodeId): void {
  assert(raft.role === 'leader', 'only a leader hands over')
  assert(to !== raft.id, 'nobody hands over to itself', to)
  raft.reads.endLease()
  send(raft, 'MsgTimeoutNow', { to })
}
