import { ClusterError } from './errors.ts'

/** Reads what `ByteWriter` wrote. @throws ClusterError ERR_STORAGE from every method when the bytes end too early */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor (bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd (): boolean { return this.#at === this.#bytes.length }

  /** All that has not been read yet. */
  rest (): Buffer {
    return this.raw(this.#bytes.length - this.#at)
  }

  byte (): number {
    if (this.#at >= this.#bytes.length) throw new ClusterError('ERR_STORAGE', 'stored bytes are cut short')
    return this.#bytes[this.#at++]!
  }

  varint (): number {
    let value = 0
    let scale = 1
    for (let byte = this.byte(); ; byte = this.byte()) {
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 0x80
    }
    if (!Number.isSafeInteger(value)) throw new ClusterError('ERR_STORAGE', 'a stored number is too large')
    return value
  }

  bigint (): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  /** A view of what was read, not a copy. */
  bytes (): Buffer {
    return this.raw(this.varint())
  }

  raw (length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new ClusterError('ERR_STORAGE', 'stored bytes are cut short')
    const value = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return value
  }

  text (): string {
    return this.bytes().toString('utf8')
  }
}
