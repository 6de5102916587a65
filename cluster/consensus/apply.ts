import type { AppliedOp, AppliedOps, LogEntry, StateStore } from '../ports.ts'

export interface ApplyComponents {
  readonly state: StateStore
  /** Told what was done, once it is durable, in log order. */
  readonly applied: AppliedOps
}

/**
 * Carries out committed entries, in log order and in one transaction. Depends on nothing but the pinset and the entries, so all peers
 * come to the same pinset.
 *
 * @throws ClusterError ERR_STORAGE when the disk refuses; then nothing was applied and nobody told
 */
export async function applyEntries ({ state, applied }: ApplyComponents, entries: readonly LogEntry[]): Promise<ReadonlyArray<readonly AppliedOp[]>> {
  const outcomes = await state.apply(entries)
  for (const outcome of outcomes.flat()) {
    if ('outdated' in outcome) continue
    if (outcome.op.kind === 'pin') applied.pinned(outcome.op.pin, outcome.op)
    else applied.unpinned(outcome.op.cid, outcome.op.asker)
  }
  return outcomes
}
