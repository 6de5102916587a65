/**
 * The log from its base on, as the core asks for it: at once. The newest entries are held in memory up to a number of
 * bytes; of older ones only the term and the place on disk are kept, and `load` reads them again for a slow follower.
 */
import assert from 'node:assert/strict'
import { entryBytes } from './core/entries.ts'
import type { Entry, Index, SnapshotMeta, Term } from './core/types.ts'

/** Where a record lies: which segment, and where in it. Segment 0: it has not been written yet. */
export interface RecordPlace { readonly segment: number, readonly at: number }

interface Slot { readonly term: Term, readonly bytes: number, readonly place: RecordPlace, entry: Entry | undefined }

export class LogTail {
  readonly #heldBytesMax: number
  readonly #load: (index: Index, place: RecordPlace) => Entry
  #base: { readonly index: Index, readonly term: Term }
  #slots: Slot[] = []
  #heldBytes = 0
  /** Slots before this one are not held. */
  #heldFrom = 0

  constructor (base: { readonly index: Index, readonly term: Term }, heldBytesMax: number, load: (index: Index, place: RecordPlace) => Entry) {
    this.#base = base
    this.#heldBytesMax = heldBytesMax
    this.#load = load
  }

  get firstIndex (): Index { return this.#base.index + 1 }
  get lastIndex (): Index { return this.#base.index + this.#slots.length }
  get heldBytes (): number { return this.#heldBytes }

  term (index: Index): Term | 'compacted' | 'unavailable' {
    if (index < this.#base.index) return 'compacted'
    if (index === this.#base.index) return this.#base.term
    return this.#slots[index - this.firstIndex]?.term ?? 'unavailable'
  }

  entries (lo: Index, hi: Index, maxBytes: number): readonly Entry[] | 'compacted' {
    if (lo <= this.#base.index) return 'compacted'
    assert(hi <= this.lastIndex + 1, `entries up to ${hi} asked of a log that ends at ${this.lastIndex}`)
    const found: Entry[] = []
    let bytes = 0
    for (let index = lo; index < hi; index++) {
      const slot = this.#slots[index - this.firstIndex]!
      bytes += slot.bytes
      if (found.length > 0 && bytes > maxBytes) break
      found.push(slot.entry ?? this.#load(index, slot.place))
    }
    return found
  }

  /** They replace whatever is there from the first one's index on. */
  append (entries: readonly Entry[], place: RecordPlace): void {
    const first = entries[0]
    if (first === undefined) return
    assert(first.index >= this.firstIndex && first.index <= this.lastIndex + 1, `entry ${first.index} does not follow ${this.lastIndex}`)
    this.#truncate(first.index)
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, `entry ${entry.index} does not follow ${this.lastIndex}`)
      const bytes = entryBytes(entry)
      this.#slots.push({ term: entry.term, bytes, place, entry })
      this.#heldBytes += bytes
    }
    this.#forgetOldest()
  }

  /** Whether what follows the snapshot may stay: only if it follows the very entry the snapshot ends with. */
  holds ({ index, term }: Pick<SnapshotMeta, 'index' | 'term'>): boolean { return this.term(index) === term }

  /** Drops what is up to `index`, all of it if the log is shorter. */
  setBase ({ index, term }: Pick<SnapshotMeta, 'index' | 'term'>): void {
    if (index < this.#base.index) return
    const kept = this.#slots.slice(index - this.#base.index)
    this.#base = { index, term }
    this.#slots = kept
    this.#heldBytes = kept.reduce((sum, slot) => sum + (slot.entry === undefined ? 0 : slot.bytes), 0)
    const firstHeld = kept.findIndex(slot => slot.entry !== undefined)
    this.#heldFrom = firstHeld === -1 ? kept.length : firstHeld
  }

  /** Begins anew after `base`. */
  reset ({ index, term }: Pick<SnapshotMeta, 'index' | 'term'>): void {
    this.#base = { index, term }
    this.#slots = []
    this.#heldBytes = this.#heldFrom = 0
  }

  /** The oldest segment that still holds an entry of the log. */
  get oldestSegment (): number | undefined { return this.#slots[0]?.place.segment }

  #truncate (from: Index): void {
    for (const slot of this.#slots.splice(from - this.firstIndex)) {
      if (slot.entry !== undefined) this.#heldBytes -= slot.bytes
    }
    this.#heldFrom = Math.min(this.#heldFrom, this.#slots.length)
  }

  #forgetOldest (): void {
    while (this.#heldBytes > this.#heldBytesMax && this.#heldFrom < this.#slots.length - 1) {
      const slot = this.#slots[this.#heldFrom]!
      if (slot.place.segment === 0) return
      this.#heldFrom++
      slot.entry = undefined
      this.#heldBytes -= slot.bytes
    }
  }
}
