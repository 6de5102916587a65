import { createAdder } from '../adder/adder.ts'
import { createAgreedTime } from '../cluster/agreed-time.ts'
import { createBalancedAllocator } from '../cluster/allocator/balanced.ts'
import { pingName } from '../cluster/api/metric.ts'
import type { PeerId } from '../cluster/api/pin.ts'
import { createCluster } from '../cluster/cluster.ts'
import { steadyClock } from '../cluster/clock.ts'
import type { Clock } from '../cluster/clock.ts'
import { defaultReplication } from '../cluster/config/cluster-section.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'
import { createEtcdConsensus } from '../cluster/consensus/etcd/etcd-consensus.ts'
import { createRaftConsensus } from '../cluster/consensus/raft-consensus.ts'
import { createDestinations, putPromptly } from '../cluster/destinations.ts'
import { createDrain } from '../cluster/drain.ts'
import { createHolding } from '../cluster/holding.ts'
import { createDiskInformer } from '../cluster/informer/disk.ts'
import { createPinQueueInformer } from '../cluster/informer/pin-queue.ts'
import { createPingInformer } from '../cluster/informer/ping.ts'
import { createPublisher } from '../cluster/informer/publisher.ts'
import { createTagsInformer } from '../cluster/informer/tags.ts'
import { createAddingDaemon } from '../cluster/ipfs/adding-daemon.ts'
import { createIpfsConnector } from '../cluster/ipfs/connector.ts'
import { cumulativeSize } from '../cluster/ipfs/cumulative-size.ts'
import { createRequests } from '../cluster/ipfs/requests.ts'
import { swarmPeers } from '../cluster/ipfs/swarm-peers.ts'
import { createLinks } from '../cluster/links.ts'
import type { Logger } from '../cluster/log.ts'
import { createMeasuredNames } from '../cluster/measured-names.ts'
import { createMember } from '../cluster/member.ts'
import { createMonitor } from '../cluster/monitor/monitor.ts'
import { createOverview } from '../cluster/overview.ts'
import type { MemberConsensus } from '../cluster/peer-ports.ts'
import { createPinTracker } from '../cluster/pintracker/tracker.ts'
import { createPlacer } from '../cluster/placer.ts'
import type { Placer } from '../cluster/placer.ts'
import type { ClusterApi, Component, IpfsConnector } from '../cluster/ports.ts'
import { attentive, createPresence } from '../cluster/presence.ts'
import { pushBlocks } from '../cluster/remote-import.ts'
import { createMover } from '../cluster/mover.ts'
import { createRebalance } from '../cluster/rebalance.ts'
import { createRepinner } from '../cluster/repinner.ts'
import { libp2pIdentity } from '../cluster/rest/config.ts'
import type { RestConfig } from '../cluster/rest/config.ts'
import { createRest } from '../cluster/rest/server.ts'
import type { ListenOverLibp2p, Rest } from '../cluster/rest/server.ts'
import { createRootPin } from '../cluster/root-pin.ts'
import { createHandlers } from '../cluster/rpc-handlers.ts'
import { createPeerStore } from '../cluster/state/peer-store.ts'
import { createPinset } from '../cluster/state/pinset.ts'
import { createSwarmConnector } from '../cluster/swarm-connector.ts'
import { createTelling } from '../cluster/telling.ts'
import { createUpkeep } from '../cluster/upkeep.ts'
import { createProxy } from '../proxy/server.ts'
import type { Proxy } from '../proxy/server.ts'
import type { Stats } from '../cluster/stats/server.ts'
import { composeNetwork } from './compose-network.ts'
import { composeStats } from './compose-stats.ts'
import { engineOf } from './service/engine.ts'
import type { PeerFolder, Settings } from './service/folder.ts'
import { version } from './version.ts'

/** For so many pings in turn nobody may have been silent before pins are moved for the sake of balance: ten minutes, usually. */
const calmPings = 40
/** No ping counts for longer, unless they are rare here. */
const longestPingMs = 10 * 60_000

export interface ComposeParts {
  readonly folder: PeerFolder
  readonly settings: Settings
  /** The daemon that was chosen, which need not be the configured one. */
  readonly daemon: { readonly endpoint: Endpoint, readonly isEmbedded: boolean }
  /** Peers to join through. */
  readonly bootstrap: readonly string[]
  /** Has this peer removed from the cluster when it stops. */
  readonly leaves: boolean
  readonly clock: Clock
  readonly log: Logger
  /** The engine had to stop: this peer can agree to nothing any more. */
  readonly failed: (reason: unknown) => void
  /** This peer is no member of the cluster any more. */
  readonly removed: () => void
}

