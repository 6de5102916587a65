import type { CID } from 'multiformats/cid'
import type { PeerId } from './pin.ts'

/**
 * How what a peer's daemon holds differs from what was agreed on: `missing` there though the peer is to hold it; there, but not `unnoted` by the
 * peer; `surplus`, pinned by the peer and no longer its to hold; a `stale` note of what is not there. `foreign` is no fault: the daemon's user pinned it.
 */
export const driftKinds = ['missing', 'unnoted', 'surplus', 'stale', 'foreign'] as const
export type DriftKind = typeof driftKinds[number]

export interface Drift {
  readonly peer: PeerId
  readonly cid: CID
  /** Of the pin that was agreed on, or of the daemon's; empty where there is none. */
  readonly name: string
  readonly kind: DriftKind
  /** What went wrong with it before, if that is known; else empty. */
  readonly detail: string
}
