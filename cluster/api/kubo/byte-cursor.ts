/**
 * Bytes taken from a stream in pieces of one's own size, without copying what need not be copied. What is there already can be
 * taken without a promise, which is what makes thousands of small parts or blocks cheap.
 */
export class ByteCursor {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = empty
  #ended = false

  constructor (source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** What has arrived and was not taken yet. Only valid until the next call. */
  get held (): Buffer { return this.#held }
  /** Whether the source has ended; bytes may still be held. */
  get ended (): boolean { return this.#ended }

  /** Takes the first `length` of the bytes held; the caller has seen that they are there. */
  take (length: number): Buffer {
    const taken = this.#held.subarray(0, length)
    this.#held = length === this.#held.length ? empty : this.#held.subarray(length)
    return taken
  }

  /** Waits for more bytes and adds them to those held; false when there are no more. */
  async more (): Promise<boolean> {
    if (this.#ended) return false
    const { done, value } = await this.#source.next()
    if (done === true) {
      this.#ended = true
      return false
    }
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    return true
  }

  /** Exactly `length` bytes, or fewer when the source ends before, and `head` before them. Joins chunks once, whatever their number. */
  async read (length: number, head: Uint8Array = empty): Promise<Buffer> {
    if (head.length === 0 && (this.#held.length >= length || this.#ended)) return this.take(Math.min(length, this.#held.length))
    const pieces = [head, this.take(Math.min(length, this.#held.length))]
    let missing = length - pieces[1]!.length
    while (missing > 0 && await this.more()) {
      const piece = this.take(Math.min(missing, this.#held.length))
      pieces.push(piece)
      missing -= piece.length
    }
    return Buffer.concat(pieces)
  }

  /** Throws away `length` bytes; false when the source ended before. */
  async skip (length: number): Promise<boolean> {
    let missing = length
    while (missing > this.#held.length) {
      missing -= this.take(this.#held.length).length
      if (!await this.more()) return false
    }
    this.take(missing)
    return true
  }

  /** The source is wanted no more. */
  async close (): Promise<void> {
    this.#ended = true
    await this.#source.return?.()
  }
}

const empty = Buffer.alloc(0)