export interface Composed {
  /** In starting order: what stands before may be relied on, the doors open last. */
  readonly components: readonly Component[]
  readonly cluster: ClusterApi
  readonly consensus: MemberConsensus
  readonly ipfs: IpfsConnector
  readonly placer: Placer
  /** Where other peers reach this one; empty before the start. */
  readonly addresses: () => readonly string[]
  /** The doors; one that service.json leaves out stays shut. */
  readonly rest: Rest | undefined
  readonly proxy: Proxy | undefined
  /** Where Prometheus is told numbers, if it is. */
  readonly stats: Stats | undefined
}

/** Configuration → a peer, built and idle. The one place that knows which implementation stands behind which seam. */
export function compose (parts: ComposeParts): Composed {
  const { folder, settings, daemon, clock, log, failed } = parts
  const { configs, identity } = settings
  const self = identity.id
  const ipfsConfig = { ...configs.ipfsHttp, nodeMultiaddress: daemon.endpoint, ...daemon.isEmbedded && { apiAuth: undefined } }
  const store = createPeerStore({ folder: folder.state })
  const state = createPinset({ store })
  const { ipfs, statsOf } = composeStats(createIpfsConnector({ clock, log: log.for('ipfshttp') }, ipfsConfig), configs)
  const tracker = createPinTracker({ ipfs, state, store, clock, log: log.for('pintracker'), self }, configs.pinTracker)

  const network = composeNetwork({
    folder: folder.path, identity, cluster: configs.cluster, raft: configs.raft, bootstrap: parts.bootstrap, ipfs, clock, log, removed: parts.removed,
    handlers: () => handlers, trustOf: peer => consensus.isTrusted(peer) ? 'writer' : consensus.members().includes(peer) ? 'member' : 'open'
  })
  const { host, rpc } = network
  const telling = createTelling({ self, tracker, rpc, log: log.for('pintracker') })
  const consensus = engineOf(settings) === 'etcd'
    ? createEtcdConsensus({ store, state, applied: telling, self, log: log.for('etcd'), addresses: network.others.addresses, failed, removed: parts.removed }, { ...configs.etcd, folder: folder.state, secret: configs.cluster.secret ?? '', peername: configs.cluster.peername })
    : createRaftConsensus({ store, state, applied: telling, self, log: log.for('raft'), failed, others: network.others }, { ...configs.raft, folder: folder.raft, found: network.isFounder })
  const { membership } = consensus
  const peerset = (): readonly PeerId[] => consensus.peerset()
  const members = (): readonly PeerId[] => consensus.members()
  const draining = (): ReadonlySet<PeerId> => membership.draining()

  const presence = createPresence({
    self, peerset: members, look: async (peer, options) => await rpc.call(peer, 'Monitor.Receive', [], options), isFresh: peer => monitor.latest(pingName).some(ping => ping.peer === peer), clock
  })
  const attentiveRpc = attentive(rpc, presence)
  const monitor = createMonitor({
    self, peerset: members, clock: steadyClock, log: log.for('monitor'), longestPingMs: Math.max(longestPingMs, 4 * configs.cluster.monitorPingInterval), exchange: async (peer, measurements, options) => await attentiveRpc.call(peer, 'Monitor.Receive', measurements, options)
  }, configs.monitor)
  const time = createAgreedTime({ self, writers: () => consensus.writers(), monitor, clock, steady: steadyClock })
  const informers = [
    createPingInformer({ ipfs, clock, aheadMs: time.aheadMs }, configs.cluster), createDiskInformer({ ipfs, clock }, configs.disk),
    createPinQueueInformer({ tracker }, configs.pinQueue), createTagsInformer(configs.tags)
  ]
  const publisher = createPublisher({ informers, monitor, clock, log: log.for('informer') })
  const allocator = createBalancedAllocator(configs.balanced)
  const measuredNames = createMeasuredNames({ self, allocator, monitor, log: log.for('allocator') })
  const placer = createPlacer({ self, peerset, draining, silent: () => presence.silent(), monitor, allocator })
  const destinations = createDestinations({ peerset: members, look: async (peer, options) => { await (peer === self ? ipfs.id(options) : attentiveRpc.call(peer, 'Cluster.Id', undefined, options)) }, clock })
  const holding = createHolding({ self, rpc: attentiveRpc, clock })
  const cluster = createCluster({ self, consensus, tracker, ipfs, rpc: attentiveRpc, presence, destinations, holding, placer, clock: time, log: log.for('cluster') }, {
    peername: configs.cluster.peername,
    version,
    replication: defaultReplication(configs.cluster),
    addresses: () => host.addresses(),
    othersAddresses: () => membership.members().filter(({ peer }) => peer !== self).flatMap(({ addresses }) => addresses)
  })
  const requests = createRequests({ clock }, { endpoint: daemon.endpoint, apiAuth: ipfsConfig.apiAuth })
  const links = createLinks({ self, peername: configs.cluster.peername, peerset, connected: () => host.connected(), ipfs, daemonPeers: async options => await swarmPeers(requests, options), rpc: attentiveRpc, clock })
  const rebalance = createRebalance({
    self, consensus, draining, monitor, allocator, clock: steadyClock, sizeOf: async (cid, options) => await cumulativeSize(requests, cid, options),
    mover: createMover({ consensus, status: async (cid, options) => await cluster.status(cid, options), clock, log: log.for('rebalance') })
  }, { calmMs: calmPings * configs.cluster.monitorPingInterval })
  const overview = createOverview({ self, consensus, membership, drain: createDrain({ consensus, membership, placer }), rebalance, tracker, rpc: attentiveRpc, ipfs, placer, links, ensureRoom: bytes => store.ensureRoom(bytes), clock, aheadMs: time.aheadMs })
  const handlers = createHandlers({ consensus, membership, tracker, ipfs, monitor, holding, presence, id: async options => await cluster.id(options), links: async options => await links.own(options), clock })
  const member = createMember({ self, consensus, membership, bootstrap: network.bootstrap, addresses: () => host.addresses(), learn: (peer, addresses) => { host.learn(peer, addresses) }, clock, log: log.for('cluster') }, { leaves: parts.leaves })
  const swarm = createSwarmConnector({ self, membership, rpc: attentiveRpc, connect: async (addresses, options) => { await ipfs.connect(addresses, options) }, clock, log: log.for('ipfshttp') }, configs.ipfsHttp)
  const upkeep = createUpkeep({ self, consensus, tracker, clock, agreedMs: time.agreedMs, log: log.for('upkeep') }, configs.cluster)
  const repinner = createRepinner({ self, consensus, draining, monitor, placer, status: async (cid, options) => await cluster.status(cid, options), clock: steadyClock, log: log.for('repinning') }, configs.cluster)

  const adder = createAdder({
    cluster, daemon: createAddingDaemon(requests), clock,
    putBlocks: putPromptly({
      self, destinations,
      put: async (peer, blocks, roots, call) => peer === self ? await ipfs.importBlocks(blocks, roots, call) : await pushBlocks(attentiveRpc, peer, blocks, roots, call)
    })
  })
  const rootPin = createRootPin({ self, consensus, placer, clock: time }, { replication: defaultReplication(configs.cluster) })
  const adding: Component = { name: 'adder', start: async () => {}, [Symbol.asyncDispose]: () => requests[Symbol.asyncDispose]() }
  const { rest, proxy } = doors(parts, { cluster, adder })
  const stats = statsOf({ self, consensus, tracker, monitor, clock, log: log.for('stats') })
  return {
    components: [
      store, ...network.components, ipfs, consensus, member, presence, destinations, monitor, publisher, measuredNames, tracker, telling, swarm, upkeep, repinner, adding,
      ...[stats, rest, proxy].filter(door => door !== undefined)
    ],
    cluster, consensus, ipfs, placer, addresses: () => host.addresses(), rest, proxy, stats
  }

  function doors ({ settings: { configs, written } }: ComposeParts, { cluster, adder }: { readonly cluster: ClusterApi, readonly adder: ReturnType<typeof createAdder> }): Pick<Composed, 'rest' | 'proxy'> {
    // Where both were the same daemon, they stay so.
    const isOneDaemon = configs.proxy.nodeMultiaddress.multiaddr === configs.ipfsHttp.nodeMultiaddress.multiaddr
    const proxyConfig = isOneDaemon ? { ...configs.proxy, nodeMultiaddress: daemon.endpoint, ...daemon.isEmbedded && { nodeHttps: false, apiAuth: undefined } } : configs.proxy
    return {
      rest: written.has('rest') ? createRest({ cluster, overview, monitor, adder, traffic: () => host.traffic(), overLibp2p: overLibp2p(configs.rest), clock: time, log: log.for('restapi'), version }, configs.rest, folder.path) : undefined,
      proxy: written.has('proxy') ? createProxy({ cluster, adder, followRoot: (root, options) => rootPin.follow(root, options), clock, log }, proxyConfig) : undefined
    }
  }
}

/** What libp2p needs there is loaded by who has it configured. */
function overLibp2p ({ libp2pListenMultiaddress: listen, id, privateKey }: RestConfig): ListenOverLibp2p | undefined {
  if (id === undefined || privateKey === undefined) return undefined
  return async serve => {
    const { listenOverLibp2p } = await import('../cluster/peers/http-host.ts')
    return await listenOverLibp2p({ identity: libp2pIdentity(id, privateKey), listen }, serve)
  }
}
