import { hasGoodHost } from './plain-request.ts'

const continued = /^[ \t]/
const lengthField = /^content-length:[ \t]*(\d+)[ \t]*$/i
const codingField = /^transfer-encoding:/i
const chunkedField = /^transfer-encoding:[ \t]*chunked[ \t]*$/i

/** What no request begins with. */
const refused = '\0'

/**
 * The first head in `bytes` as node's parser takes it, where Go takes it as well and node would not: raw UTF-8 in the target
 * (`curl '…?arg=/ipfs/…/ünï'` sends it), a scheme before something that is no host (`x:1`), lines that end in LF alone, values that go on in a second
 * line, a length that is told twice or beside chunks, and a later HTTP/1 than 1.1. It means the same, and the daemon gets it like this, so both sides see one and the same request. A first line
 * that is none for Go is made one that is none for node.
 *
 * @returns `bytes` itself when there is nothing to mend, or the head is not whole
 * @see net/http `readRequest` and `transferReader`, net/url `ParseRequestURI`, net/textproto `ReadMIMEHeader`
 */
export function mendHead (bytes: Buffer): Buffer {
  const length = headLength(bytes)
  if (length === undefined) return bytes
  const text = bytes.toString('latin1', 0, length)
  const [first = '', ...lines] = text.split(/\r?\n/).slice(0, -2)
  const isOld = first.endsWith(' HTTP/1.0')
  const head = [mendRequestLine(first), ...mendLengths(unfolded(lines), isOld), '', ''].join('\r\n')
  return head === text ? bytes : Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(length)])
}

/** Of the first head, with the empty line that ends it. */
export function headLength (bytes: Buffer): number | undefined {
  const usual = bytes.indexOf('\n\r\n')
  const bare = (usual < 0 ? bytes : bytes.subarray(0, usual)).indexOf('\n\n')
  if (bare >= 0) return bare + 2
  return usual < 0 ? undefined : usual + 3
}

function mendRequestLine (line: string): string {
  const [, method, target, major, minor] = /^([^ ]+) ([^ ]+) HTTP\/(\d)\.(\d)$/.exec(line) ?? []
  if (target === undefined) return line.startsWith(refused) ? line : `${refused}${line}`
  const escaped = (method === 'CONNECT' ? target : withoutScheme(target)).replace(/[\x80-\xff]/g, byte => `%${byte.charCodeAt(0).toString(16)}`)
  return `${method} ${escaped} HTTP/${major}.${major === '1' && Number(minor) > 1 ? 1 : minor}`
}

/**
 * What follows a scheme is a host behind two slashes, a path behind one, and for Go nothing but a query behind none (`x:1?a=b`). A host is of
 * no consequence; one that is none for Go is left for the door to refuse.
 */
function withoutScheme (target: string): string {
  const [, rest] = /^[a-z][a-z0-9+.-]*:(.*)$/i.exec(target) ?? []
  if (rest === undefined || !hasGoodHost(target)) return target
  if (rest.startsWith('/') && !rest.startsWith('//')) return rest
  return `http://x${rest.replace(rest.startsWith('//') ? /^\/\/[^/?]*/ : /^[^?]*/, '')}`
}

function unfolded (lines: readonly string[]): readonly string[] {
  const whole: string[] = []
  for (const line of lines) {
    if (continued.test(line) && whole.length > 0) whole.push(`${whole.pop()!.replace(/[ \t]+$/, '')} ${line.replace(/^[ \t]+|[ \t]+$/g, '')}`)
    else whole.push(line)
  }
  return whole
}

/** Chunks count more than a length, and nothing in HTTP/1.0; lengths that differ are left for the parser to refuse. */
function mendLengths (all: readonly string[], isOld: boolean): readonly string[] {
  const lines = isOld ? all.filter(line => !codingField.test(line)) : all
  const lengths = lines.flatMap(line => lengthField.exec(line)?.[1] ?? [])
  if (lengths.length === 0 || lengths.some(length => length !== lengths[0])) return lines
  const firstAt = lines.some(line => chunkedField.test(line)) ? -1 : lines.findIndex(line => lengthField.test(line))
  return lines.filter((line, i) => i === firstAt || !lengthField.test(line))
}
