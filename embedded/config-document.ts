/** The daemon's settings in the shape of Kubo's config file: what it heeds with the values it has, all else as Kubo without a network has it. */
import type { GoValue } from '../cluster/api/kubo/go-json.ts'
import type { EmbeddedNode } from './node.ts'

/** What only the running daemon knows of itself. */
export interface DescribedDaemon {
  readonly apiAddress: string
  readonly swarm: readonly string[]
  /** As it was given. */
  readonly config: object
}

interface Section { readonly [key: string]: GoValue }

/** The private key is never in it. */
export function configDocument ({ peerId, imports, storageMaxBytes }: EmbeddedNode, { apiAddress, swarm, config }: DescribedDaemon): Section {
  const isDefault = imports.cidVersion === 0
  const document: Section = {
    API: { HTTPHeaders: {} },
    Addresses: { API: apiAddress, Announce: [], AppendAnnounce: [], Gateway: [], NoAnnounce: [], Swarm: swarm },
    AutoConf: { Enabled: false },
    AutoNAT: {},
    AutoTLS: { Enabled: false },
    Bitswap: {},
    Bootstrap: [],
    DNS: { Resolvers: {} },
    Datastore: { BlockKeyCacheSize: null, BloomFilterSize: 0, GCPeriod: '1h', HashOnRead: false, Spec: null, StorageGCWatermark: 90, StorageMax: `${storageMaxBytes / 1_000_000_000n}GB` },
    Discovery: { MDNS: { Enabled: false } },
    Experimental: { FilestoreEnabled: false, Libp2pStreamMounting: false, OptimisticProvide: false, OptimisticProvideJobsPoolSize: 0, P2pHttpProxy: false, UrlstoreEnabled: false },
    Gateway: { AllowCodecConversion: null, DeserializedResponses: null, DisableHTMLErrors: null, ExposeRoutingAPI: null, HTTPHeaders: {}, NoDNSLink: false, NoFetch: false, PublicGateways: null, RootRedirect: '' },
    HTTPRetrieval: {},
    Identity: { PeerID: peerId },
    Import: {
      BatchMaxNodes: null, BatchMaxSize: null, CidVersion: isDefault ? null : imports.cidVersion, FastProvideDAG: null, FastProvideRoot: null, FastProvideWait: null,
      HashFunction: isDefault ? null : imports.hash, UnixFSChunker: isDefault ? null : imports.chunker, UnixFSDAGLayout: isDefault ? null : imports.layout,
      UnixFSDirectoryMaxLinks: isDefault ? null : imports.directoryLinksMax, UnixFSFileMaxLinks: isDefault ? null : imports.fileLinksMax,
      UnixFSHAMTDirectoryMaxFanout: isDefault ? null : imports.fanout, UnixFSHAMTDirectorySizeEstimation: isDefault ? null : imports.shardEstimation,
      UnixFSHAMTDirectorySizeThreshold: isDefault ? null : String(imports.shardSizeBytes), UnixFSRawLeaves: imports.rawLeaves ?? null
    },
    Internal: {},
    Ipns: { DelegatedPublishers: [], RecordLifetime: '', RepublishPeriod: '', ResolveCacheSize: 128 },
    Migration: {},
    Mounts: { FuseAllowOther: null, IPFS: '/ipfs', IPNS: '/ipns', MFS: '/mfs', StoreMode: null, StoreMtime: null },
    Peering: { Peers: null },
    Pinning: { RemoteServices: {} },
    Plugins: { Plugins: null },
    Provide: { DHT: {} },
    Provider: {},
    Pubsub: { DisableSigning: false, Router: '' },
    Reprovider: {},
    Routing: { DelegatedRouters: [], Type: 'none' },
    Swarm: {
      AddrFilters: null, ConnMgr: {}, DisableBandwidthMetrics: false, DisableNatPortMap: true, RelayClient: { Enabled: false }, RelayService: { Enabled: false },
      ResourceMgr: {}, Transports: { Multiplexers: {}, Network: { Relay: false }, Security: {} }
    },
    Version: {}
  }
  const given = Object.entries(config as Readonly<Record<string, Section>>).map(([section, values]) => [section, { ...document[section] as Section, ...values }] as const)
  return { ...document, ...Object.fromEntries(given) }
}
