import { BusyTime, entriesBounds, Histogram, LogAges, secondsBounds } from './figures.ts'
import type { StorageStatus } from './storage.ts'

/** How much a log file is written to, how long that takes, and how old what it holds is. */
export class LogFigures {
  readonly #busy = new BusyTime(performance.now())
  readonly #syncSeconds = new Histogram(secondsBounds)
  readonly #groupEntries = new Histogram(entriesBounds)
  readonly #ages = new LogAges()
  #lastSyncMs = 0

  /** As the log is when it is opened. */
  constructor (lastIndex: number) { this.#ages.grown(lastIndex, performance.now()) }

  begin (): void { this.#busy.begin(performance.now()) }

  /** A group is where it belongs, or will never be. */
  end (): void { this.#busy.end(performance.now()) }

  synced (ms: number): void {
    this.#lastSyncMs = ms
    this.#syncSeconds.add(ms / 1_000)
  }

  /** After this many entries, written together, the log ends at `lastIndex`. */
  written (entries: number, lastIndex: number): void {
    if (entries === 0) return
    this.#groupEntries.add(entries)
    this.#ages.grown(lastIndex, performance.now())
  }

  status (firstIndex: number, lastIndex: number): Pick<StorageStatus, 'syncs' | 'lastSyncMs' | 'syncSeconds' | 'groupEntries' | 'busy' | 'oldestSeconds'> {
    const nowMs = performance.now()
    const syncSeconds = this.#syncSeconds.status()
    return {
      syncs: syncSeconds.count,
      lastSyncMs: this.#lastSyncMs,
      syncSeconds,
      groupEntries: this.#groupEntries.status(),
      busy: this.#busy.share(nowMs),
      oldestSeconds: firstIndex > lastIndex ? undefined : this.#ages.atLeastSeconds(firstIndex, nowMs)
    }
  }
}
