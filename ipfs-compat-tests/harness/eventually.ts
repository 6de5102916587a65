import { setTimeout as sleep } from 'node:timers/promises'

/** How long a condition may take before the test fails, and how often it is looked at. */
export interface Patience { readonly timeoutMs?: number, readonly intervalMs?: number, readonly signal?: AbortSignal }

/**
 * Asks again and again until the answer is truthy, and hands it back. A check that throws counts as "not yet"; when time is up its
 * error is the cause. For what tells nobody when it happens: where there is an event, wait for the event.
 *
 * @throws Error that names `what` after `timeoutMs` (two minutes: a busy machine is slow, and who waits in vain has time)
 */
export async function eventually<T> (what: string, check: () => T | Promise<T>, { timeoutMs = 120_000, intervalMs = 10, signal }: Patience = {}): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + timeoutMs
  let cause: unknown
  do {
    signal?.throwIfAborted()
    try {
      const answer = await check()
      if (answer) return answer
      cause = undefined
    } catch (err) {
      cause = err
    }
    await sleep(intervalMs, undefined, { signal })
  } while (performance.now() < deadlineMs)
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause })
}
