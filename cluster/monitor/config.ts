import { durationMs, section } from '../config/section.ts'
import type { ConfigOf } from '../config/section.ts'

const fields = {
  /** How often it is looked for metrics that were not renewed in time. */
  checkInterval: durationMs('15s', { min: '100ms' })
}

export type MonitorConfig = ConfigOf<typeof fields>
/** Named as in the Go program, though metrics go from peer to peer here and not by pubsub. */
export const monitorSection = section('monitor.pubsubmon', 'CLUSTER_PUBSUBMON', fields, { goOnly: ['failure_threshold'] })
