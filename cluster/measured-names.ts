import type { PeerId } from './api/pin.ts'
import type { Logger } from './log.ts'
import type { Allocator, Component, Monitor } from './ports.ts'

export interface MeasuredNamesComponents {
  readonly self: PeerId
  readonly allocator: Pick<Allocator, 'metricNames'>
  readonly monitor: Pick<Monitor, 'latest'>
  readonly log: Logger
}

/**
 * Says once, when all have measured for the first time, if pins are allocated by something that is not measured: whoever lacks one of these metrics is
 * given no pin, and nobody would find out before the first one is refused. To be started after the informers.
 */
export function createMeasuredNames ({ self, allocator, monitor, log }: MeasuredNamesComponents): Component {
  return {
    name: 'measured-names',
    async start ({ signal }) {
      signal.throwIfAborted()
      for (const metric of allocator.metricNames) {
        const peers = monitor.latest(metric).map(({ peer }) => peer)
        if (peers.length === 0) log.warn('nobody measures what pins are allocated by (allocator.balanced.allocate_by): no peer can be given one', { metric })
        else if (!peers.includes(self)) log.warn('this peer does not measure what pins are allocated by (allocator.balanced.allocate_by): it is given none', { metric, measuredBy: peers.length })
      }
    },
    async [Symbol.asyncDispose] () {}
  }
}
