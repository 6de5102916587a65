import assert from 'node:assert/strict'
import { entryBytes } from '../core/entries.ts'
import { compactImage, copyImage, lastIndexOf, termAt, writeRecord } from './log-image.ts'
import type { ConfState, Entry, Index, LogReader, Snapshot, Term } from '../core/types.ts'
import type { DiskRecord, LogImage } from './log-image.ts'
import type { Random } from './random.ts'

const sectorBytes = 512

/**
 * One peer's disk: what was written is seen at once, but only what was synced outlives a crash for certain.
 * A crash keeps any of the sectors written since; a record with a missing sector fails its checksum,
 * and recovery ends before it, whatever comes after.
 */
export class SimDisk implements LogReader {
  readonly #random: Random
  #seen: LogImage
  #durable: LogImage
  readonly #unsynced: DiskRecord[] = []
  /** As of the state machine's applied index: the machine remembers the membership, not the log. */
  conf: ConfState
  /** Asked for each read of entries: whether they have to be fetched first. */
  isCold: () => boolean = () => false
  isMakingSnapshot = false
  isFull = false

  constructor (random: Random, image: LogImage) {
    this.#random = random
    this.#durable = image
    this.#seen = copyImage(image)
    this.conf = image.snapshot.meta.confState
  }

  get durable (): Readonly<LogImage> { return this.#durable }
  get seen (): Readonly<LogImage> { return this.#seen }
  get unsyncedRecords (): number { return this.#unsynced.length }

  /** @returns false when there is no room; nothing was changed then */
  write (record: DiskRecord): boolean {
    if (this.isFull) return false
    writeRecord(this.#seen, record)
    this.#unsynced.push(record)
    return true
  }

  /** Makes the first `count` unsynced records durable: those written before the sync began. */
  sync (count: number): void {
    assert(count <= this.#unsynced.length, 'a sync covers what was written')
    for (const record of this.#unsynced.splice(0, count)) writeRecord(this.#durable, record)
  }

  /** A snapshot made here goes into its own file, synced and renamed before anything is deleted for it (D8). */
  keepSnapshot (snapshot: Snapshot, compactTo: Index): void {
    for (const image of [this.#durable, this.#seen]) {
      if (image.snapshot.meta.index >= snapshot.meta.index) continue
      image.snapshot = snapshot
      compactImage(image, compactTo)
    }
  }

  /** The power goes; what comes back is what a restart reads. */
  crash (): void {
    const intact = this.#survivors()
    this.sync(intact)
    this.#unsynced.length = 0
    this.#seen = copyImage(this.#durable)
    this.isFull = false
    this.isMakingSnapshot = false
  }

  #survivors (): number {
    const kept = this.#random.pick([0, 0.5, 0.9, 1])
    let intact = 0
    for (const record of this.#unsynced) {
      const sectors = 1 + Math.floor(record.entries.reduce((bytes, entry) => bytes + entryBytes(entry), 40) / sectorBytes)
      for (let sector = 0; sector < sectors; sector++) if (!this.#random.chance(kept)) return intact
      intact++
    }
    return intact
  }

  // What the core asks. It sees what was written, synced or not.

  initialState (): ReturnType<LogReader['initialState']> {
    return { hard: this.#seen.hard, conf: this.conf }
  }

  firstIndex (): Index { return this.#seen.base + 1 }
  lastIndex (): Index { return lastIndexOf(this.#seen) }

  term (index: Index): Term | 'compacted' | 'unavailable' {
    if (index < this.#seen.base) return 'compacted'
    return termAt(this.#seen, index) ?? 'unavailable'
  }

  entries (lo: Index, hi: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'pending' {
    const { base, entries } = this.#seen
    if (lo <= base) return 'compacted'
    assert(lo < hi && hi <= this.lastIndex() + 1, `entries ${lo} to ${hi} were asked of a log that ends at ${this.lastIndex()}`)
    if (this.isCold()) return 'pending'

    let bytes = 0
    let end = lo
    for (; end < hi; end++) {
      bytes += entryBytes(entries[end - base - 1] as Entry)
      if (end > lo && bytes > maxBytes) break
    }
    return entries.slice(lo - base - 1, end - base - 1)
  }

  snapshot (): Snapshot | 'pending' {
    return this.isMakingSnapshot ? 'pending' : this.#seen.snapshot
  }

  /** A commit index that was only a hint on disk catches up with what the machine has already applied. */
  raiseCommit (applied: Index): void {
    for (const image of [this.#durable, this.#seen]) {
      if (image.hard.commit < applied) image.hard = { ...image.hard, commit: applied }
    }
  }
}
