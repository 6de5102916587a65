import type { PeerStream } from '../../peer-ports.ts'
import type { AbortOptions } from '../../ports.ts'

const batchBytesMax = 128 * 1_024

/** Writes frames at the pace of the stream. Those of one turn of the event loop leave together: small items cost a frame each, not a packet. */
export class FrameWriter {
  readonly #stream: PeerStream
  #pieces: Uint8Array[] = []
  #bytes = 0
  #isFull = false
  #scheduled: NodeJS.Immediate | undefined

  constructor (stream: PeerStream) { this.#stream = stream }

  /** Resolves when more may be sent. @throws the reason when the stream has ended, or the signal's */
  async send (pieces: readonly Uint8Array[], options: AbortOptions): Promise<void> {
    this.#pieces.push(...pieces)
    for (const { byteLength } of pieces) this.#bytes += byteLength
    if (this.#isFull || this.#bytes >= batchBytesMax) await this.flush(options)
    else this.#scheduled ??= setImmediate(() => { this.#write() })
  }

  async flush (options: AbortOptions): Promise<void> {
    this.#write()
    while (this.#isFull) {
      await this.#stream.drained(options)
      this.#isFull = false
    }
  }

  #write (): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    if (this.#pieces.length === 0) return
    const pieces = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    if (!this.#stream.write(...pieces)) this.#isFull = true
  }
}
