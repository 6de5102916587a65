/**
 * Waits for `promise`, but no longer than `signal` allows. What `promise` stands for goes on: this gives up the waiting only, for
 * things that cannot be ended or that others wait for too.
 *
 * @param isMeant whether the signal's reason ends the waiting; usually each does
 * @throws the signal's reason
 */
export async function abortable<T> (promise: Promise<T>, signal: AbortSignal, isMeant: (signal: AbortSignal) => boolean = () => true): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => { if (isMeant(signal)) reject(signal.reason) }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    promise.catch(() => undefined) // given up or not, its failure has an owner
  }
}
