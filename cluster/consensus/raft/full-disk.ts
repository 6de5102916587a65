import type { Clock } from '../../clock.ts'

/** Waits until a full disk has room again. Only a write may be repeated like this: it goes to the same place with the same bytes. */
export class FullDisk {
  readonly #clock: Clock
  readonly #retryMs: number
  #wake: (() => void) | undefined
  #closed = false

  constructor (clock: Clock, retryMs: number) {
    this.#clock = clock
    this.#retryMs = retryMs
  }

  get isWaiting (): boolean { return this.#wake !== undefined }

  /** @throws whatever `write` throws, but for ENOSPC; that too once this is closed */
  async whenThereIsRoom<T> (write: () => Promise<T>): Promise<T> {
    while (true) {
      try {
        return await write()
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code !== 'ENOSPC' || this.#closed) throw err
        const retry = Promise.withResolvers<void>()
        this.#wake = retry.resolve
        using _timer = this.#clock.after(this.#retryMs, retry.resolve)
        await retry.promise
        this.#wake = undefined
      }
    }
  }

  /** One more try, and no more. */
  close (): void {
    this.#closed = true
    this.#wake?.()
  }
}
