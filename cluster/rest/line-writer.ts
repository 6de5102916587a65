import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { abortable } from '../async/abortable.ts'
import type { Clock } from '../clock.ts'

/** A write costs more than the line in it, so lines are joined until there are so many characters of them. */
const joinedCharsMax = 64 * 1024
/** How long a line may wait for others. */
const heldBackMs = 20

/** Lines on their way to a client, at its pace. The first goes out at once, and nothing follows before it has left: Node sends between turns, and a source that has much is not done with its turn for long. */
export class LineWriter implements Disposable {
  readonly #response: ServerResponse
  readonly #clock: Clock
  #held = ''
  #hasBegun = false
  #timer: Disposable | undefined
  #full: PromiseWithResolvers<void> | undefined

  constructor (response: ServerResponse, clock: Clock) {
    this.#response = response
    this.#clock = clock
    response.on('drain', () => {
      this.#full?.resolve()
      this.#full = undefined
    })
  }

  /** Resolves when there is room for the next one. @throws the signal's reason */
  async write (line: string, signal: AbortSignal): Promise<void> {
    const isFirst = !this.#hasBegun
    this.#held += line
    if (isFirst || this.#held.length >= joinedCharsMax) this.flush()
    else this.#timer ??= this.#clock.after(heldBackMs, () => this.flush())
    this.#hasBegun = true
    if (this.#full !== undefined) await abortable(this.#full.promise, signal)
    else if (isFirst) await setImmediate()
  }

  /** Sends what waits for others. */
  flush (): void {
    this[Symbol.dispose]()
    if (this.#held === '') return
    if (!this.#response.write(this.#held)) this.#full ??= Promise.withResolvers<void>()
    this.#held = ''
  }

  /** What was held back is never sent. */
  [Symbol.dispose] (): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }
}
