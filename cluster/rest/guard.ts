import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../config/endpoint.ts'
import type { Endpoint } from '../config/endpoint.ts'
import type { RestConfig } from './config.ts'
import { RefusedError } from './rest-error.ts'

type Headers = Readonly<Record<string, string>>

/** Lets a request in or refuses it, and says which headers its answer gets. */
export interface Guard {
  /** @throws RefusedError 401 or 403 */
  admit (request: IncomingMessage): void
  headersFor (request: IncomingMessage): Headers
  /** What an OPTIONS request of a browser is told. */
  preflight (request: IncomingMessage): Headers
}

export class UnauthorizedError extends RefusedError {
  readonly challenge = 'Basic realm="Restricted IPFS Cluster API"'
}

export function createGuard (config: RestConfig, endpoint: Endpoint): Guard {
  const { corsAllowedOrigins, corsAllowedMethods, corsAllowedHeaders, corsExposedHeaders, corsMaxAge } = config
  const passwords = config.basicAuthCredentials === undefined ? undefined : new Map(Object.entries(config.basicAuthCredentials).map(([user, password]) => [user, digest(password)]))
  const added = Object.fromEntries(Object.entries(config.headers).map(([name, values]) => [name, values.join(', ')]))
  const isAllowed = (origin: string): boolean => corsAllowedOrigins.includes('*') || corsAllowedOrigins.includes(origin)
  const allowOrigin = (origin: string): Headers => ({ 'access-control-allow-origin': corsAllowedOrigins.includes('*') ? '*' : origin })

  return {
    admit (request) {
      if (passwords === undefined) refuseRebinding(request, endpoint)
      else if (!isOpen(request)) authorize(request, passwords)
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
  return method === 'OPTIONS' || (method === 'GET' && /^\/health(\/live|\/ready)?($|\?)/.test(url))
}

/** Browsers let any page send these; they change nothing, and the page cannot read the answer unless it is allowed to. */
const isHarmless = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

function isSameOrigin (origin: string, { headers: { host } }: IncomingMessage): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}

/**
 * A page can give its own name the address 127.0.0.1 and then counts as of the same origin. Who listens for this machine only,
 * without passwords, answers to this machine's names only.
 */
function refuseRebinding ({ headers: { host = '' } }: IncomingMessage, endpoint: Endpoint): void {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (endpoint.kind === 'unix' || !isLoopback(endpoint)) return
  if (name !== '' && name !== 'localhost' && isIP(name) === 0) {
    throw new RefusedError(403, `the Host header names ${JSON.stringify(name)}, but this API is for this machine only; set basic_auth_credentials to serve it under a name`)
  }
}

function authorize ({ headers: { authorization } }: IncomingMessage, passwords: ReadonlyMap<string, Buffer>): void {
  if (authorization === undefined) throw new UnauthorizedError(401, 'unauthorized: no auth provided')
  const [, basic] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? []
  const [user, password] = splitOnce(Buffer.from(basic ?? '', 'base64').toString('utf8'))
  // A user who is not there costs as much time as one with a wrong password.
  const expected = passwords.get(user) ?? digest('')
  const isRight = timingSafeEqual(digest(password), expected)
  if (!isRight || !passwords.has(user)) throw new UnauthorizedError(401, 'unauthorized: access denied')
}

function splitOnce (text: string): [string, string] {
  const at = text.indexOf(':')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
