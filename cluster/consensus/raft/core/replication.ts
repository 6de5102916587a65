import { assert } from './assert.ts'
import { payloadBytes } from './entries.ts'
import { noEntries } from './message.ts'
import { send } from './outbox.ts'
import { describeProgress } from './describe.ts'
import type { Progress } from './progress.ts'
import { confirmReads } from './read-index.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { traceEvent } from './trace-event.ts'

/**
 * Sends a peer what it misses, if it may be sent anything now. An empty append carries the commit index and probes;
 * `evenIfEmpty` decides whether one is worth sending.
 */
export function sendAppend (raft: RaftState, peer: Progress, evenIfEmpty: boolean): boolean {
  assert(peer.id !== raft.id, 'a leader sends nothing to itself', peer.id)
  if (peer.isPaused()) return false
  const prev = peer.next - 1
  const prevTerm = raft.log.term(prev)
  if (prevTerm === undefined) return sendSnapshot(raft, peer)

  // With a full window only an empty append goes out: if everything in the window was lost, its answer frees it.
  const windowFull = peer.state === 'replicate' && peer.inflights.full
  const entries = windowFull ? noEntries : raft.log.entries(peer.next, raft.config.limits.messageBytesMax)
  if (entries === 'pending') return false
  if (entries === 'compacted') return evenIfEmpty && sendSnapshot(raft, peer)
  if (entries.length === 0 && !evenIfEmpty) return false
  assert(entries.length === 0 || entries[0]!.index === peer.next, 'entries follow what they are said to follow', prev)

  const commit = raft.log.committed
  send(raft, 'MsgApp', { to: peer.id, index: prev, logTerm: prevTerm, entries, commit })
  peer.sentEntries(entries.length, payloadBytes(entries))
  peer.sentCommit(commit)
  return true
}

export function broadcastAppend (raft: RaftState): void {
  for (const peer of raft.tracker.members) {
    if (peer.id !== raft.id) sendAppend(raft, peer, true)
  }
}

/** Sends what there is to send and could not be sent before; nothing to those who miss nothing. */
export function resumeAppends (raft: RaftState): void {
  for (const peer of raft.tracker.members) {
    if (peer.id !== raft.id) sendAppend(raft, peer, false)
  }
}

export function broadcastHeartbeat (raft: RaftState): void {
  const { reads, config } = raft
  const isRound = reads.waitsForRound || config.readOnly === 'lease'
  const context = isRound ? reads.startRound(raft.ticks, config.electionTicks) : 0
  for (const peer of raft.tracker.members) {
    if (peer.id === raft.id) continue
    // Never beyond what the peer is known to hold: it would take another leader's entries for committed.
    const commit = Math.min(peer.match, raft.log.committed)
    send(raft, 'MsgHeartbeat', { to: peer.id, commit, context })
    peer.sentCommit(commit)
  }
  if (context !== 0) confirmReads(raft, raft.id, context)
}

/** True if more is committed now than before. */
export function advanceCommit (raft: RaftState): boolean {
  assert(raft.role === 'leader', 'only a leader commits by counting')
  const isNews = raft.log.tryCommit(raft.tracker.committed(), raft.term)
  if (isNews) traceEvent(raft, 'Commit')
  return isNews
}

function sendSnapshot (raft: RaftState, peer: Progress): boolean {
  if (!peer.recentActive) {
    raft.trace?.('debug', 'no snapshot to a silent peer', [hex(peer.id)])
    return false
  }
  const snapshot = raft.log.snapshot()
  if (snapshot === 'pending') {
    raft.trace?.('debug', 'snapshot is being made', [hex(raft.id), hex(peer.id)])
    return false
  }
  const { index, term } = snapshot.meta
  assert(index > 0, 'a snapshot covers something', index)
  assert(index <= raft.log.committed, 'a snapshot holds only what is committed', index, raft.log.committed)
  raft.trace?.('debug', 'sent snapshot', [
    hex(raft.id), raft.log.firstIndex(), raft.log.committed, index, term, hex(peer.id), describeProgress(peer)
  ])
  peer.becomeSnapshot(index)
  raft.trace?.('debug', 'appends held back', [hex(raft.id), hex(peer.id), describeProgress(peer)])
  send(raft, 'MsgSnap', { to: peer.id, snapshot })
  return true
}
