import type { Informer } from '../ports.ts'
import type { TagsConfig } from './config.ts'

/** What the operator says of this peer: one metric `tag:<name>` each, by whose values peers form groups. */
export function createTagsInformer ({ metricTtl: ttlMs, tags }: TagsConfig): Informer {
  const measurements = Object.entries(tags).map(([name, value]) => ({ name: `tag:${name}`, value, weight: 0, isValid: true, isPartitionable: true, ttlMs }))
  return {
    name: 'tags',
    ttlMs,
    async measure ({ signal }) {
      signal.throwIfAborted()
      return measurements
    }
  }
}
