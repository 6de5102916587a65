import { ByteCursor } from './byte-cursor.ts'
import { fromGoBytes, quoteGo } from './go-text.ts'
import { parseMediaType } from './media-type.ts'
import { decodeQuotedPrintable } from './quoted-printable.ts'

/** Go allows 10 MiB; a name, a path and two times need far less. */
const headerBytesMax = 1 << 20
/** As many as Go allows a part. */
const headersMax = 10_000

/** One part of a `multipart/form-data` body. */
export interface MultipartPart {
  /** By lower-case name; of a repeated header the first. One character a byte. */
  readonly headers: ReadonlyMap<string, string>
  /** To be read before the next part is asked for; what is left unread is skipped. */
  readonly body: AsyncIterable<Uint8Array>
}

/** The body is not what its boundary promised; the text is that of Go's `mime/multipart`. */
export class MultipartError extends Error {
  /** The body ended inside a part: what was read of the part is not all of it. */
  readonly cut: boolean

  constructor (message: string, { cut = false } = {}) {
    super(message)
    this.name = new.target.name
    this.cut = cut
  }
}

/** @returns undefined for anything that is no multipart body, or whose boundary nobody knows */
export function multipartBoundary (contentType: string): string | undefined {
  const parsed = parseMediaType(contentType)
  if (parsed?.type !== 'multipart/form-data') return undefined
  return parsed.params.get('boundary')
}

/**
 * The parts of a body one after another, each with all its headers, read only as fast as they are asked for. Fastify's multipart
 * plugin drops parts that are not `form-data`, hides their headers and limits their number, so it cannot stand before Kubo.
 *
 * @throws MultipartError with the words of Go's `mime/multipart`, whose rules these are
 */
