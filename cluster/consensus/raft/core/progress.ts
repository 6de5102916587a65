import { assert } from './assert.ts'
import { Inflights } from './inflights.ts'
import type { Index, NodeId, ProgressState } from './types.ts'

/**
 * What the leader knows of one peer, and how it sends to it. Probing: one append at a time until it is known where
 * the logs agree. Replicating: appends follow each other without waiting, up to the window. Snapshot: nothing until
 * it has arrived.
 */
export class Progress {
  readonly id: NodeId
  isLearner: boolean
  /** Heard of since the last check of the quorum. */
  recentActive = false
  state: ProgressState = 'probe'
  /** The peer's log is known to agree up to here. */
  match: Index = 0
  /** The next entry to send; always beyond `match`. */
  next: Index
  /** While a snapshot travels: its index. */
  pendingSnapshot: Index = 0
  /** Nothing more is sent before an answer, or before a heartbeat's answer shows that the way is open. */
  paused = false
  readonly inflights: Inflights
  /** The highest commit index the peer has been told, as far as it could follow it. */
  #sentCommit: Index = 0

  constructor (id: NodeId, next: Index, isLearner: boolean, inflights: Inflights) {
    assert(next >= 1, 'the next entry is beyond what matches', next)
    this.id = id
    this.next = next
    this.isLearner = isLearner
    this.inflights = inflights
  }

  /** A copy for a membership that is tried out; the window stays shared, as it is the same peer's. */
  withSharedWindow (): Progress {
    const copy = new Progress(this.id, this.next, this.isLearner, this.inflights)
    copy.recentActive = this.recentActive
    copy.state = this.state
    copy.match = this.match
    copy.pendingSnapshot = this.pendingSnapshot
    copy.paused = this.paused
    copy.#sentCommit = this.#sentCommit
    return copy
  }

  /** As for a peer of which nothing is known, at the start of a leadership. */
  restart (match: Index, next: Index): void {
    assert(match < next, 'the next entry is beyond what matches', match, next)
    this.#enter('probe')
    this.recentActive = false
    this.match = match
    this.next = next
    this.#sentCommit = 0
  }

  isPaused (): boolean {
    return this.state === 'snapshot' || this.paused
  }

  becomeProbe (): void {
    const arrived = this.state === 'snapshot' ? this.pendingSnapshot : 0
    this.#enter('probe')
    this.next = Math.max(this.match, arrived) + 1
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1)
  }

  becomeReplicate (): void {
    this.#enter('replicate')
    this.next = this.match + 1
  }

  becomeSnapshot (index: Index): void {
    assert(index > 0, 'a snapshot covers something', index)
    this.#enter('snapshot')
    this.pendingSnapshot = index
    this.next = index + 1
    this.#sentCommit = index
  }

  sentEntries (count: number, bytes: number): void {
    assert(this.state !== 'snapshot', 'no appends while a snapshot travels')
    if (this.state === 'probe') {
      if (count > 0) this.paused = true
      return
    }
    if (count > 0) {
      this.next += count
      this.inflights.add(this.next - 1, bytes)
    }
    // Once the window is full, what was just sent is a probe: only a heartbeat's answer lets another one out.
    this.paused = this.inflights.full
  }

  sentCommit (commit: Index): void {
    this.#sentCommit = commit
  }

  /** Whether telling the commit index now can move the peer's own, given what it holds and has been told. */
  canBumpCommit (commit: Index): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1
  }

  /** The peer holds everything up to `index`. False if that is no news. */
  acknowledged (index: Index): boolean {
    assert(this.match < this.next, 'the next entry is beyond what matches', this.match, this.next)
    if (index <= this.match) return false
    this.match = index
    this.next = Math.max(this.next, index + 1)
    this.paused = false
    return true
  }

  /** The peer refused an append after `rejected`; its log may agree up to `hint`. False if the refusal is an old one. */
  refused (rejected: Index, hint: Index): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false
      this.next = this.match + 1
    } else {
      if (this.next - 1 !== rejected) return false
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1)
      this.paused = false
    }
    assert(this.match < this.next, 'the next entry is beyond what matches', this.match, this.next)
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1)
    return true
  }

  #enter (state: ProgressState): void {
    this.state = state
    this.paused = false
    this.pendingSnapshot = 0
    this.inflights.reset()
  }
}
