import { ClusterError } from '../api/errors.ts'
import type { Clock } from '../clock.ts'

export interface GiveUpOptions {
  readonly signal: AbortSignal
  /** How long the source may take for one item. */
  readonly stall?: { readonly clock: Clock, readonly timeoutMs: number, readonly what: string }
}

/**
 * Takes items from a source that cannot be told to stop, such as an upload whose client has fallen silent: who waits for the next one
 * is let go when the signal aborts or nothing comes for too long. The source itself is its owner's to close.
 *
 * @throws the signal's reason; ClusterError ERR_STALLED
 */
export async function * untilGivenUp<T> (source: AsyncIterable<T>, { signal, stall }: GiveUpOptions): AsyncGenerator<T, void, undefined> {
  const items = source[Symbol.asyncIterator]()
  // One listener for all items: a race with one long-lived promise would keep a trace of each.
  let letGo: (reason: unknown) => void = () => {}
  let isWaiting = false
  const onAbort = (): void => { letGo(signal.reason) }
  signal.addEventListener('abort', onAbort)
  try {
    while (true) {
      signal.throwIfAborted()
      const next = Promise.withResolvers<IteratorResult<T>>()
      letGo = next.reject
      isWaiting = true
      void items.next().then(result => {
        isWaiting = false
        next.resolve(result)
      }, next.reject)
      using _timer = stall?.clock.after(stall.timeoutMs, () => {
        next.reject(new ClusterError('ERR_STALLED', `${stall.what}: nothing came for ${stall.timeoutMs} ms`))
      })
      const { done, value } = await next.promise
      if (done === true) return
      yield value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // A generator that is waiting would only end after its next item.
    if (!isWaiting) await items.return?.()
  }
}
