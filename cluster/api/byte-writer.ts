/** Collects bytes; numbers as unsigned varints (LEB128), texts and bytes with their length before them. */
export class ByteWriter {
  #bytes: Buffer
  #length = 0

  constructor (sizeHint = 256) {
    this.#bytes = Buffer.allocUnsafe(sizeHint)
  }

  byte (value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** @param value a whole number from 0 to 2^53 - 1, or any bigint from 0 */
  varint (value: number | bigint): this {
    this.#reserve(10)
    if (typeof value === 'bigint') {
      for (; value >= 0x80n; value >>= 7n) this.byte(Number(value & 0x7fn) | 0x80)
    } else {
      for (; value >= 0x80; value = Math.floor(value / 0x80)) this.byte(value % 0x80 | 0x80)
    }
    return this.byte(Number(value))
  }

  bytes (value: Uint8Array): this {
    this.varint(value.byteLength)
    return this.raw(value)
  }

  text (value: string): this {
    const length = Buffer.byteLength(value)
    this.varint(length)
    this.#reserve(length)
    this.#length += this.#bytes.write(value, this.#length)
    return this
  }

  raw (value: Uint8Array): this {
    this.#reserve(value.byteLength)
    this.#bytes.set(value, this.#length)
    this.#length += value.byteLength
    return this
  }

  /** A copy of its own. */
  finish (): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }

  #reserve (more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
