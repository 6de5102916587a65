import { setImmediate } from 'node:timers/promises'

const itemsPerTurn = 500
/** The first goes out alone: what is written goes out between turns only, and who waits for the first line is not to wait for hundreds. */
const growth = 8

/** Passes on what a synchronous source yields, letting the event loop run in between: a million rows must not stop the peer. */
export async function * breathing<T> (source: Iterable<T>, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted()
  let left = 1
  let inTurn = 1
  for (const item of source) {
    yield item
    if (--left > 0) continue
    inTurn = left = Math.min(inTurn * growth, itemsPerTurn)
    await setImmediate()
    signal.throwIfAborted()
  }
}
