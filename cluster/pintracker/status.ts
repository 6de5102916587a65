import type { CID } from 'multiformats/cid'
import type { PinInfo, TrackerStatus } from '../api/pin-info.ts'
import type { PeerId, Pin } from '../api/pin.ts'
import { statusOf } from './operation.ts'
import type { OperationPhase, OperationType } from './operation.ts'

/** All that is known of one CID on this peer. */
export interface Known {
  readonly cid: CID
  readonly peer: PeerId
  /** The shared state. */
  readonly pin: Pin | undefined
  readonly isAllocatedHere: boolean
  /** The local state: what is being done, or has failed. */
  readonly operation: { readonly type: OperationType, readonly phase: OperationPhase, readonly attempts: number, readonly sinceMs: number, readonly isPriority: boolean, readonly error: string } | undefined
  readonly fault: { readonly type: OperationType, readonly attempts: number, readonly atMs: number, readonly message: string } | undefined
  /** The ipfs state: since when the daemon holds it, if it does. */
  readonly heldSinceMs: number | undefined
  /** Whether, if it is wanted and not held or the other way round, it waits for a place in the queue. */
  readonly waits: boolean
}

/** What is being done says more than what has failed, and that more than what is held. */
export function pinInfoOf (known: Known): PinInfo {
  const { cid, peer, pin, operation, fault } = known
  const base = { cid, peer, name: pin?.name ?? '', attemptCount: operation?.attempts ?? fault?.attempts ?? 0, isPriority: operation?.isPriority ?? false }
  if (operation !== undefined) return { ...base, status: statusOf(operation.type, operation.phase), timestampMs: operation.sinceMs, error: operation.error }
  if (fault !== undefined) return { ...base, status: statusOf(fault.type, fault.attempts === 0 ? 'queued' : 'error'), timestampMs: fault.atMs, error: fault.message }
  return { ...base, ...atRest(known) }
}

function atRest ({ pin, isAllocatedHere, heldSinceMs, waits }: Known): { readonly status: TrackerStatus, readonly timestampMs: number, readonly error: string } {
  if (pin === undefined) return { status: waits ? 'unpin_queued' : 'unpinned', timestampMs: 0, error: '' }
  if (!isAllocatedHere) return { status: 'remote', timestampMs: pin.timestampMs, error: '' }
  if (heldSinceMs !== undefined) return { status: 'pinned', timestampMs: heldSinceMs, error: '' }
  if (waits) return { status: 'pin_queued', timestampMs: pin.timestampMs, error: '' }
  return { status: 'unexpectedly_unpinned', timestampMs: pin.timestampMs, error: 'the pin is not tracked and the daemon does not hold it' }
}
