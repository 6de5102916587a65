import { alertToJson, metricToJson } from '../api/metric.ts'
import type { PeerLinks } from '../api/peer.ts'
import type { PeerId } from '../api/pin.ts'
import { nothing, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { RefusedError } from './rest-error.ts'
import { route } from './route.ts'
import type { RestCall, Route } from './route.ts'

const isReady = { method: 'GET', answer: { kind: 'none' }, refusals: [503], isOpen: true } as const

export const healthRoutes: readonly Route[] = [
  route({ ...isReady, path: '/health', about: 'Whether this peer can do its work: it knows a leader, its disk has room, its clock is in step with the others\', its daemon answers. If not, 503 and why; ipfs-cluster\'s tests nothing.' }, readiness),
  route({ ...isReady, path: '/health/ready', about: 'The same as /health. An addition.' }, readiness),
  route({
    method: 'GET', path: '/health/live', about: 'Whether the process answers. An addition.', answer: { kind: 'none' }, isOpen: true
  }, () => nothing),
  route({
    method: 'GET', path: '/health/graph', about: 'Who is connected with whom. A member that does not answer is there without links.', answer: { kind: 'value', of: 'ConnectGraph' }
  }, connectionGraph),
  route({
    method: 'GET', path: '/health/alerts', about: 'Metrics that were not renewed in time, the newest first, as this peer has seen it.', answer: { kind: 'list', of: 'Alert' }
  }, ({ monitor }) => valueAnswer(monitor.alerts().map(alertToJson))),
  route({
    method: 'GET', path: '/health/bandwidth', about: 'Bytes between this peer and the others since it started, and a second, by protocol. What libp2p itself says is not counted.', answer: { kind: 'value', of: 'Bandwidth' }
  }, ({ traffic }) => valueAnswer(Object.fromEntries([...traffic()].map(([protocol, { totalIn, totalOut, rateIn, rateOut }]) => [protocol, { total_in: totalIn, total_out: totalOut, rate_in: rateIn, rate_out: rateOut }])))),
  route({
    method: 'GET', path: '/monitor/metrics', about: 'Names of what the peers measure of themselves.', answer: { kind: 'list', of: 'text' }
  }, ({ monitor }) => valueAnswer(monitor.names())),
  route({
    method: 'GET', path: '/monitor/metrics/:name', about: 'The latest of one metric by each peer. What could not be measured is left out; a name that nobody measures is an empty list.', answer: { kind: 'list', of: 'Metric' }
  }, ({ monitor, path }) => valueAnswer(monitor.latest(path['name']!).filter(({ isValid }) => isValid).map(metricToJson)))
]

async function readiness ({ overview, signal }: RestCall): Promise<Answer> {
  const ailments = await overview.ailments({ signal })
  if (ailments.length > 0) throw new RefusedError(503, ailments.join('; '))
  return nothing
}

async function connectionGraph ({ cluster, overview, signal }: RestCall): Promise<Answer> {
  const links = await overview.links({ signal })
  const answered = [...links].filter((entry): entry is [PeerId, PeerLinks] => entry[1] !== undefined)
  const { everyone, peers: trusted } = overview.trusted()
  const daemons = answered.filter(([, { daemon }]) => daemon !== '')
  return valueAnswer({
    cluster_id: cluster.self,
    id_to_peername: Object.fromEntries(answered.map(([peer, { peername }]) => [peer, peername])),
    ipfs_links: Object.fromEntries(daemons.map(([, { daemon, daemonPeers }]) => [daemon, daemonPeers])),
    cluster_links: Object.fromEntries([...links].map(([peer, own]) => [peer, own?.peers ?? []])),
    cluster_trust_links: Object.fromEntries([...links.keys()].map(peer => [peer, everyone || trusted.includes(peer)])),
    cluster_to_ipfs: Object.fromEntries(daemons.map(([peer, { daemon }]) => [peer, daemon]))
  })
}
