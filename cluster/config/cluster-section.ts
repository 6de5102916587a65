import { hostname } from 'node:os'
import type { Replication } from '../api/pin.ts'
import { boolean, durationMs, integer, local, multiaddrs, optional, secret, section, text } from './section.ts'
import type { ConfigOf } from './section.ts'

const replicationMax = 10_000

const fields = {
  /** What people call this peer. */
  peername: { ...text(hostname(), { expects: 'a name of 1 to 255 characters', pattern: /^[^\p{Cc}]{1,255}$/u }), fallbackInWords: 'the host name' },
  /** Shared by the peers of one cluster; who does not know it is not let in. 32 bytes as 64 hexadecimal digits. */
  secret: secret(optional(text('', { expects: '64 hexadecimal digits', pattern: /^[0-9a-f]{64}$/i }))),
  /** Where other peers reach this one, over TCP. Who connects has to prove the secret before anything else. */
  listenMultiaddress: local(multiaddrs(['/ip4/0.0.0.0/tcp/9096'])),
  /** What other peers are told instead of what is listened on, for a peer behind a NAT or a proxy. */
  announceMultiaddress: local(multiaddrs([])),
  /** Addresses that other peers are never told. */
  noAnnounceMultiaddress: multiaddrs([]),
  /** How long one address of a peer is tried. */
  dialPeerTimeout: durationMs('3s', { min: '100ms' }),
  /** Where the addresses of the other peers are kept, one a line; relative to the folder. */
  peerstoreFile: { ...local(optional(text('', { expects: 'a path' }))), fallbackInWords: '`peerstore`' },
  /** Peers to connect to at the start, besides those that are known already; each with `/p2p/` and its id. */
  peerAddresses: multiaddrs([]),
  /** Has this peer removed from the cluster when it is stopped. */
  leaveOnShutdown: boolean(false),
  /** How often this peer says that it is there; after twice as long without it counts as silent. */
  monitorPingInterval: durationMs('15s', { min: '100ms', max: '12h' }),
  /** Leaves pins with the peers that hold them, even when those are gone for long. */
  disableRepinning: boolean(false),
  /** Fewest peers that must hold a pin before it is answered for; -1 is everywhere. */
  replicationFactorMin: integer(-1, { min: -1, max: replicationMax }),
  /** Most peers that are asked to hold a pin; -1 is everywhere. */
  replicationFactorMax: integer(-1, { min: -1, max: replicationMax }),
  /** How often pins past their expiry are looked for and removed. */
  stateSyncInterval: durationMs('5m0s', { min: '1s' }),
  /** How often failed and lost pins are tried again. */
  pinRecoverInterval: durationMs('12m0s', { min: '1s' })
}

export type ClusterConfig = ConfigOf<typeof fields>

export const clusterSection = section('cluster', 'CLUSTER', fields, {
  goOnly: [
    'enable_relay_hop', 'connection_manager',
    'resource_manager', 'pubsub', 'peer_watch_interval', 'mdns_interval', 'pin_only_on_trusted_peers',
    'pin_only_on_untrusted_peers', 'follower_mode'
  ],
  check ({ replicationFactorMin: min, replicationFactorMax: max }) {
    if (min === 0 || max === 0) return 'replication_factor_min, replication_factor_max: expected -1, or at least 1'
    if ((min === -1) !== (max === -1)) return 'replication_factor_min, replication_factor_max: expected both -1, or neither'
    return min > max ? `replication_factor_min: expected at most replication_factor_max (${max})` : undefined
  }
})

/** The two numbers as one value. */
export function defaultReplication ({ replicationFactorMin, replicationFactorMax }: ClusterConfig): Replication {
  return replicationFactorMin === -1 ? 'everywhere' : { min: replicationFactorMin, max: replicationFactorMax }
}
