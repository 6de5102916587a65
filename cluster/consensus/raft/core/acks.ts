import { assert } from './assert.ts'
import { describeProgress } from './describe.ts'
import type { Progress } from './progress.ts'
import { releaseParkedReads } from './read-index.ts'
import { advanceCommit, broadcastAppend, sendAppend } from './replication.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { sendTimeoutNow } from './transfer.ts'
import type { Message } from './types.ts'

/** A peer, or this one's own storage, holds everything up to `m.index`. */
export function acknowledged (raft: RaftState, peer: Progress, m: Message): void {
  const isSelf = peer.id === raft.id
  if (m.index > raft.log.lastIndex()) {
    // Nobody holds more than its leader: not one of ours, or not what it was.
    raft.trace?.('error', 'acknowledged more than there is', [hex(raft.id), hex(m.from), m.index])
    return
  }
  const isNews = peer.acknowledged(m.index)
  if (!isNews && !(peer.match === m.index && peer.state === 'probe')) return
  assert(peer.match >= m.index, 'what matches never falls', peer.match, m.index)
  resumeFlow(raft, peer, m)

  if (advanceCommit(raft)) {
    releaseParkedReads(raft)
    broadcastAppend(raft)
  } else if (!isSelf && peer.canBumpCommit(raft.log.committed)) {
    // The next heartbeat would say it too, but later.
    sendAppend(raft, peer, true)
  }
  if (isSelf) return
  // The window may have opened by more than one message.
  while (sendAppend(raft, peer, false)) continue
  if (peer.id === raft.leadTransferee && peer.match === raft.log.lastIndex()) {
    raft.trace?.('info', 'transfer target caught up', [hex(raft.id), hex(m.from)])
    sendTimeoutNow(raft, peer.id)
  }
}

/** The peer's log does not agree with ours after `m.index`. Probes next where both terms allow agreement, at most once a term. */
export function refused (raft: RaftState, peer: Progress, m: Message): void {
  raft.trace?.('debug', 'append refused', [hex(raft.id), m.rejectHint, m.logTerm, hex(m.from), m.index])
  assert(peer.id !== raft.id, 'a leader agrees with itself')
  const hint = m.logTerm > 0 ? raft.log.findConflictByTerm(m.rejectHint, m.logTerm).index : m.rejectHint
  if (!peer.refused(m.index, hint)) return

  raft.trace?.('debug', 'probes further back', [hex(raft.id), hex(m.from), describeProgress(peer)])
  if (peer.state === 'replicate') peer.becomeProbe()
  sendAppend(raft, peer, true)
}

function resumeFlow (raft: RaftState, peer: Progress, m: Message): void {
  if (peer.state === 'replicate') return peer.inflights.freeUpTo(m.index)
  if (peer.state === 'probe') return peer.becomeReplicate()
  // Whatever snapshot it installed, from whomever: what counts is that our log continues it.
  if (peer.match + 1 < raft.log.firstIndex()) return
  raft.trace?.('debug', 'no snapshot needed any more', [hex(raft.id), hex(m.from), describeProgress(peer)])
  peer.becomeProbe()
  peer.becomeReplicate()
}
