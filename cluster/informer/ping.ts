import { pingName, pingToText } from '../api/metric.ts'
import type { IpfsId } from '../api/peer.ts'
import { deadline } from '../async/deadline.ts'
import type { Clock } from '../clock.ts'
import type { Informer, IpfsConnector } from '../ports.ts'

/** A daemon that takes its time must not make its peer look dead. */
const daemonTimeoutMs = 1_000
const addressesMax = 20

export interface PingComponents { readonly ipfs: Pick<IpfsConnector, 'id'>, readonly clock: Clock }

export interface PingConfig {
  readonly peername: string
  /** How often; a ping is good for twice as long. */
  readonly monitorPingInterval: number
}

/** Says that this peer is there, what it is called and which daemon is behind it, as last known: the peer lives even when its daemon does not. */
export function createPingInformer ({ ipfs, clock }: PingComponents, { peername, monitorPingInterval }: PingConfig): Informer {
  const ttlMs = 2 * monitorPingInterval
  let known: Pick<IpfsId, 'id' | 'addresses'> = { id: '', addresses: [] }

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
      const value = pingToText({ peername, ipfsId: known.id, ipfsAddresses: known.addresses.slice(0, addressesMax) })
      return [{ name: pingName, value, weight: 0, isValid: true, isPartitionable: false, ttlMs }]
    }
  }
}
