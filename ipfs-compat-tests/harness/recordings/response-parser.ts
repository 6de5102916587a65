/** One answer as the server wrote it: names in its case and order, the body de-chunked, trailers apart. */
export interface RawResponse {
  readonly informational: string[]
  readonly headers: [string, string][]
  readonly trailers: [string, string][]
  status: number
  reason: string
  version: string
  body: Buffer
  /** The connection ended before the answer did. */
  truncated: boolean
  /** Reading was given up on purpose: such an answer does not end. */
  endless: boolean
  timedOut: boolean
  /** From the connection's being asked for; absent when nothing came. */
  firstByteMs?: number
  beforeRest?: { readonly head: boolean, readonly complete?: boolean, readonly body: Buffer }
}

type State = 'status' | 'informational' | 'headers' | 'size' | 'data' | 'trailers' | 'length' | 'close' | 'end'

/** Reads one HTTP/1 answer out of the bytes it is given. */
export class ResponseParser {
  readonly response: RawResponse = {
    informational: [], headers: [], trailers: [], status: 0, reason: '', version: '', body: Buffer.alloc(0), truncated: false, endless: false, timedOut: false
  }

  readonly #isHead: boolean
  readonly #continued = Promise.withResolvers<boolean>()
  readonly #body: Buffer[] = []
  #unread: Buffer = Buffer.alloc(0)
  #state: State = 'status'
  #needed = 0

  constructor (isHead: boolean) { this.#isHead = isHead }

  /** True after `100 Continue`, false after a final answer instead. */
  get continued (): Promise<boolean> { return this.#continued.promise }
  get isEnded (): boolean { return this.#state === 'end' }
  /** With neither length nor chunks, the end of the connection is the end of the answer. */
  get endsWithConnection (): boolean { return this.#state === 'close' || this.#state === 'end' }

  bodySoFar (): Buffer { return Buffer.concat(this.#body) }

  take (bytes: Buffer): void {
    this.#unread = this.#unread.length > 0 ? Buffer.concat([this.#unread, bytes]) : bytes
    while (this.#state !== 'end' && this.#step()) { /* one line or one piece a step */ }
  }

  /** @returns whether there may be more to read in what has been taken */
  #step (): boolean {
    if (this.#state === 'data') return this.#takeChunk()
    if (this.#state === 'length') return this.#takeUpTo(this.#needed)
    if (this.#state === 'close') return this.#takeUpTo(Infinity)

    const end = this.#unread.indexOf('\r\n')
    if (end < 0) return false
    const line = this.#unread.toString('latin1', 0, end)
    this.#unread = this.#unread.subarray(end + 2)
    this.#takeLine(line)
    return true
  }

  #takeLine (line: string): void {
    if (this.#state === 'status') this.#takeStatus(line)
    else if (this.#state === 'informational') this.#takeInformational(line)
    else if (this.#state === 'headers') this.#takeHeader(line)
    else if (this.#state === 'size') this.#takeSize(line)
    else if (line === '') this.#state = 'end'
    else this.response.trailers.push(pair(line))
  }

  #takeStatus (line: string): void {
    const match = /^HTTP\/(\d\.\d) (\d{3}) ?(.*)$/.exec(line)
    if (match === null) throw new Error(`not an HTTP status line: ${line.slice(0, 100)}`)
    const [, version = '', status = '', reason = ''] = match
    if (status.startsWith('1')) {
      this.response.informational.push(line)
      this.#state = 'informational'
      return
    }
    Object.assign(this.response, { version, status: Number(status), reason })
    this.#state = 'headers'
  }

  #takeInformational (line: string): void {
    if (line !== '') return
    this.#continued.resolve(true)
    this.#state = 'status'
  }

  #takeHeader (line: string): void {
    if (line !== '') {
      this.response.headers.push(pair(line))
      return
    }
    this.#continued.resolve(false)
    const get = (name: string): string | undefined => this.response.headers.find(([key]) => key.toLowerCase() === name)?.[1]
    const length = get('content-length')
    this.#needed = Number(length ?? 0)
    if (this.#isHead || this.response.status === 204 || this.response.status === 304) this.#state = 'end'
    else if (get('transfer-encoding')?.toLowerCase() === 'chunked') this.#state = 'size'
    else if (length === undefined) this.#state = 'close'
    else this.#state = this.#needed === 0 ? 'end' : 'length'
  }

  #takeSize (line: string): void {
    this.#needed = parseInt(line, 16)
    this.#state = this.#needed === 0 ? 'trailers' : 'data'
  }

  #takeChunk (): boolean {
    if (this.#unread.length < this.#needed + 2) return false
    this.#body.push(this.#unread.subarray(0, this.#needed))
    this.#unread = this.#unread.subarray(this.#needed + 2)
    this.#state = 'size'
    return true
  }

  #takeUpTo (length: number): boolean {
    const piece = this.#unread.subarray(0, Math.min(length, this.#unread.length))
    this.#body.push(piece)
    this.#unread = this.#unread.subarray(piece.length)
    this.#needed -= piece.length
    if (this.#state === 'length' && this.#needed === 0) this.#state = 'end'
    return false
  }
}

/** Header text is bytes to HTTP; Kubo's are UTF-8. */
function pair (line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), Buffer.from(line.slice(colon + 1).replace(/^[ \t]/, ''), 'latin1').toString('utf8')]
}
