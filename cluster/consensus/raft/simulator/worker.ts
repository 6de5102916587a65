import { parentPort } from 'node:worker_threads'
import { runBatch } from './batch.ts'

/** A thread that runs batches, one after the other, as they are sent. */
parentPort?.on('message', batch => { parentPort?.postMessage(runBatch(batch)) })
