import { assert } from './assert.ts'
import { countWithin } from './entries.ts'
import { noEntries } from './message.ts'
import type { Entry, Index, Snapshot, Term, Trace } from './types.ts'

/** What was given up from the front of the array before it is moved down: copying is paid for by what was released. */
const deadSlotsMin = 64

/**
 * The tail of the log, and a snapshot, that storage does not hold yet or is still writing. `offset` is the index of
 * the first entry here; it may lie within what storage holds, which the next write then replaces.
 */
export class Unstable {
  #entries: Entry[] = []
  /** Entries before it in the array are stable and gone. */
  #head = 0
  #offset: Index
  /** Entries before this index have been handed out to be written. */
  #offsetInProgress: Index
  #snapshot: Snapshot | undefined
  #snapshotInProgress = false
  readonly #trace: Trace | undefined

  constructor (offset: Index, trace: Trace | undefined) {
    assert(offset >= 1, 'the log starts at 1', offset)
    this.#offset = offset
    this.#offsetInProgress = offset
    this.#trace = trace
  }

  get offset (): Index { return this.#offset }
  get offsetInProgress (): Index { return this.#offsetInProgress }
  get length (): number { return this.#entries.length - this.#head }
  get snapshot (): Snapshot | undefined { return this.#snapshot }
  get nextSnapshot (): Snapshot | undefined { return this.#snapshotInProgress ? undefined : this.#snapshot }
  get hasNextEntries (): boolean { return this.#offsetInProgress < this.#offset + this.length }

  /** Undefined if nothing here says so. */
  lastIndex (): Index | undefined {
    return this.length > 0 ? this.#offset + this.length - 1 : this.#snapshot?.meta.index
  }

  term (index: Index): Term | undefined {
    if (index < this.#offset) return this.#snapshot?.meta.index === index ? this.#snapshot.meta.term : undefined
    return this.#entries[this.#head + index - this.#offset]?.term
  }

  nextEntries (): readonly Entry[] {
    return this.hasNextEntries ? this.slice(this.#offsetInProgress, this.#offset + this.length) : noEntries
  }

  /** Entries of [lo, hi), all of which must be here, cut to `maxBytes`. A copy: what is here may be cut off while the copy is in use. */
  slice (lo: Index, hi: Index, maxBytes = Infinity): readonly Entry[] {
    assert(lo <= hi, 'a range does not end before it starts', lo, hi)
    assert(lo >= this.#offset && hi <= this.#offset + this.length, 'the range is unstable', lo, hi)
    const start = this.#head + lo - this.#offset
    return this.#entries.slice(start, start + countWithin(this.#entries, start, start + hi - lo, maxBytes))
  }

  at (index: Index): Entry {
    const entry = this.#entries[this.#head + index - this.#offset]
    assert(index >= this.#offset && entry !== undefined, 'the entry is unstable', index)
    return entry
  }

  /** Everything here has been handed out to be written. */
  acceptInProgress (): void {
    this.#offsetInProgress = this.#offset + this.length
    if (this.#snapshot !== undefined) this.#snapshotInProgress = true
  }

  /**
   * Storage holds everything up to `index`, and no write that is under way can replace it: only a caller that knows
   * the term has not changed since the write was handed out may say so. Entries that differ by now stay here, and the answer is false.
   */
  stableTo (index: Index, term: Term): boolean {
    const held = this.term(index)
    const refusal = held === undefined
      ? 'stable entry is not unstable any more'
      : index < this.#offset ? 'stable entry is the unstable snapshot' : held !== term ? 'stable entry was replaced' : undefined
    if (refusal !== undefined) {
      this.#trace?.('info', refusal, held === undefined || index < this.#offset ? [index] : [index, term, index, held])
      return false
    }
    this.#release(index + 1 - this.#offset)
    this.#offset = index + 1
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.#offset)
    return true
  }

  stableSnapshotTo (index: Index): void {
    if (this.#snapshot?.meta.index !== index) return
    this.#snapshot = undefined
    this.#snapshotInProgress = false
  }

  restore (snapshot: Snapshot): void {
    assert(snapshot.meta.index > 0, 'a snapshot covers something', snapshot.meta.index)
    this.#replaceAll([], snapshot.meta.index + 1)
    this.#snapshot = snapshot
    this.#snapshotInProgress = false
  }

  /** Entries from the index of the first new one on are replaced. */
  truncateAndAppend (entries: readonly Entry[], from = 0): void {
    const first = entries[from]
    assert(first !== undefined, 'something is appended')
    const end = this.#offset + this.length
    assert(first.index <= end, 'the log has no gap', first.index, end)

    if (first.index === end) return this.#push(entries, from)
    if (first.index <= this.#offset) {
      this.#trace?.('info', 'unstable entries replaced', [first.index])
      return this.#replaceAll(entries.slice(from), first.index)
    }
    this.#trace?.('info', 'unstable entries cut', [first.index])
    this.#entries.length = this.#head + first.index - this.#offset
    this.#offsetInProgress = Math.min(this.#offsetInProgress, first.index)
    this.#push(entries, from)
  }

  #push (entries: readonly Entry[], from: number): void {
    for (let i = from; i < entries.length; i++) this.#entries.push(entries[i]!)
  }

  #replaceAll (entries: Entry[], offset: Index): void {
    this.#entries = entries
    this.#head = 0
    this.#offset = offset
    this.#offsetInProgress = offset
  }

  #release (count: number): void {
    assert(count >= 0 && count <= this.length, 'only what is here is released', count, this.length)
    this.#head += count
    if (this.#head === this.#entries.length) {
      this.#entries = []
      this.#head = 0
    } else if (this.#head >= deadSlotsMin && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }
}
