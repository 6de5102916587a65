/** Between two questions: often enough to see a link get slow, and next to nothing beside the heartbeats. */
const everyMs = 1_000

/** How long the other side of a link takes to answer: asked along with what is sent anyway, one question at a time. */
export class RoundTrip {
  #askedMs = -Infinity
  #waiting = false
  #lastMs: number | undefined

  /** Of the last answer, in milliseconds. */
  get lastMs (): number | undefined { return this.#lastMs }

  /** True, and then counted as asked, when it is time to ask again. */
  asks (nowMs: number): boolean {
    if (this.#waiting || nowMs - this.#askedMs < everyMs) return false
    this.#askedMs = nowMs
    return this.#waiting = true
  }

  answered (nowMs: number): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#lastMs = nowMs - this.#askedMs
  }

  /** The link broke: nothing is answered any more, and the next one may be another. */
  broken (): void {
    this.#waiting = false
    this.#askedMs = -Infinity
    this.#lastMs = undefined
  }
}
