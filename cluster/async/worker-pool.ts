/** Runs tasks, at most `size` at once, each as soon as there is one and a place is free. */
export interface WorkerPool extends AsyncDisposable {
  /** To be called when there may be a task. */
  wake (): void
}

/**
 * @param next takes the next task, or answers `undefined` when there is none now
 * @param run must not throw: who runs it has nobody to tell
 */
export function createWorkerPool<T> (size: number, next: () => T | undefined, run: (task: T) => Promise<void>): WorkerPool {
  const workers = new Set<Promise<void>>()
  let busy = 0
  let isClosed = false

  async function work (first: T): Promise<void> {
    for (let task: T | undefined = first; task !== undefined; task = isClosed ? undefined : next()) await run(task)
    busy-- // in the same step as the look that found nothing, or a task that comes now would find nobody
  }

  return {
    wake () {
      while (!isClosed && busy < size) {
        const task = next()
        if (task === undefined) return
        busy++
        const worker = work(task).finally(() => workers.delete(worker))
        workers.add(worker)
      }
    },
    async [Symbol.asyncDispose] () {
      isClosed = true
      await Promise.all(workers)
    }
  }
}
