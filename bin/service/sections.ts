import { balancedSection } from '../../cluster/allocator/config.ts'
import { clusterSection } from '../../cluster/config/cluster-section.ts'
import { local, multiaddrs, oneOf, section } from '../../cluster/config/section.ts'
import type { Configs } from '../../cluster/config/service-json.ts'
import { raftSection } from '../../cluster/consensus/config.ts'
import { etcdSection } from '../../cluster/consensus/etcd/config.ts'
import { diskSection, pinQueueSection, tagsSection } from '../../cluster/informer/config.ts'
import { ipfsHttpSection } from '../../cluster/ipfs/config.ts'
import { monitorSection } from '../../cluster/monitor/config.ts'
import { pinTrackerSection } from '../../cluster/pintracker/config.ts'
import { restSection } from '../../cluster/rest/config.ts'
import { statsSection } from '../../cluster/stats/config.ts'
import { proxySection } from '../../proxy/config.ts'

const embeddedSection = section('ipfs_connector.embedded', 'CLUSTER_EMBEDDED', {
  /** The daemon inside this process: `auto` starts it when no Kubo answers and none ever has, `always` and `never` say it themselves. */
  use: local(oneOf('auto', ['auto', 'always', 'never'])),
  /** Where it listens for other IPFS daemons, as Kubo's `Addresses.Swarm`. Without any: on loopback, at a port of its own choice that it keeps. */
  swarmAddresses: local(multiaddrs([]))
})

/** Every section of `service.json`, in the order in which `init` writes them. */
export const sections = {
  cluster: clusterSection,
  raft: raftSection,
  etcd: etcdSection,
  proxy: proxySection,
  rest: restSection,
  ipfsHttp: ipfsHttpSection,
  embedded: embeddedSection,
  pinTracker: pinTrackerSection,
  monitor: monitorSection,
  balanced: balancedSection,
  disk: diskSection,
  tags: tagsSection,
  pinQueue: pinQueueSection,
  stats: statsSection
} as const

export type PeerConfigs = Configs<typeof sections>
