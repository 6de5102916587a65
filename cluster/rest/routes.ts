import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { ClusterOverview } from '../peer-ports.ts'
import type { ClusterApi, Monitor } from '../ports.ts'
import type { Adder } from '../../adder/adder.ts'
import { valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { addContent } from './add.ts'
import { allocationReasons, listAllocations, oneAllocation } from './allocations.ts'
import { connectionGraph, listAlerts, listMetricNames, listMetrics, liveness, readiness } from './health.ts'
import { addPeer, listPeers, removePeer, thisPeer } from './peers.ts'
import type { PeerDetails } from './peer-details.ts'
import { listPins, onePin, pinCid, pinPath, recoverPin, recoverPins, unpinCid, unpinPath } from './pins.ts'
import { collectGarbage } from './repo.ts'
import { RefusedError } from './rest-error.ts'

export interface RestParts {
  readonly cluster: ClusterApi
  readonly overview: ClusterOverview
  readonly monitor: Pick<Monitor, 'names' | 'latest' | 'alerts'>
  readonly adder: Adder
  readonly clock: Clock
  readonly log: Logger
  readonly version: string
}

/** One request, as far as a handler is concerned. */
export interface RestCall extends RestParts {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly request: IncomingMessage
  readonly signal: AbortSignal
  details (): Promise<PeerDetails>
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly answer: (call: RestCall) => Promise<Answer> | Answer
}

/** A client that asks for what is not there yet is told so, not that the address is wrong. */
const later = (what: string) => (): never => { throw new RefusedError(501, `${what} is not supported by this version`) }

export const routes: readonly Route[] = [
  { method: 'GET', path: '/id', answer: thisPeer },
  { method: 'GET', path: '/version', answer: ({ version }) => valueAnswer({ version }) },
  { method: 'GET', path: '/health', answer: readiness },
  { method: 'GET', path: '/health/ready', answer: readiness },
  { method: 'GET', path: '/health/live', answer: liveness },
  { method: 'GET', path: '/health/graph', answer: connectionGraph },
  { method: 'GET', path: '/health/alerts', answer: listAlerts },
  { method: 'GET', path: '/monitor/metrics', answer: listMetricNames },
  { method: 'GET', path: '/monitor/metrics/:name', answer: listMetrics },
  { method: 'GET', path: '/peers', answer: listPeers },
  { method: 'POST', path: '/peers', answer: addPeer },
  { method: 'DELETE', path: '/peers/:peer', answer: removePeer },
  { method: 'POST', path: '/add', answer: addContent },
  { method: 'GET', path: '/allocations', answer: listAllocations },
  { method: 'GET', path: '/allocations/:cid', answer: oneAllocation },
  { method: 'GET', path: '/allocations/:cid/reasons', answer: allocationReasons },
  { method: 'GET', path: '/pins', answer: listPins },
  { method: 'GET', path: '/pins/:cid', answer: onePin },
  { method: 'POST', path: '/pins/:cid', answer: pinCid },
  { method: 'DELETE', path: '/pins/:cid', answer: unpinCid },
  { method: 'POST', path: '/pins/:namespace/*', answer: pinPath },
  { method: 'DELETE', path: '/pins/:namespace/*', answer: unpinPath },
  { method: 'POST', path: '/pins/:cid/recover', answer: recoverPin },
  { method: 'POST', path: '/pins/recover', answer: recoverPins },
  { method: 'POST', path: '/ipfs/gc', answer: collectGarbage },
  { method: 'GET', path: '/health/bandwidth', answer: later('bandwidth per protocol') },
  { method: 'POST', path: '/token', answer: later('a bearer token') }
]
