import { ClusterError } from '../api/errors.ts'
import type { Clock } from '../clock.ts'

export interface GiveUpOptions {
  readonly signal: AbortSignal
  /** How long the source may take for one item. */
  readonly stall?: { readonly clock: Clock, readonly timeoutMs: number, readonly what: string }
}

/**
 * Takes items from a source that cannot be told to stop, such as an upload whose client has fallen silent: who waits for the next one
 * is let go when the signal aborts or nothing comes for too long. The source itself is its owner's to close. Made for uploads: an item costs
 * one promise, no generator and no timer of its own.
 *
 * @throws the signal's reason; ClusterError ERR_STALLED
 */
export function untilGivenUp<T> (source: AsyncIterable<T>, options: GiveUpOptions): AsyncIterableIterator<T> {
  return new GivenUp(source[Symbol.asyncIterator](), options)
}

class GivenUp<T> implements AsyncIterableIterator<T> {
  readonly #items: AsyncIterator<T>
  readonly #signal: AbortSignal
  readonly #stall: GiveUpOptions['stall']
  readonly #onAbort = (): void => {
    this.#isAborted = true
    this.#letGo?.(this.#signal.reason)
  }
  #letGo: ((reason: unknown) => void) | undefined
  #waitingSinceMs = 0
  #timer: Disposable | undefined
  /** Kept here, because to ask a signal made of others costs more than an item. */
  #isAborted: boolean
  #isOver = false

  constructor (items: AsyncIterator<T>, { signal, stall }: GiveUpOptions) {
    this.#items = items
    this.#signal = signal
    this.#stall = stall
    // One listener for all items: a race with one long-lived promise would keep a trace of each.
    this.#isAborted = signal.aborted
    signal.addEventListener('abort', this.#onAbort)
  }

  [Symbol.asyncIterator] (): this { return this }

  async next (): Promise<IteratorResult<T>> {
    if (this.#isOver) return { done: true, value: undefined }
    if (this.#isAborted) {
      await this.#close()
      throw this.#signal.reason
    }
    return await new Promise((resolve, reject) => {
      const fail = (reason: unknown): void => {
        reject(reason)
        void this.#close()
      }
      this.#letGo = fail
      if (this.#stall !== undefined) this.#watch(this.#stall)
      this.#items.next().then(result => {
        this.#letGo = undefined
        if (result.done === true) void this.#close()
        resolve(result)
      }, fail)
    })
  }

  async return (): Promise<IteratorResult<T>> {
    await this.#close()
    return { done: true, value: undefined }
  }

  async #close (): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.[Symbol.dispose]()
    this.#signal.removeEventListener('abort', this.#onAbort)
    // A generator that is waiting would only end after its next item.
    if (this.#letGo === undefined) await this.#items.return?.()
  }

  /** One timer looks now and then, instead of one for each item. */
  #watch ({ clock, timeoutMs, what }: NonNullable<GiveUpOptions['stall']>): void {
    this.#waitingSinceMs = clock.now()
    if (this.#timer !== undefined) return
    const look = (): void => {
      this.#timer = undefined
      if (this.#letGo === undefined) return // nobody waits
      const leftMs = this.#waitingSinceMs + timeoutMs - clock.now()
      if (leftMs > 0) this.#timer = clock.after(leftMs, look)
      else this.#letGo(new ClusterError('ERR_STALLED', `${what}: nothing came for ${timeoutMs} ms`))
    }
    this.#timer = clock.after(timeoutMs, look)
  }
}
