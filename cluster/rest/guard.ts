import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../config/endpoint.ts'
import type { Endpoint } from '../config/endpoint.ts'
import type { RestConfig } from './config.ts'
import { hostOf } from './http-version.ts'
import { RefusedError } from './rest-error.ts'
import { routes } from './routes.ts'
import type { Users } from './users.ts'

type Headers = Readonly<Record<string, string>>

/** Lets a request in or refuses it, and says which headers its answer gets. */
export interface Guard {
  /** @throws RefusedError 401 or 403 */
  admit (request: IncomingMessage): void
  headersFor (request: IncomingMessage): Headers
  /** What an OPTIONS request of a browser is told. */
  preflight (request: IncomingMessage): Headers
}

/**
 * @param users nobody needs credentials where there are none
 * @param endpoint where it listens; undefined is libp2p
 */
export function createGuard (config: RestConfig, users: Users | undefined, endpoint: Endpoint | undefined): Guard {
  const { corsAllowedOrigins, corsAllowedMethods, corsAllowedHeaders, corsExposedHeaders, corsAllowCredentials, corsMaxAge } = config
  const added = Object.fromEntries(Object.entries(config.headers).map(([name, values]) => [name, values.join(', ')]))
  const isAllowed = (origin: string): boolean => corsAllowedOrigins.includes('*') || corsAllowedOrigins.includes(origin)
  const allowOrigin = (origin: string): Headers => {
    if (corsAllowedOrigins.includes('*')) return { 'access-control-allow-origin': '*' }
    return { 'access-control-allow-origin': origin, ...corsAllowCredentials && { 'access-control-allow-credentials': 'true' } }
  }

  return {
    admit (request) {
      if (users === undefined) refuseRebinding(request, endpoint)
      else if (!isOpen(request)) users.authorize(request)
      const { origin } = request.headers
      if (origin === undefined || isSameOrigin(origin, request) || isHarmless(request)) return
      if (!isAllowed(origin) || !corsAllowedMethods.includes(request.method ?? '')) {
        throw new RefusedError(403, `${request.method} is not allowed for web pages of ${origin}; see cors_allowed_origins and cors_allowed_methods`)
      }
    },
    headersFor ({ headers: { origin } }) {
      if (origin === undefined || !isAllowed(origin)) return { ...added, vary: 'Origin' }
      return { ...added, vary: 'Origin', ...allowOrigin(origin), ...corsExposedHeaders.length > 0 && { 'access-control-expose-headers': corsExposedHeaders.join(', ') } }
    },
    preflight ({ headers: { origin, 'access-control-request-method': method } }) {
      if (origin === undefined || method === undefined || !isAllowed(origin) || !corsAllowedMethods.includes(method)) return {}
      return {
        ...allowOrigin(origin),
        'access-control-allow-methods': method,
        ...corsAllowedHeaders.length > 0 && { 'access-control-allow-headers': corsAllowedHeaders.join(', ') },
        ...corsMaxAge > 0 && { 'access-control-max-age': String(Math.floor(corsMaxAge / 1_000)) }
      }
    }
  }
}

/** What needs no credentials: a browser's question, and whether we are there at all. */
function isOpen ({ method, url = '' }: IncomingMessage): boolean {
  return method === 'OPTIONS' || routes.some(({ isOpen = false, method: open, path }) => isOpen && open === method && path === url.split('?')[0])
}

/** Browsers let any page send these; they change nothing, and the page cannot read the answer unless it is allowed to. */
const isHarmless = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

function isSameOrigin (origin: string, request: IncomingMessage): boolean {
  const host = hostOf(request)
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}

/**
 * A page can give its own name the address 127.0.0.1 and then counts as of the same origin. Who listens for this machine only,
 * without passwords, answers to this machine's names only.
 */
function refuseRebinding (request: IncomingMessage, endpoint: Endpoint | undefined): void {
  const host = hostOf(request) ?? ''
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (endpoint === undefined || endpoint.kind === 'unix' || !isLoopback(endpoint)) return
  if (name !== '' && name !== 'localhost' && isIP(name) === 0) {
    throw new RefusedError(403, `the Host header names ${JSON.stringify(name)}, but this API is for this machine only; set basic_auth_credentials to serve it under a name`)
  }
}
