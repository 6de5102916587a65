/** Who may call from a browser: rs/cors as Kubo sets it up, and the guard behind it. */
import type { RequestHead } from '../http/request-head.ts'
import { header } from '../http/request-head.ts'

/** `API.HTTPHeaders` of Kubo's config: CORS settings and headers of one's own, each with its values. */
export type ConfiguredHeaders = Readonly<Record<string, readonly string[]>>

export interface Origins {
  /** What rs/cors adds to an answer that is no preflight. */
  corsHeaders (head: RequestHead): readonly (readonly [string, readonly string[]])[]
  preflightHeaders (head: RequestHead): readonly (readonly [string, readonly string[]])[]
  /** Kubo's own guard, which lets a page in only under an allowed origin. */
  isForbidden (head: RequestHead): boolean
}

const companions = ['chrome-extension://nibjojkomfdiaoajekhjakgkdhaomnch', 'chrome-extension://hjoieblefckbooibpepigmacodalfndh']
const preflightVary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'
/** A configured list of allowed headers does not widen this. */
const allowedRequestHeaders = new Set(['origin', 'accept', 'content-type', 'x-requested-with'])

export function createOrigins (configured: ConfiguredHeaders, port: number): Origins {
  const own = ['http', 'https'].flatMap(scheme => ['127.0.0.1', '[::1]', 'localhost'].map(host => `${scheme}://${host}:${port}`))
  const origins = [...configured['Access-Control-Allow-Origin'] ?? [], ...own, ...companions]
  const isStar = origins.includes('*')
  const methods = configured['Access-Control-Allow-Methods'] ?? ['POST']
  const credentials = configured['Access-Control-Allow-Credentials']?.includes('true') === true ? [['Access-Control-Allow-Credentials', ['true']] as const] : []
  const lowered = new Set(origins.map(origin => origin.toLowerCase()))

  const isCorsAllowed = (origin: string): boolean => isStar || lowered.has(origin.toLowerCase())
  const isAllowed = (origin: string): boolean => isStar || origins.includes(origin)
  const allow = (origin: string): readonly (readonly [string, readonly string[]])[] => [['Access-Control-Allow-Origin', [isStar ? '*' : origin]], ...credentials]

  return {
    corsHeaders (head) {
      const origin = header(head, 'origin') ?? ''
      return [['Vary', ['Origin']], ...origin !== '' && isCorsAllowed(origin) ? allow(origin) : []]
    },
    preflightHeaders (head) {
      const origin = header(head, 'origin') ?? ''
      const method = header(head, 'access-control-request-method') ?? ''
      const asked = header(head, 'access-control-request-headers')
      const vary = [['Vary', [preflightVary]]] as const
      const names = (asked ?? '').split(',').map(name => name.trim().toLowerCase()).filter(name => name !== '')
      if (origin === '' || !isCorsAllowed(origin) || !methods.includes(method) || names.some(name => !allowedRequestHeaders.has(name))) return vary
      return [...vary, ...allow(origin), ['Access-Control-Allow-Methods', [method]], ...asked === undefined ? [] : [['Access-Control-Allow-Headers', [asked]] as const]]
    },
    isForbidden (head) {
      const origin = header(head, 'origin') ?? ''
      const referer = header(head, 'referer') ?? ''
      const agent = header(head, 'user-agent') ?? ''
      if (origin !== '' && !isAllowed(origin)) return true
      if (referer !== '') {
        const site = siteOf(referer)
        if (site === undefined || !isAllowed(site)) return true
      }
      return origin === '' && referer === '' && agent.startsWith('Mozilla') && !agent.includes('Electron')
    }
  }
}

/** `scheme://host` as Go's `url.Parse` sees it, or nothing for what that refuses. */
function siteOf (referer: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(referer) || /[\x00-\x1f\x7f]/.test(referer)) return undefined
  const match = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?/.exec(referer)
  return `${match?.[1]?.toLowerCase() ?? ''}://${match?.[2] ?? ''}`
}
