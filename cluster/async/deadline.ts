import { ClusterError } from '../api/errors.ts'
import type { Clock } from '../clock.ts'
import { joinSignals } from './join-signals.ts'

export interface Deadline extends Disposable { readonly signal: AbortSignal }

/** Aborts when `signal` does, or `timeoutMs` from now with ERR_TIMEOUT that names `what`. 0 is no limit. */
export function deadline (clock: Clock, timeoutMs: number, what: string, signal: AbortSignal): Deadline {
  if (timeoutMs === 0) return { signal, [Symbol.dispose] () {} }
  const controller = new AbortController()
  const timer = clock.after(timeoutMs, () => controller.abort(new ClusterError('ERR_TIMEOUT', `${what} took longer than ${timeoutMs} ms`)))
  const joined = joinSignals(signal, controller.signal)
  return {
    signal: joined.signal,
    [Symbol.dispose] () {
      timer[Symbol.dispose]()
      joined[Symbol.dispose]()
    }
  }
}
