import { createAdder } from '../adder/adder.ts'
import { createCluster } from '../cluster/cluster.ts'
import type { Clock } from '../cluster/clock.ts'
import { defaultReplication } from '../cluster/config/cluster-section.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'
import { createRaftConsensus } from '../cluster/consensus/raft-consensus.ts'
import { createAddingDaemon } from '../cluster/ipfs/adding-daemon.ts'
import { createIpfsConnector } from '../cluster/ipfs/connector.ts'
import { createRequests } from '../cluster/ipfs/requests.ts'
import type { Logger } from '../cluster/log.ts'
import { createPinTracker } from '../cluster/pintracker/tracker.ts'
import type { ClusterApi, Component, Consensus } from '../cluster/ports.ts'
import { createRest } from '../cluster/rest/server.ts'
import type { Rest } from '../cluster/rest/server.ts'
import { createPinset } from '../cluster/state/pinset.ts'
import { createStore } from '../cluster/store/store.ts'
import { createUpkeep } from '../cluster/upkeep.ts'
import { createProxy } from '../proxy/server.ts'
import type { Proxy } from '../proxy/server.ts'
import type { PeerFolder, Settings } from './service/folder.ts'
import { version } from './version.ts'

export interface ComposeParts {
  readonly folder: PeerFolder
  readonly settings: Settings
  /** The daemon that was chosen, which need not be the configured one. */
  readonly daemon: { readonly endpoint: Endpoint, readonly isEmbedded: boolean }
  readonly clock: Clock
  readonly log: Logger
  /** The peer cannot go on and has to be ended. */
  readonly failed: (reason: unknown) => void
}

export interface Composed {
  /** In starting order: what stands before may be relied on, the doors open last. */
  readonly components: readonly Component[]
  readonly cluster: ClusterApi
  readonly consensus: Consensus
  /** The doors; one that service.json leaves out stays shut. */
  readonly rest: Rest | undefined
  readonly proxy: Proxy | undefined
}

/** Configuration → a peer, built and idle. The one place that knows which implementation stands behind which seam. */
export function compose ({ folder, settings, daemon, clock, log, failed }: ComposeParts): Composed {
  const { configs, identity: { id: self }, written } = settings
  const ipfsConfig = { ...configs.ipfsHttp, nodeMultiaddress: daemon.endpoint, ...daemon.isEmbedded && { apiAuth: undefined } }
  // Where both were the same daemon, they stay so.
  const isOneDaemon = configs.proxy.nodeMultiaddress.multiaddr === configs.ipfsHttp.nodeMultiaddress.multiaddr
  const proxyConfig = isOneDaemon ? { ...configs.proxy, nodeMultiaddress: daemon.endpoint, ...daemon.isEmbedded && { nodeHttps: false, apiAuth: undefined } } : configs.proxy

  const store = createStore({ folder: folder.state })
  const state = createPinset({ store })
  const ipfs = createIpfsConnector({ clock, log: log.for('ipfshttp') }, ipfsConfig)
  const tracker = createPinTracker({ ipfs, state, store, clock, log: log.for('pintracker'), self }, configs.pinTracker)
  const consensus = createRaftConsensus({ store, state, applied: tracker, self, log: log.for('raft'), failed }, { ...configs.raft, folder: folder.raft, found: true })
  const cluster = createCluster({ self, consensus, tracker, ipfs, clock, log: log.for('cluster') }, {
    peername: configs.cluster.peername,
    version,
    replication: defaultReplication(configs.cluster),
    addresses: []
  })
  const upkeep = createUpkeep({ self, consensus, tracker, clock, log: log.for('upkeep') }, configs.cluster)
  const requests = createRequests({ clock }, { endpoint: daemon.endpoint, apiAuth: ipfsConfig.apiAuth })
  const adder = createAdder({ cluster, daemon: createAddingDaemon(requests), putBlocks: async (_peer, blocks, roots, call) => await ipfs.importBlocks(blocks, roots, call), clock })

  const rest = written.has('rest') ? createRest({ cluster, adder, clock, log: log.for('restapi'), version }, configs.rest, folder.path) : undefined
  const proxy = written.has('proxy') ? createProxy({ cluster, adder, clock, log }, proxyConfig) : undefined
  const adding: Component = { name: 'adder', start: async () => {}, [Symbol.asyncDispose]: () => requests[Symbol.asyncDispose]() }
  return { components: [store, ipfs, consensus, tracker, upkeep, adding, ...[rest, proxy].filter(door => door !== undefined)], cluster, consensus, rest, proxy }
}
