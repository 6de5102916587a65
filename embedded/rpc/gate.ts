/** What a request meets before any command: Go's mux, the version check, `API.Authorizations`, CORS, Kubo's guard — in this order. */
import { splitTarget, unescapeGo } from '../../cluster/api/kubo/query.ts'
import { header } from '../http/request-head.ts'
import type { Response } from '../http/response.ts'
import type { Request } from '../http/server.ts'
import { accessDenied, createAuthorizer } from './authorizations.ts'
import type { ConfiguredAuthorizations } from './authorizations.ts'
import { createOrigins } from './origins.ts'
import type { ConfiguredHeaders } from './origins.ts'
import { answerShort, answerText } from './text-answers.ts'

const apiPrefix = '/api/v0'
const allow = ['Allow', ['OPTIONS, POST']] as const
export const notFound = '404 page not found'

export interface GateConfig {
  readonly httpHeaders: ConfiguredHeaders
  readonly authorizations: ConfiguredAuthorizations
  readonly version: string
}

/** A request that may run a command. */
export interface Admitted {
  readonly request: Request
  readonly response: Response
  /** Behind `/api/v0/`, unescaped. */
  readonly path: string
  readonly rawQuery: string
  /** CORS headers for whatever is answered from here on. */
  readonly headers: readonly (readonly [string, readonly string[]])[]
}

export function createGate ({ httpHeaders, authorizations, version }: GateConfig, port: number, run: (admitted: Admitted) => Promise<void>): (request: Request, response: Response) => Promise<void> {
  const origins = createOrigins(httpHeaders, port)
  const isAuthorized = createAuthorizer(authorizations)

  return async (request, response) => {
    if (request.method === 'OPTIONS' && request.target === '*') return await answerShort(request, response, 200, new Map([['Content-Length', ['0']]]))
    const { path: rawPath, query } = splitTarget(request.target)
    const path = unescapeGo(rawPath.replace(/#.*$/s, '#'), 'path')
    if (path === undefined || !path.startsWith('/') || request.method === 'CONNECT') return await answerText(request, response, 404, notFound)

    const clean = cleanPath(rawPath)
    if (clean !== rawPath) return await redirect(request, response, query === '' ? clean : `${clean}?${query}`)
    if (path === '/version') return await answerShort(request, response, 200, new Map(), `Commit: \nClient Version: kubo/${version}\n`, 'text/plain; charset=utf-8')
    if (!path.startsWith(`${apiPrefix}/`)) return await answerText(request, response, 404, notFound)

    const agent = header(request, 'user-agent') ?? ''
    const ours = `/kubo/${version}/`
    if (path !== `${apiPrefix}/version` && /\/(?:kubo|go-ipfs)\//.test(agent) && agent !== ours) {
      return await answerText(request, response, 400, `api version mismatch (${ours} != ${agent})`)
    }
    if (!isAuthorized(request, path)) return await answerText(request, response, 403, accessDenied)

    if (request.method === 'OPTIONS' && header(request, 'access-control-request-method') !== undefined) {
      return await answerShort(request, response, 204, new Map(origins.preflightHeaders(request)))
    }
    const headers = origins.corsHeaders(request)
    if (request.method === 'OPTIONS') return await answerShort(request, response, 204, new Map([...headers, allow]))
    if (request.method !== 'POST') return await answerText(request, response, 405, '405 - Method Not Allowed', [...withoutOrigin(headers), allow])
    if (origins.isForbidden(request)) return await answerText(request, response, 403, '403 - Forbidden', headers)
    await run({ request, response, path: path.slice(apiPrefix.length + 1), rawQuery: query, headers })
  }
}

/** rs/cors allows an origin for the method it knows only, so what is no POST goes without. */
function withoutOrigin (headers: readonly (readonly [string, readonly string[]])[]): readonly (readonly [string, readonly string[]])[] {
  return headers.filter(([name]) => name === 'Vary')
}

/** Go's mux sends clients to the clean form of their path. */
function cleanPath (path: string): string {
  if (path === apiPrefix) return `${apiPrefix}/`
  const segments: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') segments.pop()
    else if (segment !== '.' && segment !== '') segments.push(segment)
  }
  const isFolder = /\/\.{0,2}$/.test(path)
  return `/${segments.join('/')}${isFolder && segments.length > 0 ? '/' : ''}`
}

async function redirect (request: Request, response: Response, location: string): Promise<void> {
  const isPage = request.method === 'GET' || request.method === 'HEAD'
  const escaped = location.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;').replaceAll("'", '&#39;')
  const headers = new Map([['Location', [location]], ...isPage ? [['Content-Type', ['text/html; charset=utf-8']] as const] : []])
  await answerShort(request, response, 307, headers, isPage ? `<a href="${escaped}">Temporary Redirect</a>.\n\n` : '')
}
