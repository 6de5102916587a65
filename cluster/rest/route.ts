import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import { didYouMean } from '../config/suggestion.ts'
import type { Logger } from '../log.ts'
import type { ClusterOverview, ProtocolTraffic } from '../peer-ports.ts'
import type { ClusterApi, Monitor } from '../ports.ts'
import type { Adder } from '../../adder/adder.ts'
import type { Answer } from './answer.ts'
import type { ObjectName } from './objects.ts'
import { word } from './parameters.ts'
import type { Parameters, ValuesOf } from './parameters.ts'
import type { PeerDetails } from './peer-details.ts'
import { RefusedError } from './rest-error.ts'
import type { Schema } from './schema.ts'

/** What the endpoints answer from. */
export interface RestParts {
  readonly cluster: ClusterApi
  readonly overview: ClusterOverview
  readonly monitor: Pick<Monitor, 'names' | 'latest' | 'alerts'>
  readonly adder: Adder
  readonly traffic: () => ReadonlyMap<string, ProtocolTraffic>
  readonly clock: Clock
  readonly log: Logger
  readonly version: string
}

/** One request as it came in. */
export interface RawCall extends RestParts {
  /** What stands in the path, by the names in the route's. */
  readonly path: Readonly<Record<string, string>>
  readonly search: URLSearchParams
  readonly request: IncomingMessage
  readonly signal: AbortSignal
  details (): Promise<PeerDetails>
  /** A bearer token for whoever asks. @throws UnauthorizedError where no users are configured */
  token (): string
}

/** One request, as far as a handler is concerned: its query is checked. */
export interface RestCall<Q = unknown> extends Omit<RawCall, 'search'> {
  readonly query: Q
  /** The `meta-<key>` parameters of routes that take them. */
  readonly metadata: Readonly<Record<string, string>>
}

/** What a handler hands back when all goes well: one object, an array, objects one a line (or 204 for none), or 204. */
export type AnswerShape =
  | { readonly kind: 'value' | 'list' | 'lines', readonly of: ObjectName | 'text' }
  | { readonly kind: 'lines or list', readonly of: ObjectName }
  | { readonly kind: 'document' }
  | { readonly kind: 'none' }

/** All that is known of one endpoint: what serves it and what describes it come from here. */
export interface RouteSpec<Q extends Parameters = Parameters> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With `:name` for one step and `*` for all that follow. */
  readonly path: string
  readonly about: string
  readonly query?: Q
  /** Whether any `meta-<key>=<value>` may stand in the query. */
  readonly takesMetadata?: boolean
  readonly body?: { readonly type: string, readonly schema: Schema }
  readonly answer: AnswerShape
  /** Statuses of refusals beside those that any route has. */
  readonly refusals?: readonly (404 | 503)[]
  /** Answered without credentials. */
  readonly isOpen?: boolean
}

export interface Route extends RouteSpec {
  /** @throws RefusedError 400 for a query that is not as the route says */
  readonly serve: (call: RawCall) => Promise<Answer> | Answer
}

/** Of every stream: `fetch` has no trailers, so who asks with it learns of a failure this way only. */
const streamParameters = {
  'stream-error': word('Where a failure after the first line is told: in the trailer X-Stream-Error alone, or also in a last line, an Error. An addition.', ['trailer', 'line'], 'trailer')
} as const satisfies Parameters

export function route<const Q extends Parameters = Record<never, never>> (spec: RouteSpec<Q>, serve: (call: RestCall<ValuesOf<Q>>) => Promise<Answer> | Answer): Route {
  const isStream = spec.answer.kind === 'lines' || spec.answer.kind === 'lines or list'
  const parameters: Parameters = { ...spec.query, ...isStream && streamParameters }
  return {
    ...spec,
    query: parameters,
    async serve (call) {
      const query = valuesIn(call.search, parameters, spec.takesMetadata === true)
      const answer = await serve({ ...call, query: query as ValuesOf<Q>, metadata: metadataIn(call.search) })
      return answer.kind === 'lines' ? { ...answer, failure: (query as ValuesOf<typeof streamParameters>)['stream-error'] } : answer
    }
  }
}

const metaPrefix = 'meta-'

/** A parameter that is not known is refused: an option that is misspelt and silently ignored does something else than was asked for. */
function valuesIn (search: URLSearchParams, parameters: Parameters, takesMetadata: boolean): Record<string, unknown> {
  const isKnown = (key: string): boolean => Object.hasOwn(parameters, key) || (takesMetadata && key.startsWith(metaPrefix))
  const stranger = [...search.keys()].find(key => !isKnown(key))
  if (stranger !== undefined) throw new RefusedError(400, `parameter ${stranger} unknown${didYouMean(stranger, Object.keys(parameters))}`)
  return Object.fromEntries(Object.entries(parameters).map(([name, { fallback, read, refusal = (why: string) => `parameter ${name} invalid: ${why}` }]) => {
    const text = search.get(name)
    if (text === null || text === '') return [name, fallback]
    try {
      return [name, read(text)]
    } catch (err) {
      throw new RefusedError(400, refusal((err as Error).message))
    }
  }))
}

/** An empty key says nothing, as in ipfs-cluster. */
function metadataIn (search: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...search].filter(([key]) => key.startsWith(metaPrefix) && key !== metaPrefix).map(([key, text]) => [key.slice(metaPrefix.length), text]))
}
