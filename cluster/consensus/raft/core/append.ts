import { assert } from './assert.ts'
import { payloadBytes } from './entries.ts'
import { indexMax } from './limits.ts'
import { send } from './outbox.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { traceEvent } from './trace-event.ts'
import type { Entry, EntryInput } from './types.ts'

/**
 * Puts entries in the leader's own log. Its own copy counts like any other: once it is durable, by the answer to
 * itself that is queued here. False, and nothing done, if too much is uncommitted already.
 */
export function appendEntries (raft: RaftState, inputs: readonly EntryInput[]): boolean {
  assert(raft.role === 'leader', 'only a leader adds entries')
  const last = raft.log.lastIndex()
  assert(last + inputs.length <= indexMax, 'indexes stay exact', last)
  if (!reserve(raft, payloadBytes(inputs))) {
    raft.trace?.('warn', 'too much is uncommitted', [hex(raft.id)])
    return false
  }

  const { term } = raft
  for (const { type } of inputs) if (type === 'EntryNormal') traceEvent(raft, 'Replicate')
  raft.log.append(inputs.map(({ type, data }, at): Entry => ({ term, index: last + 1 + at, type, data })))
  send(raft, 'MsgAppResp', { to: raft.id, index: raft.log.lastIndex() })
  return true
}

export function release (raft: RaftState, bytes: number): void {
  // Never below zero: what an earlier leadership left was not counted.
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - bytes)
}

/** One proposal of any size fits when nothing is uncommitted, and an empty one always. */
function reserve (raft: RaftState, bytes: number): boolean {
  const after = raft.uncommittedBytes + bytes
  if (raft.uncommittedBytes > 0 && bytes > 0 && after > raft.config.limits.uncommittedBytesMax) return false
  raft.uncommittedBytes = after
  return true
}
