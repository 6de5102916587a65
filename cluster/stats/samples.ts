import type { Metric } from '../api/metric.ts'
import type { TrackerStatus } from '../api/pin-info.ts'
import type { PeerId } from '../api/pin.ts'
import type { AbortOptions, Consensus, Monitor, PinTracker } from '../ports.ts'
import type { Counts } from './counted.ts'
import type { Sample } from './prometheus.ts'

export interface SamplesComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'state' | 'leader' | 'peerset'>
  readonly tracker: Pick<PinTracker, 'statusAll'>
  readonly monitor: Pick<Monitor, 'latest'>
  readonly counts: Readonly<Counts>
  /** Name of the metric of the daemon's disk: `freespace` or `reposize`. */
  readonly diskMetric: string
}

/** What is being done or has failed: to count these no pinset is walked. */
const unsettled = ['pin_queued', 'pinning', 'pin_error', 'unpin_queued', 'unpinning', 'unpin_error'] as const satisfies readonly TrackerStatus[]
type Unsettled = typeof unsettled[number]

const words: Readonly<Record<Unsettled, string>> = {
  pin_queued: 'Pins that wait for their turn on this peer.',
  pinning: 'Pins that the daemon is carrying out.',
  pin_error: 'Pins that have failed on this peer.',
  unpin_queued: 'Unpins that wait for their turn on this peer.',
  unpinning: 'Unpins that the daemon is carrying out.',
  unpin_error: 'Unpins that have failed on this peer.'
}

/** The numbers of one peer. Names are ipfs-cluster's where it has them, so that its dashboards go on. */
export async function samplesOf ({ self, consensus, tracker, monitor, counts, diskMetric }: SamplesComponents, options: AbortOptions): Promise<readonly Sample[]> {
  const gauge = (name: string, help: string, value: number | undefined): Sample => ({ name: `ipfscluster_${name}`, help, type: 'gauge', value })
  const counter = (name: string, help: string, value: number): Sample => ({ name: `ipfscluster_${name}`, help, type: 'counter', value })
  const numbers = Object.fromEntries(unsettled.map(status => [status, 0])) as Record<Unsettled, number>
  for await (const { status } of tracker.statusAll(new Set(unsettled), options)) numbers[status as Unsettled]++
  const { user, system } = process.cpuUsage()

  return [
    gauge('pins', 'Pins of the cluster.', await consensus.state.count()),
    ...unsettled.map(status => gauge(`pins_${status}`, words[status], numbers[status])),
    gauge('peers', 'Members of the cluster that hold pins.', consensus.peerset().length),
    gauge('leader_known', 'Whether a leader is known, without whom nothing can be agreed on: 1 or 0.', consensus.leader() === undefined ? 0 : 1),
    gauge('leading', 'Whether this peer leads: 1 or 0.', consensus.leader() === self ? 1 : 0),
    gauge('informer_disk', `Weight of the metric ${diskMetric} of this peer.`, weightOf(monitor.latest(diskMetric), self)),
    counter('pins_pin_add', 'Pins that the daemon was asked for.', counts.pins),
    counter('pins_pin_add_errors', 'Pins that the daemon was asked for in vain.', counts.failedPins),
    counter('blocks_put', 'Imports of blocks into the daemon.', counts.imports),
    counter('blocks_put_errors', 'Imports of blocks into the daemon that failed.', counts.failedImports),
    counter('blocks_added', 'Blocks imported into the daemon.', counts.blocks),
    counter('blocks_added_size', 'Bytes of the blocks imported into the daemon.', counts.blockBytes),
    { name: 'process_resident_memory_bytes', help: 'Resident memory of this process.', type: 'gauge', value: process.memoryUsage.rss() },
    { name: 'process_cpu_seconds_total', help: 'Processor time of this process.', type: 'counter', value: (user + system) / 1e6 },
    { name: 'process_start_time_seconds', help: 'When this process started, in seconds since 1970.', type: 'gauge', value: performance.timeOrigin / 1_000 }
  ]
}

function weightOf (metrics: readonly Metric[], self: PeerId): number | undefined {
  return metrics.find(({ peer, isValid }) => peer === self && isValid)?.weight
}
