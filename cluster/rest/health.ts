import { alertToJson, metricToJson } from '../api/metric.ts'
import type { PeerLinks } from '../api/peer.ts'
import type { PeerId } from '../api/pin.ts'
import { nothing, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { RefusedError } from './rest-error.ts'
import type { RestCall } from './routes.ts'

/** `GET /health` and `/health/ready`: 204 when this peer can do its work, else 503 and why. ipfs-cluster's tests nothing. */
export async function readiness ({ overview, signal }: RestCall): Promise<Answer> {
  const ailments = await overview.ailments({ signal })
  if (ailments.length > 0) throw new RefusedError(503, ailments.join('; '))
  return nothing
}

/** `GET /health/live`: the process answers. */
export const liveness = (): Answer => nothing

export function listAlerts ({ monitor }: RestCall): Answer {
  return valueAnswer(monitor.alerts().map(alertToJson))
}

export function listMetricNames ({ monitor }: RestCall): Answer {
  return valueAnswer(monitor.names())
}

/** As ipfs-cluster, what could not be measured is left out, and a name that nobody measures is an empty list. */
export function listMetrics ({ monitor, params }: RestCall): Answer {
  return valueAnswer(monitor.latest(params['name']!).filter(({ isValid }) => isValid).map(metricToJson))
}

/** `GET /health/graph`: ipfs-cluster's ConnectGraph. A member that does not answer is there without links. */
export async function connectionGraph ({ cluster, overview, signal }: RestCall): Promise<Answer> {
  const links = await overview.links({ signal })
  const answered = [...links].filter((entry): entry is [PeerId, PeerLinks] => entry[1] !== undefined)
  const daemons = answered.filter(([, { daemon }]) => daemon !== '')
  return valueAnswer({
    cluster_id: cluster.self,
    id_to_peername: Object.fromEntries(answered.map(([peer, { peername }]) => [peer, peername])),
    ipfs_links: Object.fromEntries(daemons.map(([, { daemon, daemonPeers }]) => [daemon, daemonPeers])),
    cluster_links: Object.fromEntries([...links].map(([peer, own]) => [peer, own?.peers ?? []])),
    cluster_trust_links: Object.fromEntries([...links.keys()].map(peer => [peer, true])),
    cluster_to_ipfs: Object.fromEntries(daemons.map(([peer, { daemon }]) => [peer, daemon]))
  })
}
