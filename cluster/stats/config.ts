import { boolean, door, durationMs, local, section } from '../config/section.ts'
import type { ConfigOf } from '../config/section.ts'

const fields = {
  /** Whether numbers for Prometheus are told; `daemon --stats` turns it on as well. */
  enableStats: boolean(false),
  /** Where they are told, under `/metrics`, without a password: numbers, never what is pinned. */
  prometheusEndpoint: local(door('/ip4/127.0.0.1/tcp/8888')),
  /** How old what has to be counted may be when it is told again. */
  reportingInterval: durationMs('30s')
}

export type StatsConfig = ConfigOf<typeof fields>
export const statsSection = section('observations.metrics', 'CLUSTER_METRICS', fields)
