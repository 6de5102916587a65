import { StoppedError } from './errors.ts'

/** Whoever waits for something to change looks again with each tick: it costs nothing while nobody waits. */
export class Ticks {
  #waiting: Array<PromiseWithResolvers<void>> = []
  #stopped = false

  ticked (): void { for (const { resolve } of this.#waiting.splice(0)) resolve() }

  stop (): void {
    this.#stopped = true
    for (const { reject } of this.#waiting.splice(0)) reject(new StoppedError())
  }

  /** @throws StoppedError, or the signal's reason */
  async next (signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#stopped) throw new StoppedError()
    const ticked = Promise.withResolvers<void>()
    this.#waiting.push(ticked)
    const abandon = (): void => { ticked.reject(signal?.reason) }
    signal?.addEventListener('abort', abandon, { once: true })
    try { await ticked.promise } finally { signal?.removeEventListener('abort', abandon) }
  }
}
