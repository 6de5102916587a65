import { fromGoBytes } from './go-text.ts'

/**
 * The pairs of a query as Go's `url.ParseQuery` reads them: a pair with `;` or a bad `%` escape is dropped without a word, `+` is a
 * space, bytes that are no UTF-8 stay (see `go-text.ts`). `URLSearchParams` differs on all three.
 *
 * @param rawQuery what follows `?` in the request line, one character a byte (node:http gives it like that)
 */
export function parseGoQuery (rawQuery: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const pair of rawQuery.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const at = pair.indexOf('=')
    const key = unescapeGo(at < 0 ? pair : pair.slice(0, at), 'query')
    const value = at < 0 ? '' : unescapeGo(pair.slice(at + 1), 'query')
    if (key === undefined || value === undefined) continue
    const held = values.get(key)
    if (held === undefined) values.set(key, [value])
    else held.push(value)
  }
  return values
}

/** Go's `url.QueryUnescape` or `url.PathUnescape`; `undefined` where those fail. */
export function unescapeGo (text: string, kind: 'query' | 'path'): string | undefined {
  if (!needsWork.test(text)) return text
  const quick = unescapeUtf8(text, kind)
  if (quick !== undefined) return quick
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '%') {
      const hex = text.slice(at + 1, at + 3)
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined
      bytes.push(parseInt(hex, 16))
      at += 2
    } else {
      bytes.push(character === '+' && kind === 'query' ? 0x20 : character.charCodeAt(0) & 0xff)
    }
  }
  return fromGoBytes(Uint8Array.from(bytes))
}

/** The same for text that stands for UTF-8, as nearly all does; `undefined` when it does not, or does not unescape. */
function unescapeUtf8 (text: string, kind: 'query' | 'path'): string | undefined {
  if (!isAscii.test(text)) return undefined
  try {
    return decodeURIComponent(kind === 'query' ? text.replaceAll('+', ' ') : text)
  } catch {
    return undefined
  }
}

/** A target without scheme and host, which a client of a forward proxy sends and Go does not look at. */
export const originForm = (target: string): string => target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:(?:\/\/[^/?]*)?/i, '')

/** The path and query of a request target, absolute form (`http://host/path`) included. */
export function splitTarget (target: string): { readonly path: string, readonly query: string } {
  const local = originForm(target)
  const at = local.indexOf('?')
  return at < 0 ? { path: local, query: '' } : { path: local.slice(0, at), query: local.slice(at + 1) }
}

const isAscii = /^[\0-\x7f]*$/
const needsWork = /[%+]|[^\0-\x7f]/
