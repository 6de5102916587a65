/**
 * Items from one side to another in order, at most `itemsMax` held: who sends waits for room, who takes waits for items.
 */
export class Channel<T> implements AsyncIterable<T> {
  readonly #itemsMax: number
  readonly #items: T[] = []
  #end: { readonly error?: unknown } | undefined
  #changed = Promise.withResolvers<void>()

  constructor (itemsMax: number) {
    this.#itemsMax = itemsMax
  }

  /** Resolves once the item is in, or when nobody wants items any more. */
  async send (item: T): Promise<void> {
    while (this.#end === undefined && this.#items.length >= this.#itemsMax) await this.#changed.promise
    if (this.#end !== undefined) return
    this.#items.push(item)
    this.#notify()
  }

  /** No more items. What is held is still taken; then the error is thrown, if there is one. */
  close (end: { readonly error?: unknown } = {}): void {
    this.#end ??= end
    this.#notify()
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<T, void, undefined> {
    try {
      while (true) {
        if (this.#items.length > 0) {
          const item = this.#items.shift()!
          this.#notify()
          yield item
        } else if (this.#end === undefined) {
          await this.#changed.promise
        } else if ('error' in this.#end) {
          throw this.#end.error
        } else {
          return
        }
      }
    } finally {
      this.#items.length = 0
      this.close()
    }
  }

  #notify (): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
