import type { Clock } from '../clock.ts'

/** Resolves `delayMs` from now. @throws the signal's reason, at once when it aborts */
export async function pause (clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = (): void => reject(signal.reason)
  using _timer = clock.after(delayMs, resolve)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
