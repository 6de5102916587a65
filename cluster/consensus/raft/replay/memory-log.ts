import { limitEntries } from '../core/entries.ts'
import type { ConfState, Entry, HardState, Index, LogReader, Snapshot, Term } from '../core/types.ts'

const emptyConf: ConfState = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }

/** What storage answers a script when it refuses. */
export class StorageRefusal extends Error {
  override get name (): string { return 'StorageRefusal' }
}

/** A log in memory that answers scripts as they expect: the term of the last compacted entry stays known. */
export class MemoryLog implements LogReader {
  #hard: HardState = { term: 0, vote: 0, commit: 0 }
  #conf: ConfState = emptyConf
  #snapshotIndex: Index = 0
  #offset: Index = 0
  #offsetTerm: Term = 0
  #entries: Entry[] = []
  readonly #newestSnapshot: () => Snapshot

  constructor (newestSnapshot: () => Snapshot) {
    this.#newestSnapshot = newestSnapshot
  }

  initialState (): { hard: HardState, conf: ConfState } {
    return { hard: this.#hard, conf: this.#conf }
  }

  firstIndex (): Index { return this.#offset + 1 }
  lastIndex (): Index { return this.#offset + this.#entries.length }

  term (index: Index): Term | 'compacted' | 'unavailable' {
    if (index < this.#offset) return 'compacted'
    if (index === this.#offset) return this.#offsetTerm
    return this.#entries[index - this.#offset - 1]?.term ?? 'unavailable'
  }

  entries (lo: Index, hi: Index, maxBytes: number): readonly Entry[] | 'compacted' {
    if (lo <= this.#offset) return 'compacted'
    return limitEntries(this.#entries.slice(lo - this.#offset - 1, hi - this.#offset - 1), maxBytes)
  }

  snapshot (): Snapshot {
    return this.#newestSnapshot()
  }

  setHardState (hard: HardState): void {
    this.#hard = hard
  }

  applySnapshot ({ meta }: Snapshot): void {
    if (this.#snapshotIndex !== 0 && this.#snapshotIndex >= meta.index) {
      throw new StorageRefusal('requested index is older than the existing snapshot')
    }
    this.#snapshotIndex = meta.index
    this.#conf = meta.confState
    this.#offset = meta.index
    this.#offsetTerm = meta.term
    this.#entries = []
  }

  /** Forgets everything up to and with `index`. */
  compact (index: Index): void {
    if (index <= this.#offset) throw new StorageRefusal('requested index is unavailable due to compaction')
    const last = this.#entries[index - this.#offset - 1]
    if (last === undefined) throw new RangeError(`cannot compact to ${index}: the log ends at ${this.lastIndex()}`)
    this.#entries = this.#entries.slice(index - this.#offset)
    this.#offset = index
    this.#offsetTerm = last.term
  }

  /** What follows the first new entry is replaced. */
  append (entries: readonly Entry[]): void {
    const fresh = entries.filter(entry => entry.index > this.#offset)
    if (fresh.length === 0) return
    const keep = fresh[0]!.index - this.#offset - 1
    if (keep > this.#entries.length) throw new RangeError(`a gap after ${this.lastIndex()}, before ${fresh[0]!.index}`)
    this.#entries = [...this.#entries.slice(0, keep), ...fresh]
  }
}
