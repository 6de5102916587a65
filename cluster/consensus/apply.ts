import type { AppliedOp, AppliedOps, PinsetOp, StateStore } from '../ports.ts'

export interface ApplyComponents {
  readonly state: StateStore
  /** Told what was done, once it is durable, in log order. */
  readonly applied: AppliedOps
}

/**
 * Carries out one committed entry. Depends on nothing but the pinset and the entry, so all peers come to the same pinset. Entries
 * are to be handed in in log order, but need not be waited for one by one: those that come together share a transaction.
 *
 * @throws ClusterError ERR_STORAGE when the disk refuses; then nothing was applied and nobody told
 */
export async function applyEntry ({ state, applied }: ApplyComponents, ops: readonly PinsetOp[], index: bigint): Promise<readonly AppliedOp[]> {
  const outcomes = await state.apply(ops, index)
  for (const outcome of outcomes) {
    if ('outdated' in outcome) continue
    if (outcome.op.kind === 'pin') applied.pinned(outcome.op.pin, outcome.op)
    else applied.unpinned(outcome.op.cid, outcome.op.asker)
  }
  return outcomes
}
