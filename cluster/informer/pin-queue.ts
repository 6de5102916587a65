import type { Informer, PinTracker } from '../ports.ts'
import type { PinQueueConfig } from './config.ts'

/** How many pins wait here: who has fewer is better, but small differences say nothing. */
export function createPinQueueInformer ({ tracker }: { readonly tracker: Pick<PinTracker, 'queueLength'> }, { metricTtl: ttlMs, weightBucketSize }: PinQueueConfig): Informer {
  return {
    name: 'pinqueue',
    ttlMs,
    async measure ({ signal }) {
      signal.throwIfAborted()
      const queued = tracker.queueLength()
      const buckets = Math.floor(queued / Math.max(weightBucketSize, 1))
      return [{ name: 'pinqueue', value: String(queued), weight: 0 - buckets, isValid: true, isPartitionable: false, ttlMs }]
    }
  }
}
