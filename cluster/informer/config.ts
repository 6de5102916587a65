import { durationMs, integer, oneOf, section, textMap } from '../config/section.ts'
import type { ConfigOf } from '../config/section.ts'

/** How long a measurement is good for; it is taken twice as often. */
const timeToLive = durationMs('30s', { min: '1s', max: '24h' })
/** What another peer takes of one: more metrics, longer names and values it refuses. */
const tagsMax = 48
const tagCharactersMax = 200

const diskFields = {
  /** How long what was measured is good for; it is measured twice as often. */
  metricTtl: timeToLive,
  /** What counts: the space that the daemon has left of its `StorageMax`, or the size of its repo, the smallest first. */
  metricType: oneOf('freespace', ['freespace', 'reposize'])
}
export type DiskConfig = ConfigOf<typeof diskFields>
export const diskSection = section('informer.disk', 'CLUSTER_DISK', diskFields)

const tagsFields = {
  /** How long the tags are good for; they are told twice as often. */
  metricTtl: timeToLive,
  /** What this peer is or where it stands: pins are spread over peers whose tags differ. */
  tags: textMap({ group: 'default' })
}
export type TagsConfig = ConfigOf<typeof tagsFields>
export const tagsSection = section('informer.tags', 'CLUSTER_TAGS', tagsFields, {
  check ({ tags }) {
    const pairs = Object.entries(tags)
    if (pairs.length === 0 || pairs.length > tagsMax) return `tags: expected at least one, at most ${tagsMax}`
    return pairs.flat().some(text => text.length > tagCharactersMax) ? `tags: expected names and values of at most ${tagCharactersMax} characters` : undefined
  }
})

const pinQueueFields = {
  /** How long what was counted is good for; it is counted twice as often. */
  metricTtl: timeToLive,
  /** Queues whose length differs by less than this count as equally long; 0 compares them exactly. */
  weightBucketSize: integer(100_000, { min: 0, max: 100_000_000 })
}
export type PinQueueConfig = ConfigOf<typeof pinQueueFields>
export const pinQueueSection = section('informer.pinqueue', 'CLUSTER_PINQUEUE', pinQueueFields)
