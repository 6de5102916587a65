/** What the parts of the tracker's suite share. */
import type t from 'tap'
import { KuboRepliedError } from '../../cluster/api/errors.ts'
import type { FakeClock } from '../../cluster/clock.ts'
import type { PinsetOp, PinTracker } from '../../cluster/ports.ts'
import type { MemoryIpfs } from '../harness/memory-ipfs.ts'
import { cidOf, other, pinOf, self } from '../harness/pins.ts'

/** A tracker on a pinset of its own; what is logged is told to it, as consensus does. */
export interface OpenedTracker extends AsyncDisposable {
  readonly tracker: PinTracker
  readonly ipfs: MemoryIpfs
  readonly clock: FakeClock
  log (...ops: readonly PinsetOp[]): Promise<void>
  /** Ends the tracker and starts another on what it left. What is logged meanwhile is told to nobody. */
  restart (meanwhile?: () => Promise<void>): Promise<OpenedTracker>
}
export interface TrackerLimits { readonly concurrentPins?: number, readonly maxPinQueueSize?: number }
export type OpenTracker = (limits?: TrackerLimits) => Promise<OpenedTracker>

export type Tap = Pick<typeof t, 'equal' | 'match' | 'ok' | 'pass' | 'rejects' | 'strictSame'>
export type Test = (title: string, body: (t: Tap) => Promise<void>) => void

export const never = { signal: new AbortController().signal }
export const pin = (seed: string | number, given: Parameters<typeof pinOf>[1] = {}): PinsetOp => ({ kind: 'pin', pin: pinOf(seed, given) })
export const unpin = (seed: string | number, asked = false): PinsetOp => ({ kind: 'unpin', cid: cidOf(seed), ...asked && { asker: self } })
export const end = (seed: string | number): string => cidOf(seed).toString().slice(-4)
export const elsewhere = { replication: { min: 1, max: 1 }, allocations: [other] }
export const blockMissing = new KuboRepliedError('pin: block was not found locally (offline): ipld: could not find x', { status: 500, kuboCode: 0 })
