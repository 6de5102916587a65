import type { SocketReader } from './socket-reader.ts'

/** Go's default of 1 MiB for the headers, and the 4 KiB it adds for slack; the request line counts too. */
const headBytesMax = 1024 * 1024 + 4096
const pieceBytes = 64 * 1024

export interface RequestHead {
  readonly method: string
  /** As it came, one character a byte. */
  readonly target: string
  readonly version: '1.0' | '1.1'
  /** Names in lower case, in the order they came. */
  readonly headers: readonly (readonly [string, string])[]
  readonly framing: { readonly kind: 'length', readonly bytes: number } | { readonly kind: 'chunked' }
}

/** What cannot be read as HTTP: answered in Go's words, and the connection is closed. */
export class BadRequestHead extends Error {
  readonly status: string

  constructor (status: string, text = status) {
    super(text)
    this.name = new.target.name
    this.status = status
  }
}

/** @returns undefined when the client has gone before it began a request @throws BadRequestHead */
export async function readRequestHead (reader: SocketReader): Promise<RequestHead | undefined> {
  const text = await readUntilBlankLine(reader)
  if (text === undefined) return undefined
  const [first = '', ...lines] = text.split('\r\n')
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/(\d)\.(\d)$/.exec(first)
  if (match === null) throw new BadRequestHead('400 Bad Request')
  const [, method = '', target = '', major, minor] = match
  if (major !== '1' || Number(minor) > 1) throw new BadRequestHead('505 HTTP Version Not Supported: unsupported protocol version')

  const version = minor === '0' ? '1.0' : '1.1'
  const headers = lines.map(readHeader)
  requireOneHost(headers, version)
  return { method, target, version, headers, framing: framingOf(headers) }
}

/** The first value of a header, as Go's `Header.Get` gives it. */
export function header ({ headers }: Pick<RequestHead, 'headers'>, name: string): string | undefined {
  return headers.find(([key]) => key === name)?.[1]
}

async function readUntilBlankLine (reader: SocketReader): Promise<string | undefined> {
  let held: Buffer = Buffer.alloc(0)
  while (true) {
    const piece = await reader.pull(pieceBytes)
    if (piece === undefined) return undefined
    const from = Math.max(0, held.length - 3)
    held = held.length === 0 ? piece : Buffer.concat([held, piece])
    const end = held.indexOf('\r\n\r\n', from)
    if (end >= 0 && end <= headBytesMax) {
      reader.unpull(held.subarray(end + 4))
      return held.toString('latin1', 0, end).replace(/^(?:\r\n)+/, '')
    }
    if (held.length > headBytesMax) throw new BadRequestHead('431 Request Header Fields Too Large')
  }
}

function readHeader (line: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line)
  if (match === null) throw new BadRequestHead('400 Bad Request')
  return [match[1]!.toLowerCase(), match[2]!]
}

function requireOneHost (headers: RequestHead['headers'], version: '1.0' | '1.1'): void {
  const hosts = headers.filter(([key]) => key === 'host')
  if (hosts.length > 1) throw new BadRequestHead('400 Bad Request')
  if (hosts.length === 0 && version === '1.1') throw new BadRequestHead('400 Bad Request', '400 Bad Request: missing required Host header')
}

/** Refuses whatever two readers could understand differently. */
function framingOf (headers: RequestHead['headers']): RequestHead['framing'] {
  const codings = headers.filter(([key]) => key === 'transfer-encoding').map(([, value]) => value)
  const lengths = headers.filter(([key]) => key === 'content-length').map(([, value]) => value)
  if (codings.length > 1) throw new BadRequestHead('400 Bad Request')
  const [coding] = codings
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new BadRequestHead('501 Not Implemented', 'Unsupported transfer encoding')
    if (lengths.length > 0) throw new BadRequestHead('400 Bad Request')
    return { kind: 'chunked' }
  }
  if (new Set(lengths).size > 1 || lengths.some(length => !/^\d{1,15}$/.test(length))) throw new BadRequestHead('400 Bad Request')
  return { kind: 'length', bytes: Number(lengths[0] ?? 0) }
}
