/** A queue with a bound in two ranks: what has priority goes first, within a rank who came first. Taking something out of the middle is cheap. */
export class PriorityQueue<T extends object> {
  readonly #lengthMax: number
  readonly #priority = new Set<T>()
  readonly #normal = new Set<T>()
  #drained = Promise.withResolvers<void>()

  constructor (lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  get length (): number { return this.#priority.size + this.#normal.size }

  /** @returns false when it is full: nobody waits to get in */
  push (item: T, { isPriority }: { readonly isPriority: boolean }): boolean {
    if (this.length >= this.#lengthMax) return false
    const rank = isPriority ? this.#priority : this.#normal
    rank.add(item)
    return true
  }

  shift (): T | undefined {
    const item = first(this.#priority) ?? first(this.#normal)
    if (item !== undefined) this.delete(item)
    return item
  }

  delete (item: T): void {
    if (!this.#priority.delete(item) && !this.#normal.delete(item)) return
    this.#drained.resolve()
    this.#drained = Promise.withResolvers()
  }

  /** Resolves when fewer than `length` wait: for who has a million to queue and time. */
  async shorterThan (length: number): Promise<void> {
    while (this.length >= length) await this.#drained.promise
  }
}

function first<T> (items: ReadonlySet<T>): T | undefined {
  for (const item of items) return item
  return undefined
}
