import { header } from '../http/request-head.ts'
import type { RequestHead } from '../http/request-head.ts'

/** `API.Authorizations` of Kubo's config, by user. */
export type ConfiguredAuthorizations = Readonly<Record<string, { readonly AuthSecret: string, readonly AllowedPaths: readonly string[] }>>

export const accessDenied = 'Kubo RPC Access Denied: Please provide a valid authorization token as defined in the API.Authorizations configuration.'

/** Whether this caller may call `path` (unescaped). Everybody may when nobody is configured; whoever is known may ask for the version. */
export function createAuthorizer (configured: ConfiguredAuthorizations): (head: RequestHead, path: string) => boolean {
  const users = Object.values(configured)
  if (users.length === 0) return () => true
  const bySecret = Map.groupBy(users, ({ AuthSecret }) => expectedHeader(AuthSecret))
  return (head, path) => {
    const known = bySecret.get(header(head, 'authorization') ?? '') ?? []
    return known.some(({ AllowedPaths }) => path === '/api/v0/version' || AllowedPaths.some(prefix => path.startsWith(prefix)))
  }
}

function expectedHeader (secret: string): string {
  const [kind = '', ...rest] = secret.split(':')
  const value = rest.join(':')
  if (kind === 'basic') return `Basic ${value.includes(':') ? Buffer.from(value).toString('base64') : value}`
  return `Bearer ${kind === 'bearer' && rest.length > 0 ? value : secret}`
}
