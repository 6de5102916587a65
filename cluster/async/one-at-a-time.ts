import { abortable } from './abortable.ts'

/** Has what is iterated wait for all that was begun before it and has not ended. Who waits may leave. */
export function oneAtATime (): <T>(run: () => AsyncIterable<T>, options: { readonly signal: AbortSignal }) => AsyncGenerator<T, void, undefined> {
  let turn: Promise<void> = Promise.resolve()
  return async function * (run, { signal }) {
    const before = turn
    const { promise, resolve } = Promise.withResolvers<void>()
    turn = promise
    try {
      await abortable(before, signal)
      yield * run()
    } finally {
      void before.then(resolve)
    }
  }
}
