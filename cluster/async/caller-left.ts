import { abortable } from './abortable.ts'

/** Why a signal aborts when whoever asked is there no longer. What had been agreed on for them by then stays, because nobody can be told that it failed. */
export class CallerLeftError extends Error {
  constructor (message: string) {
    super(message)
    this.name = new.target.name
  }
}

/** Whether who asked has left, and nothing else ended it before. */
export const hasLeft = (signal: AbortSignal): boolean => signal.reason instanceof CallerLeftError

/** Waits for `work` as long as the caller is there; it goes on without them. @throws CallerLeftError */
export const untilLeft = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => await abortable(work, signal, hasLeft)

/** A signal that follows another one until what is done has been agreed on. */
export interface Committable {
  readonly signal: AbortSignal
  /** From now on the caller may leave, and the rest is done without them; every other reason still ends it. */
  commit (): void
}

export function committable (asked: AbortSignal): Committable {
  const controller = new AbortController()
  let isCommitted = false
  const follow = (): void => { if (!(isCommitted && hasLeft(asked))) controller.abort(asked.reason) }
  if (asked.aborted) follow()
  else asked.addEventListener('abort', follow, { once: true })
  return { signal: controller.signal, commit () { isCommitted = true } }
}