export async function * readMultipart (source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<MultipartPart, void, undefined> {
  if (boundary === '') throw new MultipartError('multipart: boundary is empty')
  const cursor = new ByteCursor(source)
  const state: BodyState = { cursor, delimiter: Buffer.from(`\r\n--${boundary}`, 'latin1'), bare: Buffer.from(`--${boundary}`, 'latin1'), done: true, atStart: false, isOwnLine: false }
  try {
    if (!await skipPreamble(state, boundary)) return
    for (let parts = 0; ; parts++) {
      const headers = await readHeaders(cursor)
      if (headers === undefined && parts === 0) return
      // To Go that is the end of a good body, so that the files behind would be missing without a word.
      if (headers === undefined) throw new MultipartError('multipart: NextPart: EOF')
      Object.assign(state, { done: false, atStart: true })
      const isQuoted = headers.get('content-transfer-encoding')?.toLowerCase() === 'quoted-printable'
      yield { headers, body: { [Symbol.asyncIterator]: () => isQuoted ? decodeQuotedPrintable(partBody(state)) : partBody(state) } }
      while (!state.done) await nextPiece(state)
      if (await isLastDelimiter(state)) return
    }
  } finally {
    await cursor.close()
  }
}

interface BodyState {
  readonly cursor: ByteCursor
  /** With the line end before it, which belongs to the delimiter and not to the part. */
  delimiter: Buffer
  /** Without it. */
  readonly bare: Buffer
  /** The part's body has been read to its delimiter, which is what the cursor stands at. */
  done: boolean
  /** Nothing of the part's body has been taken, so a delimiter may stand there without a line end before it. */
  atStart: boolean
  /** Whether there was a line end before the delimiter: Go looks for nothing else behind one. */
  isOwnLine: boolean
}

/** Answers false when the body has no parts at all. A client that ends its lines with LF alone does so throughout. */
async function skipPreamble (state: BodyState, boundary: string): Promise<boolean> {
  const opening = `--${boundary}`
  while (true) {
    const line = await readLine(state.cursor)
    if (line === undefined) throw new MultipartError('multipart: message too large')
    const isWhole = line.endsWith('\n')
    const rest = line.startsWith(opening) ? line.slice(opening.length).replace(/^[ \t]+/, '') : undefined
    if (rest === '\r\n') return true
    if (rest === '\n') {
      state.delimiter = state.delimiter.subarray(1)
      return true
    }
    if (line.startsWith(`${opening}--`) && /^[ \t]*(\r\n)?$/.test(line.slice(opening.length + 2))) return false
    if (!isWhole) throw new MultipartError('multipart: NextPart: EOF')
  }
}

/** A line with its end, or what is left of the body; undefined when it is too long to be one. */
async function readLine (cursor: ByteCursor): Promise<string | undefined> {
  while (true) {
    const end = cursor.held.indexOf(10)
    if (end >= 0) return cursor.take(end + 1).toString('latin1')
    if (cursor.held.length > headerBytesMax) return undefined
    if (!await cursor.more()) return cursor.take(cursor.held.length).toString('latin1')
  }
}

/** @returns undefined when the body ends before the headers do @throws MultipartError in the words of Go's `net/textproto` */
async function readHeaders (cursor: ByteCursor): Promise<ReadonlyMap<string, string> | undefined> {
  const headers = new Map<string, string>()
  let name = ''
  let length = 0
  let count = 0
  while (true) {
    const line = await readLine(cursor)
    length += line?.length ?? headerBytesMax
    if (line === undefined || length > headerBytesMax) throw new MultipartError('multipart: message too large')
    const text = line.replace(/\r?\n$/, '')
    if (text === '') return line === '' ? undefined : headers
    if (/^[ \t]/.test(text)) {
      if (name === '') throw new MultipartError(`malformed MIME header initial line: ${quoted(text)}`)
      headers.set(name, `${headers.get(name)!} ${text.trim()}`) // a folded line goes on with the one before
      continue
    }
    if (++count > headersMax) throw new MultipartError('multipart: message too large')
    const header = readHeader(text)
    name = header.name
    if (!headers.has(name)) headers.set(name, header.value)
  }
}

function readHeader (line: string): { readonly name: string, readonly value: string } {
  const colon = line.indexOf(':')
  if (colon < 0) throw new MultipartError(`malformed MIME header: missing colon: ${quoted(line)}`)
  const name = line.slice(0, colon)
  const value = line.slice(colon + 1)
  // Blanks in a name are let pass by Go, too: nobody asks for such a header.
  if (!/^[ !#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new MultipartError(`malformed MIME header line: ${quoted(line)}`)
  return { name: name.toLowerCase(), value: value.trim() }
}

async function * partBody (state: BodyState): AsyncGenerator<Uint8Array, void, undefined> {
  while (!state.done) {
    const piece = await nextPiece(state)
    if (piece.length > 0) yield piece
  }
}

/** The next bytes of the part, all that are there; sets `done` when the delimiter follows. */
async function nextPiece (state: BodyState): Promise<Buffer> {
  const { cursor } = state
  while (true) {
    const wasEnded = cursor.ended
    const found = findDelimiter(state)
    if (found.isDelimiter || found.length > 0) {
      state.done = found.isDelimiter
      state.atStart = false
      state.isOwnLine = found.delimiterLength > state.bare.length
      const piece = cursor.take(found.length)
      cursor.take(found.delimiterLength)
      return piece
    }
    if (wasEnded) throw new MultipartError('unexpected EOF', { cut: true })
    await cursor.more()
  }
}

interface Found { readonly isDelimiter: boolean, readonly length: number, readonly delimiterLength: number }

/** How many of the held bytes are the part's for certain, and whether its delimiter comes right behind them. */
function findDelimiter ({ cursor, delimiter, bare, atStart }: BodyState): Found {
  const { held, ended } = cursor
  if (atStart && held.length < bare.length && bare.subarray(0, held.length).equals(held)) return nothingCertain
  if (atStart && held.subarray(0, bare.length).equals(bare)) {
    const verdict = judge(held, bare.length, ended)
    if (verdict !== 'no') return verdict === 'yes' ? { isDelimiter: true, length: 0, delimiterLength: bare.length } : nothingCertain
  }
  for (let at = held.indexOf(delimiter); at >= 0; at = held.indexOf(delimiter, at + 1)) {
    const verdict = judge(held, at + delimiter.length, ended)
    if (verdict === 'yes') return { isDelimiter: true, length: at, delimiterLength: delimiter.length }
    if (verdict === 'wait') return { isDelimiter: false, length: at, delimiterLength: 0 }
  }
  return { isDelimiter: false, length: tailAt(held, delimiter), delimiterLength: 0 }
}

const nothingCertain: Found = { isDelimiter: false, length: 0, delimiterLength: 0 }

/** Where the beginning of a delimiter stands at the very end, or the end. */
function tailAt (held: Buffer, delimiter: Buffer): number {
  for (let at = held.indexOf(delimiter[0]!, Math.max(0, held.length - delimiter.length + 1)); at >= 0; at = held.indexOf(delimiter[0]!, at + 1)) {
    if (held.subarray(at).equals(delimiter.subarray(0, held.length - at))) return at
  }
  return held.length
}

/** Whether what follows a delimiter's text makes it one: `x--boundaryish` is only text. */
function judge (held: Buffer, end: number, ended: boolean): 'yes' | 'no' | 'wait' {
  const [next, afterNext] = [held[end], held[end + 1]]
  if (next === undefined) return ended ? 'yes' : 'wait'
  if (next === 0x20 || next === 0x09 || next === 0x0d || next === 0x0a) return 'yes'
  if (next !== 0x2d) return 'no'
  if (afterNext === undefined) return ended ? 'no' : 'wait'
  return afterNext === 0x2d ? 'yes' : 'no'
}

/** Reads what is left of the delimiter's line, whose end has to be like that of the first. */
async function isLastDelimiter ({ cursor, delimiter, bare, isOwnLine }: BodyState): Promise<boolean> {
  const line = await readLine(cursor)
  if (line === undefined) throw new MultipartError('multipart: message too large')
  const lineEnd = delimiter.toString('latin1', 0, delimiter.length - bare.length)
  if (/^--[ \t]*$/.test(line.endsWith(lineEnd) ? line.slice(0, -lineEnd.length) : line)) return true
  if (line.endsWith(lineEnd) && /^[ \t]*$/.test(line.slice(0, -lineEnd.length))) return false
  if (!line.endsWith('\n')) throw new MultipartError('multipart: NextPart: EOF')
  throw new MultipartError(`multipart: ${isOwnLine ? 'expecting a new Part; got line' : 'unexpected line in Next():'} ${quoted(`${bare.toString('latin1')}${line}`)}`)
}

/** As Go shows bytes, `%q`. */
const quoted = (line: string): string => quoteGo(fromGoBytes(Buffer.from(line, 'latin1')))
