import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { ClusterApi } from '../ports.ts'
import type { Adder } from '../../adder/adder.ts'
import { nothing, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { addContent } from './add.ts'
import { listAllocations, oneAllocation } from './allocations.ts'
import { listPeers, thisPeer } from './peers.ts'
import type { PeerDetails } from './peer-details.ts'
import { listPins, onePin, pinCid, pinPath, recoverPin, recoverPins, unpinCid, unpinPath } from './pins.ts'
import { collectGarbage } from './repo.ts'
import { RefusedError } from './rest-error.ts'

export interface RestParts {
  readonly cluster: ClusterApi
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
  { method: 'GET', path: '/health', answer: () => nothing },
  { method: 'GET', path: '/peers', answer: listPeers },
  { method: 'POST', path: '/add', answer: addContent },
  { method: 'GET', path: '/allocations', answer: listAllocations },
  { method: 'GET', path: '/allocations/:cid', answer: oneAllocation },
  { method: 'GET', path: '/pins', answer: listPins },
  { method: 'GET', path: '/pins/:cid', answer: onePin },
  { method: 'POST', path: '/pins/:cid', answer: pinCid },
  { method: 'DELETE', path: '/pins/:cid', answer: unpinCid },
  { method: 'POST', path: '/pins/:namespace/*', answer: pinPath },
  { method: 'DELETE', path: '/pins/:namespace/*', answer: unpinPath },
  { method: 'POST', path: '/pins/:cid/recover', answer: recoverPin },
  { method: 'POST', path: '/pins/recover', answer: recoverPins },
  { method: 'POST', path: '/ipfs/gc', answer: collectGarbage },
  { method: 'POST', path: '/peers', answer: later('adding a peer') },
  { method: 'DELETE', path: '/peers/:peer', answer: later('removing a peer') },
  { method: 'GET', path: '/health/graph', answer: later('the connection graph') },
  { method: 'GET', path: '/health/alerts', answer: later('the list of alerts') },
  { method: 'GET', path: '/health/bandwidth', answer: later('bandwidth per protocol') },
  { method: 'GET', path: '/monitor/metrics', answer: later('the list of metrics') },
  { method: 'GET', path: '/monitor/metrics/:name', answer: later('the list of metrics') },
  { method: 'POST', path: '/token', answer: later('a bearer token') }
]
