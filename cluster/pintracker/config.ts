import { durationMs, integer, section } from '../config/section.ts'
import type { ConfigOf } from '../config/section.ts'

const fields = {
  /** Operations that may wait, pins and unpins each; one more is a `pin_error`. */
  maxPinQueueSize: integer(1_000_000, { min: 1, max: 100_000_000 }),
  /** Pins carried out at the same time. */
  concurrentPins: integer(10, { min: 1, max: 10_000 }),
  /** Pins asked for more recently go first… */
  priorityPinMaxAge: durationMs('24h'),
  /** …unless they have failed more often than this. */
  priorityPinMaxRetries: integer(5, { min: 0, max: 1_000 })
}

export type PinTrackerConfig = ConfigOf<typeof fields>
export const pinTrackerSection = section('pin_tracker.stateless', 'CLUSTER_STATELESS', fields)
