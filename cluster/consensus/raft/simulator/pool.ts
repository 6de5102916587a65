import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { runBatch } from './batch.ts'
import type { Batch, BatchResult } from './batch.ts'

/**
 * Runs the batches on `threads` threads and gives the results in the batches' order, whichever ends first.
 * Ends early, with what there is, once `isEnough` says so.
 */
export async function runBatches (batches: readonly Batch[], threads: number, isEnough: (result: BatchResult) => boolean): Promise<readonly BatchResult[]> {
  if (threads === 1 || batches.length === 1) return runHere(batches, isEnough)

  const results: BatchResult[] = []
  let next = 0
  let enough = false
  const lanes = Array.from({ length: Math.min(threads, batches.length) }, async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    try {
      while (!enough && next < batches.length) {
        const at = next++
        const result = await answer(worker, batches[at] as Batch)
        results[at] = result
        enough ||= isEnough(result)
      }
    } finally {
      await worker.terminate()
    }
  })
  await Promise.all(lanes)
  return results.filter(result => result !== undefined)
}

function runHere (batches: readonly Batch[], isEnough: (result: BatchResult) => boolean): readonly BatchResult[] {
  const results: BatchResult[] = []
  for (const batch of batches) {
    const result = runBatch(batch)
    results.push(result)
    if (isEnough(result)) break
  }
  return results
}

/** @throws whatever the thread threw */
async function answer (worker: Worker, batch: Batch): Promise<BatchResult> {
  const answered = once(worker, 'message')
  worker.postMessage(batch)
  const [result] = await answered
  return result as BatchResult
}
