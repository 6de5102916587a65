import { join } from 'node:path'
import { ClusterError } from '../cluster/api/errors.ts'
import type { PeerId } from '../cluster/api/pin.ts'
import type { Clock } from '../cluster/clock.ts'
import type { ClusterConfig } from '../cluster/config/cluster-section.ts'
import type { Identity } from '../cluster/config/identity.ts'
import type { RaftConfig } from '../cluster/consensus/config.ts'
import { createPeerTransport } from '../cluster/consensus/raft/peer-transport.ts'
import type { Others } from '../cluster/consensus/engine.ts'
import { isFounderOf } from '../cluster/founding-together.ts'
import { joinThrough } from '../cluster/joining.ts'
import type { Logger } from '../cluster/log.ts'
import type { PeerRpc, RpcHandlers } from '../cluster/peer-ports.ts'
import { dialable } from '../cluster/peers/address-book.ts'
import { createBootstrap } from '../cluster/peers/bootstrap.ts'
import type { Bootstrap } from '../cluster/peers/bootstrap.ts'
import { createHost } from '../cluster/peers/host.ts'
import type { Host } from '../cluster/peers/host.ts'
import { createPeerstoreFile } from '../cluster/peers/peerstore-file.ts'
import type { Trust } from '../cluster/peers/rpc/policy.ts'
import { createPeerRpc } from '../cluster/peers/rpc/peer-rpc.ts'
import type { AbortOptions, Component, IpfsConnector } from '../cluster/ports.ts'

export interface NetworkParts {
  readonly folder: string
  readonly identity: Identity
  readonly cluster: ClusterConfig
  readonly raft: RaftConfig
  /** Peers to join through, from the command line. */
  readonly bootstrap: readonly string[]
  readonly ipfs: Pick<IpfsConnector, 'id'>
  /** What answers other peers; known once all is built. */
  readonly handlers: () => RpcHandlers
  readonly trustOf: (peer: PeerId) => Trust
  readonly removed: () => void
  readonly clock: Clock
  readonly log: Logger
}

export interface Network {
  readonly host: Host
  readonly rpc: PeerRpc
  readonly bootstrap: Bootstrap
  readonly others: Others
  /** Whether there is nobody to join: then a new folder founds a cluster. To be asked after the start. */
  readonly isFounder: (options: AbortOptions) => Promise<boolean>
  /** In starting order. */
  readonly components: readonly Component[]
}

const daemonIdTimeoutMs = 2_000

/** This peer among others: its connections, what is called over them, and how it gets into a cluster. */
export function composeNetwork (parts: NetworkParts): Network {
  const { folder, identity, cluster, raft, ipfs, clock, log } = parts
  const self = identity.id
  const host = createHost({ identity, clock, log: log.for('host') }, {
    secret: Buffer.from(cluster.secret ?? '', 'hex'),
    listen: cluster.listenMultiaddress,
    announce: cluster.announceMultiaddress,
    noAnnounce: cluster.noAnnounceMultiaddress,
    dialTimeoutMs: cluster.dialPeerTimeout
  })
  const rpc = createPeerRpc({ streams: host, get handlers () { return parts.handlers() }, trustOf: parts.trustOf, clock, log: log.for('rpc') })
  const contacts = reachable([...parts.bootstrap, ...cluster.peerAddresses], log)
  const bootstrap = createBootstrap({ host, clock, log: log.for('bootstrap') }, { addresses: contacts })
  const peerstore = createPeerstoreFile({ host, clock, log: log.for('peerstore') }, join(folder, cluster.peerstoreFile ?? 'peerstore'))

  async function daemonId (signal: AbortSignal): Promise<string> {
    return await ipfs.id({ signal: AbortSignal.any([signal, AbortSignal.timeout(daemonIdTimeoutMs)]) }).then(({ id }) => id, () => '')
  }

  return {
    host,
    rpc,
    bootstrap,
    others: {
      rpc,
      addresses: () => host.addresses(),
      transport: given => createPeerTransport({ ...given, streams: host, addresses: () => host.addresses(), clock, log: message => { log.for('raft').debug(message) } }),
      async join (request, believe, { signal }) {
        await joinThrough({ host, rpc, believe, self, clock, log: log.for('cluster') }, contacts, { ...request, daemon: await daemonId(signal) }, { signal })
      },
      removed: parts.removed
    },
    async isFounder (options) {
      if (parts.bootstrap.length > 0) return false
      if (raft.initPeerset.length > 0) return await isFounderOf(raft.initPeerset as readonly PeerId[], { self, trusted: raft.trustedPeers, rpc, clock, log: log.for('cluster') }, options)
      return contacts.length === 0 && host.known().size === 0
    },
    components: [host, rpc, peerstore, bootstrap]
  }
}

/** Those of the addresses that can be dialled: a file of the Go program may name others besides. @throws ClusterError ERR_INVALID_ARGUMENT when there are only others */
function reachable (addresses: readonly string[], log: Logger): readonly string[] {
  const usable = addresses.filter(address => dialable(address) !== undefined)
  const others = addresses.filter(address => dialable(address) === undefined)
  if (others.length === 0) return usable
  if (usable.length === 0) throw new ClusterError('ERR_INVALID_ARGUMENT', `cluster.peer_addresses: expected a TCP address of a peer like /ip4/10.0.0.1/tcp/9096/p2p/12D3Koo…, got ${others.join(', ')}`)
  log.for('cluster').warn('peers are reached over TCP only', { peerAddressesLeftOut: others })
  return usable
}
