import { setImmediate } from 'node:timers/promises'

const itemsPerTurn = 500

/** Passes on what a synchronous source yields, letting the event loop run in between: a million rows must not stop the peer. */
export async function * breathing<T> (source: Iterable<T>, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted()
  let items = 0
  for (const item of source) {
    yield item
    if (++items % itemsPerTurn !== 0) continue
    await setImmediate()
    signal.throwIfAborted()
  }
}
