import { once } from 'node:events'
import type { Clock } from '../cluster/clock.ts'
import type { AbortOptions } from '../cluster/ports.ts'

/**
 * Waits for `work` and calls `tick` meanwhile, every `everyMs`; one tick at a time, so a slow client gets fewer.
 *
 * @throws the signal's reason at once when it aborts, whatever `work` does: Go's `select` sees its context first
 */
export async function ticking<T> (work: Promise<T>, { clock, everyMs, signal }: AbortOptions & { readonly clock: Clock, readonly everyMs: number }, tick: () => Promise<void>): Promise<T> {
  const finished = work.then(value => ({ value }))
  finished.catch(() => undefined) // it may fail after the wait for it was given up
  const listening = new AbortController()
  const aborted = signal.aborted ? Promise.reject(signal.reason) : once(signal, 'abort', { signal: listening.signal }).then(() => { throw signal.reason })
  aborted.catch(() => undefined)
  try {
    while (true) {
      const { promise: due, resolve } = Promise.withResolvers<undefined>()
      using _timer = clock.after(everyMs, () => resolve(undefined))
      const outcome = await Promise.race([finished, aborted, due]) as { readonly value: T } | undefined
      if (outcome !== undefined) return outcome.value
      await tick()
    }
  } finally {
    listening.abort()
  }
}
