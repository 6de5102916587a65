import type { CID } from 'multiformats/cid'
import type { AppliedOp, PinsetOp } from '../ports.ts'

export function cidOf (op: PinsetOp): CID {
  return op.kind === 'pin' ? op.pin.cid : op.cid
}

/** Whether an entry may be applied: every guard in it names the revision that its CID has now, 0n where there is no pin. */
export function guardsHold (ops: readonly PinsetOp[], revisionOf: (cid: CID) => bigint): boolean {
  return ops.every(op => op.ifRevision === undefined || op.ifRevision === revisionOf(cidOf(op)))
}

/** What `StateStore.apply` answers. */
export function outcomes (ops: readonly PinsetOp[], isApplied: boolean, index: bigint): readonly AppliedOp[] {
  return ops.map(op => isApplied ? { op, revision: index } : { op, outdated: true })
}
