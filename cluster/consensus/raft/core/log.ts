import { assert } from './assert.ts'
import { entriesBytes, entryBytes } from './entries.ts'
import { indexMax } from './limits.ts'
import { noEntries } from './message.ts'
import { Unstable } from './unstable.ts'
import type { Entry, Index, LogReader, Snapshot, Term, Trace } from './types.ts'

export interface EntryId {
  readonly term: Term
  readonly index: Index
}

/** The log as one: what storage holds, and after it what it does not hold yet. And how far it is committed and applied. */
export class RaftLog {
  readonly #reader: LogReader
  readonly #trace: Trace | undefined
  readonly #applyingBytesMax: number
  readonly unstable: Unstable
  #committed: Index
  /** Handed out to be applied: applied ≤ applying ≤ committed. */
  #applying: Index
  #applied: Index
  #applyingBytes = 0
  #applyingPaused = false
  /** Storage is still reading entries to be applied. */
  #fetching = false

  constructor (reader: LogReader, applyingBytesMax: number, trace: Trace | undefined) {
    const first = reader.firstIndex()
    const last = reader.lastIndex()
    assert(first >= 1 && last >= first - 1, 'storage holds a range of indexes', first, last)
    assert(last < indexMax, 'indexes stay exact', last)
    this.#reader = reader
    this.#trace = trace
    this.#applyingBytesMax = applyingBytesMax
    this.unstable = new Unstable(last + 1, trace)
    this.#committed = first - 1
    this.#applying = first - 1
    this.#applied = first - 1
  }

