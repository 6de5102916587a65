/** A signal that follows others until it is let go of. */
export interface JoinedSignal extends Disposable { readonly signal: AbortSignal }

/**
 * Aborts when the first of them does, with its reason. For what is done for each request or pin: `AbortSignal.any` leaves a finalizer and weak
 * references behind with signals that live on, which outlive every young collection and take all that hangs on them along.
 */
export function joinSignals (...signals: readonly AbortSignal[]): JoinedSignal {
  const aborted = signals.find(signal => signal.aborted)
  if (aborted !== undefined) return { signal: aborted, [Symbol.dispose] () {} }
  const controller = new AbortController()
  const leave = (): void => { for (const signal of signals) signal.removeEventListener('abort', follow) }
  function follow (this: AbortSignal): void {
    leave()
    controller.abort(this.reason)
  }
  for (const signal of signals) signal.addEventListener('abort', follow)
  return { signal: controller.signal, [Symbol.dispose]: leave }
}
