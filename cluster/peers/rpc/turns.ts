/** At most so many at once for each key; who comes later waits in order. */
export class Turns<K> {
  readonly #max: number
  readonly #states = new Map<K, { taken: number, readonly waiting: Set<() => void> }>()

  constructor (max: number) { this.#max = max }

  /** Disposal lets the next one in. @throws the signal's reason */
  async take (key: K, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    const state = this.#states.get(key) ?? { taken: 0, waiting: new Set() }
    this.#states.set(key, state)
    if (state.taken < this.#max) state.taken++
    else await waitIn(state.waiting, signal) // the place is handed over, so `taken` stays
    return {
      [Symbol.dispose]: () => {
        const [next] = state.waiting
        if (next !== undefined) next()
        else if (--state.taken === 0) this.#states.delete(key)
      }
    }
  }
}

async function waitIn (waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const enter = (): void => {
    waiting.delete(enter)
    resolve()
  }
  const onAbort = (): void => {
    if (waiting.delete(enter)) reject(signal.reason)
  }
  waiting.add(enter)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
