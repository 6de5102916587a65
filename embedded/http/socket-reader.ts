import type { Socket } from 'node:net'

const heldBytesMax = 256 * 1024

/**
 * A socket's incoming bytes, pulled. It reads ahead up to a bound even when nobody pulls, because that is the only way to notice
 * that a client has gone while its request is being worked on.
 */
export class SocketReader {
  readonly #socket: Socket
  readonly #held: Buffer[] = []
  readonly #gone = Promise.withResolvers<void>()
  #heldBytes = 0
  #isEnded = false
  #changed = Promise.withResolvers<void>()

  constructor (socket: Socket) {
    this.#socket = socket
    socket.on('data', bytes => { this.#take(bytes as Buffer) })
    for (const event of ['end', 'close', 'error']) socket.on(event, () => { this.#end() })
  }

  /** Resolves when the client has ended its side, or the connection. */
  get gone (): Promise<void> { return this.#gone.promise }
  get isGone (): boolean { return this.#isEnded }

  /** The next bytes, at most `bytesMax` of them; `undefined` at the end. */
  async pull (bytesMax: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      if (this.#isEnded) return undefined
      await this.#changed.promise
    }
    const first = this.#held.shift()!
    const piece = first.subarray(0, bytesMax)
    if (piece.length < first.length) this.#held.unshift(first.subarray(piece.length))
    this.#heldBytes -= piece.length
    if (this.#heldBytes < heldBytesMax) this.#socket.resume()
    return piece
  }

  /** Gives back what was pulled too much. */
  unpull (bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#held.unshift(bytes)
    this.#heldBytes += bytes.length
  }

  #take (bytes: Buffer): void {
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes >= heldBytesMax) this.#socket.pause()
    this.#notify()
  }

  #end (): void {
    this.#isEnded = true
    this.#gone.resolve()
    this.#notify()
  }

  #notify (): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
