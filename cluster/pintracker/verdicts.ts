import { cidKey } from '../api/cid-key.ts'
import { createBackground } from '../async/background.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { retryDelayMs } from './operation.ts'
import type { Operation, Operations } from './operations.ts'
import { describeCause } from './tracker-index.ts'
import type { TrackerIndex } from './tracker-index.ts'

/** How operations end: who waits is told at once, and it is noted behind them. An operation stays known until its note is on disk. */
export interface Verdicts extends AsyncDisposable {
  finish (operation: Operation, note: () => Promise<void>): void
  fail (operation: Operation, cause: unknown): void
  /** Notes an unpin before it is tried, because the pinset has forgotten it already. */
  owe (operation: Operation): void
  /** Work that nobody waits for but the end. */
  own (work: Promise<unknown>): void
}

export function createVerdicts ({ index, clock, log }: { readonly index: TrackerIndex, readonly clock: Clock, readonly log: Logger }, operations: Operations): Verdicts {
  const notes = createBackground(err => log.error('the tracker cannot note what became of a pin', { err }))

  return {
    finish (operation, note) {
      operation.phase = 'done'
      operation.ended.resolve({ kind: 'done' })
      notes.run(note().finally(() => operations.remove(operation)))
    },
    fail (operation, cause) {
      operation.phase = 'error'
      operation.attempts++
      operation.error = cause instanceof Error ? cause.message : String(cause)
      operation.ended.resolve({ kind: 'failed', cause })
      log.warn(`${operation.type} failed`, { cid: operation.cid.toString(), attempts: operation.attempts, err: cause })
      const { type, asked, attempts } = operation
      const atMs = clock.now()
      const fault = { type, asked, attempts, atMs, dueMs: atMs + retryDelayMs(attempts), ...describeCause(cause) }
      notes.run(index.fail(cidKey(operation.cid), fault).finally(() => operations.remove(operation)))
    },
    owe ({ type, asked, attempts, cid }) {
      const atMs = clock.now()
      if (attempts === 0) notes.run(index.fail(cidKey(cid), { type, asked, attempts, atMs, dueMs: atMs + retryDelayMs(1), code: '', message: '', status: 0, kuboCode: 0 }))
    },
    own: work => notes.run(work),
    [Symbol.asyncDispose]: () => notes[Symbol.asyncDispose]()
  }
}
