import type { TrackerStatus } from '../api/pin-info.ts'

/** `release` takes a pin back that is now allocated elsewhere: for the cluster that CID is `remote` all along. */
export type OperationType = 'pin' | 'unpin' | 'release'
export type OperationPhase = 'queued' | 'in_progress' | 'error' | 'done'

const statuses = {
  pin: { queued: 'pin_queued', in_progress: 'pinning', error: 'pin_error', done: 'pinned' },
  unpin: { queued: 'unpin_queued', in_progress: 'unpinning', error: 'unpin_error', done: 'unpinned' },
  release: { queued: 'remote', in_progress: 'remote', error: 'remote', done: 'remote' }
} as const satisfies Record<OperationType, Record<OperationPhase, TrackerStatus>>

/** @see ipfs-cluster `pintracker/optracker/operation.go`, ToTrackerStatus */
export function statusOf (type: OperationType, phase: OperationPhase): TrackerStatus {
  return statuses[type][phase]
}

export interface PriorityRules { readonly priorityPinMaxAge: number, readonly priorityPinMaxRetries: number }

/** A pin somebody may be waiting for goes before the many that are retried, or re-queued after a restart. */
export function isPriority ({ ageMs, attempts }: { readonly ageMs: number, readonly attempts: number }, rules: PriorityRules): boolean {
  return ageMs < rules.priorityPinMaxAge && attempts <= rules.priorityPinMaxRetries
}

const firstRetryMs = 15_000
const lastRetryMs = 12 * 60_000

/** How long to leave it alone after the `attempts`-th failure: 15 s, doubling up to 12 min. */
export function retryDelayMs (attempts: number): number {
  return Math.min(firstRetryMs * 2 ** Math.min(attempts - 1, 16), lastRetryMs)
}
