import { counted } from '../cluster/stats/counted.ts'
import { samplesOf } from '../cluster/stats/samples.ts'
import type { SamplesComponents } from '../cluster/stats/samples.ts'
import { createStats } from '../cluster/stats/server.ts'
import type { Stats, StatsComponents } from '../cluster/stats/server.ts'
import type { IpfsConnector } from '../cluster/ports.ts'
import type { PeerConfigs } from './service/sections.ts'

type Told = Omit<SamplesComponents, 'counts' | 'diskMetric'> & Pick<StatsComponents, 'clock' | 'log'>

/** The connector that the peer is to use, and what tells the numbers; nothing is counted unless that is configured. */
export function composeStats (connector: IpfsConnector, { stats: config, disk }: PeerConfigs): { readonly ipfs: IpfsConnector, readonly statsOf: (told: Told) => Stats | undefined } {
  if (!config.enableStats) return { ipfs: connector, statsOf: () => undefined }
  const { ipfs, counts } = counted(connector)
  return {
    ipfs,
    statsOf: ({ clock, log, ...parts }) => createStats({ clock, log, samples: async options => await samplesOf({ ...parts, counts, diskMetric: disk.metricType }, options) }, config)
  }
}
