import type { CID } from 'multiformats/cid'
import type { PeerId } from './pin.ts'

/** The status words of ipfs-cluster: where one CID stands on one peer. */
export const trackerStatuses = [
  'cluster_error', 'pin_error', 'unpin_error', 'pinned', 'pinning', 'unpinning', 'unpinned',
  'remote', 'pin_queued', 'unpin_queued', 'sharded', 'unexpectedly_unpinned'
] as const

export type TrackerStatus = typeof trackerStatuses[number]

/** Where one CID stands on one peer. */
export interface PinInfo {
  readonly cid: CID
  readonly name: string
  readonly peer: PeerId
  readonly status: TrackerStatus
  /** Milliseconds since the epoch of the last change. */
  readonly timestampMs: number
  /** Empty when there is none. */
  readonly error: string
  readonly attemptCount: number
  readonly isPriority: boolean
}

/** Where one CID stands on all peers that were asked. */
export interface GlobalPinInfo {
  readonly cid: CID
  readonly name: string
  readonly allocations: readonly PeerId[]
  readonly origins: readonly string[]
  readonly createdMs: number
  readonly metadata: Readonly<Record<string, string>>
  readonly peers: readonly PinInfo[]
}
