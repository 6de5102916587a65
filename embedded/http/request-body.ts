import type { RequestHead } from './request-head.ts'
import type { SocketReader } from './socket-reader.ts'

const sizeLineBytesMax = 4096

/** The client went before its upload was whole. Go cancels what it does for a client that has gone, and says so. */
export class ClientGoneError extends Error {
  constructor () {
    super('context canceled')
    this.name = new.target.name
  }
}

/** What a chunked body holds is no chunk. */
export class MalformedChunkError extends Error {
  constructor () {
    super('invalid byte in chunk length')
    this.name = new.target.name
  }
}

/** The body of one request, pulled from the socket; knows when it has been read to its end, which decides whether the connection can go on. */
export class RequestBody {
  readonly #reader: SocketReader
  readonly #framing: RequestHead['framing']
  readonly #beforeFirstRead: () => void
  /** Of the body, or of the chunk that is being read. */
  #remaining: number
  #isStarted = false
  #isEnded: boolean

  /** @param beforeFirstRead is called once when somebody begins to read: the moment to say `100 Continue` */
  constructor (reader: SocketReader, framing: RequestHead['framing'], beforeFirstRead: () => void) {
    this.#reader = reader
    this.#framing = framing
    this.#beforeFirstRead = beforeFirstRead
    this.#remaining = framing.kind === 'length' ? framing.bytes : 0
    this.#isEnded = framing.kind === 'length' && framing.bytes === 0
  }

  /** Whether every byte of it has been read; a request without one is read from the start. */
  get isEnded (): boolean { return this.#isEnded }
  /** Bytes still to come; more than can be counted when the body is chunked. */
  get remaining (): number { return this.#isEnded ? 0 : this.#framing.kind === 'chunked' ? Infinity : this.#remaining }

  /** At most `bytesMax` bytes; `undefined` at the end. @throws ClientGoneError, MalformedChunkError */
  async read (bytesMax: number): Promise<Buffer | undefined> {
    if (!this.#isStarted) {
      this.#isStarted = true
      this.#beforeFirstRead()
    }
    if (this.#isEnded) return undefined
    if (this.#framing.kind === 'chunked' && this.#remaining === 0 && !await this.#nextChunk()) return undefined

    const piece = await this.#reader.pull(Math.min(bytesMax, this.#remaining))
    if (piece === undefined) throw new ClientGoneError()
    this.#remaining -= piece.length
    if (this.#remaining === 0) await this.#finishPiece()
    return piece
  }

  /** Reads up to `bytesMax` more and throws them away. @returns whether that was all of it */
  async discard (bytesMax: number): Promise<boolean> {
    for (let left = bytesMax; left > 0 && !this.#isEnded;) {
      const piece = await this.read(left)
      if (piece === undefined) break
      left -= piece.length
    }
    return this.#isEnded
  }

  async #finishPiece (): Promise<void> {
    if (this.#framing.kind === 'length') this.#isEnded = true
    else if (await this.#line() !== '') throw new MalformedChunkError()
  }

  /** @returns whether there is one */
  async #nextChunk (): Promise<boolean> {
    const size = (await this.#line()).replace(/;.*$/, '').trim()
    if (!/^[0-9a-fA-F]{1,12}$/.test(size)) throw new MalformedChunkError()
    this.#remaining = parseInt(size, 16)
    if (this.#remaining > 0) return true
    while (await this.#line() !== '') { /* trailers of a request mean nothing here */ }
    this.#isEnded = true
    return false
  }

  async #line (): Promise<string> {
    let held: Buffer = Buffer.alloc(0)
    while (true) {
      const piece = await this.#reader.pull(sizeLineBytesMax)
      if (piece === undefined) throw new ClientGoneError()
      held = Buffer.concat([held, piece])
      const end = held.indexOf('\r\n')
      if (end >= 0) {
        this.#reader.unpull(held.subarray(end + 2))
        return held.toString('latin1', 0, end)
      }
      if (held.length > sizeLineBytesMax) throw new MalformedChunkError()
    }
  }
}
