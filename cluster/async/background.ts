/** Owns promises that nobody waits for: their failures are told, and the end waits for them. */
export interface Background extends AsyncDisposable {
  run (work: Promise<unknown>): void
}

export function createBackground (onFailure: (err: unknown) => void): Background {
  const running = new Set<Promise<unknown>>()
  return {
    run (work) {
      const owned = work.catch(onFailure).finally(() => running.delete(owned))
      running.add(owned)
    },
    async [Symbol.asyncDispose] () {
      while (running.size > 0) await Promise.all(running)
    }
  }
}