  get committed (): Index { return this.#committed }
  get applying (): Index { return this.#applying }
  get applied (): Index { return this.#applied }

  firstIndex (): Index {
    const { snapshot } = this.unstable
    return snapshot !== undefined ? snapshot.meta.index + 1 : this.#reader.firstIndex()
  }

  lastIndex (): Index {
    return this.unstable.lastIndex() ?? this.#reader.lastIndex()
  }

  lastId (): EntryId {
    const index = this.lastIndex()
    const term = this.term(index)
    assert(term !== undefined, 'the term of the last entry is known', index)
    return { term, index }
  }

  /** Undefined outside of [firstIndex − 1, lastIndex]. */
  term (index: Index): Term | undefined {
    const held = this.unstable.term(index)
    if (held !== undefined) return held
    if (index + 1 < this.firstIndex() || index > this.lastIndex()) return undefined
    const term = this.#reader.term(index)
    return typeof term === 'number' ? term : undefined
  }

  matches (index: Index, term: Term): boolean {
    return this.term(index) === term
  }

  /** Whether a log ending like this holds at least what ours does, by the rule that elections go by. */
  isUpToDate (their: EntryId): boolean {
    const our = this.lastId()
    return their.term > our.term || (their.term === our.term && their.index >= our.index)
  }

  /**
   * Takes over a leader's entries after (`prevIndex`, `prevTerm`) and as much of its commit index as they prove.
   * Undefined if our log does not agree there; else the index of the last entry known to be the leader's.
   */
  tryAppend (prevIndex: Index, prevTerm: Term, entries: readonly Entry[], committed: Index): Index | undefined {
    if (!this.matches(prevIndex, prevTerm)) return undefined

    const lastNew = prevIndex + entries.length
    const at = this.#firstNew(entries)
    if (at < entries.length) {
      assert(entries[at]!.index > this.#committed, 'no committed entry is replaced', entries[at]!.index, this.#committed)
      this.append(entries, at)
    }
    // Not further: what follows in our log may be another leader's and go away.
    this.commitTo(Math.min(committed, lastNew))
    return lastNew
  }

  append (entries: readonly Entry[], from = 0): void {
    if (from === entries.length) return
    const first = entries[from]!.index
    assert(first > this.#committed, 'no committed entry is replaced', first, this.#committed)
    assert(first <= this.lastIndex() + 1, 'the log has no gap', first, this.lastIndex())
    this.unstable.truncateAndAppend(entries, from)
  }

  /**
   * The last index at or before `index` whose term is at most `term`, or unknown (then 0). With one entry of the other
   * log known, everything after it can be skipped as disagreeing.
   */
  findConflictByTerm (index: Index, term: Term): EntryId {
    for (let at = index; at > 0; at--) {
      const ours = this.term(at)
      if (ours === undefined) return { index: at, term: 0 }
      if (ours <= term) return { index: at, term: ours }
    }
    return { index: 0, term: 0 }
  }

  commitTo (index: Index): void {
    if (index <= this.#committed) return
    assert(index <= this.lastIndex(), 'what is committed was not lost here', index, this.lastIndex())
    this.#committed = index
  }

  /** For a leader: only an entry of its own term is committed by counting. */
  tryCommit (index: Index, term: Term): boolean {
    assert(term > 0, 'a leader has a term')
    if (index <= this.#committed || !this.matches(index, term)) return false
    this.commitTo(index)
    return true
  }

  /** At start: what was known to be committed. */
  loadCommit (index: Index): void {
    assert(index >= this.#committed && index <= this.lastIndex(), 'the stored commit index lies within the log', index, this.#committed, this.lastIndex())
    this.#committed = index
  }

  restore (snapshot: Snapshot): void {
    const { index, term } = snapshot.meta
    assert(index > this.#committed, 'a snapshot never takes back what is committed', index, this.#committed)
    this.#trace?.('info', 'log replaced by snapshot', [
      this.#committed, this.#applied, this.#applying, this.unstable.offset, this.unstable.offsetInProgress, this.unstable.length,
      index, term
    ])
    this.#committed = index
    this.unstable.restore(snapshot)
  }

  snapshot (): Snapshot | 'pending' {
    return this.unstable.snapshot ?? this.#reader.snapshot()
  }

  /**
   * Storage says it holds everything up to `index`: from now on it is asked for it. Where terms may fall, as in scripts that
   * expect etcd's ways, two writes can be of one term and yet of two leaders; `isTrusted` leaves the answer unproven, as etcd does.
   */
  stableTo (index: Index, term: Term, isTrusted = false): void {
    if (!this.unstable.stableTo(index, term) || isTrusted) return
    const held = this.#reader.term(index)
    assert(held === term || held === 'compacted', 'storage holds what it said it holds', index, term)
    assert(this.#reader.lastIndex() >= index, 'storage holds what it said it holds', index, this.#reader.lastIndex())
  }

  /** From `index` to the end, cut to `maxBytes`. */
  entries (index: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'pending' {
    const last = this.lastIndex()
    return index > last ? noEntries : this.slice(index, last + 1, maxBytes)
  }

  slice (lo: Index, hi: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'pending' {
    assert(lo <= hi && hi <= this.lastIndex() + 1, 'the range is in the log', lo, hi, this.lastIndex())
    if (lo < this.firstIndex()) return 'compacted'
    if (lo === hi) return noEntries
    const { offset } = this.unstable
    if (lo >= offset) return this.unstable.slice(lo, hi, maxBytes)

    const cut = Math.min(hi, offset)
    const stable = this.#reader.entries(lo, cut, maxBytes)
    if (typeof stable === 'string') return stable
    assert(stable.length > 0 && stable[0]!.index === lo, 'storage answers what it was asked', lo, stable.length)
    // Shorter than asked for: the limit was met.
    if (hi <= offset || stable.length < cut - lo) return stable

    const room = maxBytes - entriesBytes(stable)
    if (room <= 0 || entryBytes(this.unstable.at(offset)) > room) return stable
    return stable.concat(this.unstable.slice(offset, hi, room))
  }

  /** To be applied next. Without `allowUnstable` only what storage holds. Empty while there is a snapshot to apply. */
  nextCommitted (allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(allowUnstable)) return noEntries
    const room = this.#applyingBytesMax - this.#applyingBytes
    assert(room > 0, 'applying is paused before its bound is passed', room)

    const entries = this.slice(this.#applying + 1, this.#appliable(allowUnstable) + 1, room)
    assert(entries !== 'compacted', 'what is not applied is not compacted', this.#applying)
    if (entries !== 'pending') return entries
    this.#fetching = true
    return noEntries
  }

  hasNextCommitted (allowUnstable: boolean): boolean {
    if (this.#applyingPaused || this.#fetching || this.unstable.snapshot !== undefined) return false
    return this.#applying < this.#appliable(allowUnstable)
  }

  entriesFetched (): void {
    this.#fetching = false
  }

  acceptApplying (index: Index, bytes: number, allowUnstable: boolean): void {
    assert(index <= this.#committed, 'only what is committed is applied', index, this.#committed)
    assert(index >= this.#applying, 'nothing is applied twice', index, this.#applying)
    this.#applying = index
    this.#applyingBytes += bytes
    // Or the next entry would pass the bound: it was left out although it could have been taken.
    this.#applyingPaused = this.#applyingBytes >= this.#applyingBytesMax || index < this.#appliable(allowUnstable)
  }

  appliedTo (index: Index, bytes: number): void {
    assert(index <= this.#committed, 'only what is committed is applied', index, this.#committed)
    assert(index >= this.#applied, 'nothing is applied twice', index, this.#applied)
    this.#applied = index
    this.#applying = Math.max(this.#applying, index)
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes)
    this.#applyingPaused = this.#applyingBytes >= this.#applyingBytesMax
  }

  #appliable (allowUnstable: boolean): Index {
    return allowUnstable ? this.#committed : Math.min(this.#committed, this.unstable.offset - 1)
  }

  /** How many of the entries we hold already; they need no appending. */
  #firstNew (entries: readonly Entry[]): number {
    for (let at = 0; at < entries.length; at++) {
      const { index, term } = entries[at]!
      const held = this.term(index)
      if (held === term) continue
      if (index <= this.lastIndex()) this.#trace?.('info', 'conflicting entry', [index, held ?? 0, term])
      return at
    }
    return entries.length
  }
}
