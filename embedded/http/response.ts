import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { once } from 'node:events'

/** Up to here copying a piece costs less than handing three to the socket. */
const joinedBytesMax = 4 << 10
const lineEnd = Buffer.from('\r\n')

export type HeaderMap = ReadonlyMap<string, readonly string[]>

export interface ResponseHead {
  readonly status: number
  /** Written sorted by name, as Go does. */
  readonly headers: HeaderMap
  /** Content types that Go guesses stand behind `Content-Length`, not in their alphabetical place. */
  readonly guessedType?: string
  /** Known beforehand; otherwise the body is chunked, or for HTTP/1.0 ended by the connection. `none`: an answer that has no body by nature. */
  readonly length: number | 'unknown' | 'none'
}

/** Writes one answer on a socket at the client's pace: exactly these bytes, in Go's order. */
export class Response {
  readonly #socket: Socket
  readonly #version: '1.0' | '1.1'
  readonly #isHead: boolean
  #framing: 'chunked' | 'plain' = 'plain'
  #isStarted = false
  #isGathering = false
  /** Whether the connection ends with this answer, because the client asked for it or because the server has to. */
  closes: boolean

  constructor (socket: Socket, { version, method }: { version: '1.0' | '1.1', method: string }, closes: boolean) {
    this.#socket = socket
    this.#version = version
    this.#isHead = method === 'HEAD'
    this.closes = closes
  }

  get isStarted (): boolean { return this.#isStarted }

  head ({ status, headers, guessedType, length }: ResponseHead): void {
    this.#isStarted = true
    const saysClose = headers.get('Connection')?.includes('close') === true
    const isChunked = length === 'unknown' && this.#version === '1.1'
    this.#framing = isChunked ? 'chunked' : 'plain'
    const lines = [`HTTP/${this.#version} ${status} ${STATUS_CODES[status] ?? ''}`]
    for (const [name, values] of [...headers].sort(([a], [b]) => a < b ? -1 : 1)) {
      for (const value of values) lines.push(`${name}: ${value}`)
    }
    lines.push(`Date: ${new Date().toUTCString()}`)
    if (typeof length === 'number') lines.push(`Content-Length: ${length}`)
    if (guessedType !== undefined) lines.push(`Content-Type: ${guessedType}`)
    if (this.closes && !saysClose && this.#version === '1.1') lines.push('Connection: close')
    if (isChunked) lines.push('Transfer-Encoding: chunked')
    this.closes ||= saysClose || (length === 'unknown' && !isChunked)
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  }

  async write (bytes: Uint8Array): Promise<void> {
    if (this.#isHead || bytes.length === 0) return
    if (this.#framing === 'plain') {
      await this.#send(bytes)
      return
    }
    const size = `${bytes.length.toString(16)}\r\n`
    this.#gather()
    if (bytes.length <= joinedBytesMax) return await this.#send(Buffer.concat([Buffer.from(size, 'latin1'), bytes, lineEnd]))
    this.#socket.write(size)
    this.#socket.write(bytes)
    await this.#send(lineEnd)
  }

  /** Header text is bytes to HTTP: Kubo sends UTF-8 as it is, and newlines as spaces. */
  async end (trailers: readonly (readonly [string, string])[] = []): Promise<void> {
    if (this.#framing === 'plain') return
    const lines = trailers.map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}\r\n`)
    await this.#send(Buffer.from(`0\r\n${lines.join('')}\r\n`))
  }

  /** What is written before others get their turn leaves at once: thousands of short lines would be as many calls of the system. */
  #gather (): void {
    if (this.#isGathering) return
    this.#isGathering = true
    this.#socket.cork()
    process.nextTick(() => {
      this.#isGathering = false
      this.#socket.uncork()
    })
  }

  async #send (bytes: Uint8Array): Promise<void> {
    if (!this.#socket.write(bytes)) await this.#drained()
  }

  /** A client that has gone takes no more; whoever writes finds out by its signal, not here. */
  async #drained (): Promise<void> {
    if (this.#socket.destroyed || this.#socket.writableLength === 0) return
    const done = new AbortController()
    try {
      await Promise.race([once(this.#socket, 'drain', { signal: done.signal }), once(this.#socket, 'close', { signal: done.signal })])
    } catch {
      // an error of the socket: `close` follows, and there is nobody left to tell
    } finally {
      done.abort()
    }
  }
}
