import { clockName, outOfStepText, pingName, pingToText } from '../api/metric.ts'
import type { Measurement } from '../api/metric.ts'
import type { IpfsId } from '../api/peer.ts'
import { deadline } from '../async/deadline.ts'
import type { Clock } from '../clock.ts'
import type { Informer, IpfsConnector } from '../ports.ts'

/** A daemon that takes its time must not make its peer look dead. */
const daemonTimeoutMs = 1_000
const addressesMax = 20

export interface PingComponents {
  readonly ipfs: Pick<IpfsConnector, 'id'>
  readonly clock: Clock
  /** By how much this machine's clock is ahead of the others', see `AgreedTime`. */
  readonly aheadMs: () => number
}

export interface PingConfig {
  readonly peername: string
  /** How often; a ping is good for twice as long. */
  readonly monitorPingInterval: number
}

/**
 * Says that this peer is there, what it is called, what its clock says and which daemon is behind it, as last known: the peer lives even when its daemon does
 * not. A clock that is out of step with the others' is a metric that has gone bad, and so an alert at all peers.
 */
export function createPingInformer ({ ipfs, clock, aheadMs }: PingComponents, { peername, monitorPingInterval }: PingConfig): Informer {
  const ttlMs = 2 * monitorPingInterval
  let known: Pick<IpfsId, 'id' | 'addresses'> = { id: '', addresses: [] }
  let wasOutOfStep = false

  function clockStep (): readonly Measurement[] {
    const ahead = aheadMs()
    wasOutOfStep ||= ahead !== 0
    if (!wasOutOfStep) return []
    return [{ name: clockName, value: ahead === 0 ? 'in step' : outOfStepText(ahead), weight: 0, isValid: ahead === 0, isPartitionable: false, ttlMs }]
  }

  return {
    name: pingName,
    ttlMs,
    async measure ({ signal }) {
      using limit = deadline(clock, Math.min(daemonTimeoutMs, ttlMs / 4), 'id', signal)
      try {
        known = await ipfs.id(limit)
      } catch {
        signal.throwIfAborted()
      }
      const value = pingToText({ peername, ipfsId: known.id, ipfsAddresses: known.addresses.slice(0, addressesMax), clockAtEndMs: Math.floor(clock.now()) + ttlMs })
      return [{ name: pingName, value, weight: 0, isValid: true, isPartitionable: false, ttlMs }, ...clockStep()]
    }
  }
}
