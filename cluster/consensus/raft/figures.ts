/** What a peer counts and measures of its own work for `status()`. An observation allocates nothing: there may be one for each request. */

/** Upper bounds of the buckets for times, in seconds: from a sync of a good disk to one that holds everybody up. */
export const secondsBounds: readonly number[] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
/** And for how many entries are written together. */
export const entriesBounds: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096]

export interface HistogramStatus {
  readonly count: number
  readonly sum: number
  readonly max: number
  /** How many were at most `bound`, those of the buckets before included; `count` is the bucket without a bound. */
  readonly atMost: ReadonlyArray<{ readonly bound: number, readonly count: number }>
}

export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #count = 0
  #sum = 0
  #max = 0

  /** `bounds` ascend. */
  constructor (bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  add (value: number): void {
    let at = 0
    while (at < this.#bounds.length && value > this.#bounds[at]!) at++
    if (at < this.#bounds.length) this.#counts[at]!++
    this.#count++
    this.#sum += value
    if (value > this.#max) this.#max = value
  }

  status (): HistogramStatus {
    let below = 0
    return { count: this.#count, sum: this.#sum, max: this.#max, atMost: this.#bounds.map((bound, at) => ({ bound, count: below += this.#counts[at]! })) }
  }
}

/** Times are compared over two windows: the one that is running, and the one before it. */
const windowMs = 10_000

/** Which share of its time somebody works: near 1, it is what holds the others up. Times are milliseconds of one monotonic clock. */
export class BusyTime {
  #windowFromMs: number
  #busyMs = 0
  #before = { busyMs: 0, lengthMs: 0 }
  #sinceMs: number | undefined

  constructor (nowMs: number) { this.#windowFromMs = nowMs }

  begin (nowMs: number): void { this.#sinceMs ??= nowMs }

  end (nowMs: number): void {
    if (this.#sinceMs === undefined) return
    this.#busyMs += nowMs - this.#sinceMs
    this.#sinceMs = undefined
    const lengthMs = nowMs - this.#windowFromMs
    if (lengthMs < windowMs) return
    this.#before = { busyMs: this.#busyMs, lengthMs }
    this.#busyMs = 0
    this.#windowFromMs = nowMs
  }

  /** From 0 to 1, of about the last ten to twenty seconds; work that is not done yet counts. */
  share (nowMs: number): number {
    const lengthMs = this.#before.lengthMs + nowMs - this.#windowFromMs
    const busyMs = this.#before.busyMs + this.#busyMs + (this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs)
    return lengthMs <= 0 ? 0 : Math.min(1, busyMs / lengthMs)
  }
}

/** So many, so large, so long, since the start; `seconds / count` is what one takes. */
export class Transfers {
  #count = 0
  #bytes = 0
  #seconds = 0

  add (bytes: number, ms: number): void {
    this.#count++
    this.#bytes += bytes
    this.#seconds += ms / 1_000
  }

  status (): { readonly count: number, readonly bytes: number, readonly seconds: number } {
    return { count: this.#count, bytes: this.#bytes, seconds: this.#seconds }
  }
}

const marksMax = 64

/** When the log had grown how far, roughly: entries carry no time. Marks get sparser as they become many. */
export class LogAges {
  #marks: Array<{ readonly lastIndex: number, readonly atMs: number }> = []
  #everyMs = 1_000

  grown (lastIndex: number, nowMs: number): void {
    const newest = this.#marks.at(-1)
    if (newest !== undefined && (nowMs - newest.atMs < this.#everyMs || lastIndex <= newest.lastIndex)) return
    this.#marks.push({ lastIndex, atMs: nowMs })
    if (this.#marks.length <= marksMax) return
    this.#marks = this.#marks.filter((_, at) => at % 2 === 0)
    this.#everyMs *= 2
  }

  /** At least so old is entry `index`, in seconds; of what was there at the start it is only known how long ago that was. */
  atLeastSeconds (index: number, nowMs: number): number {
    const first = this.#marks.findIndex(({ lastIndex }) => lastIndex >= index)
    if (first === -1) return 0
    this.#marks.splice(0, first) // the log never begins earlier again
    return (nowMs - this.#marks[0]!.atMs) / 1_000
  }
}
