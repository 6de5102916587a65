/** Small binary writing and reading, for the log file, the wire and the session table. Integers are LEB128 varints up to 2^53. */

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  readonly #allocate: Allocate
  #length = 0

  constructor (capacity = 256, allocate: Allocate = Buffer.allocUnsafe) {
    this.#allocate = allocate
    this.#bytes = allocate(capacity)
  }

  get length (): number { return this.#length }

  u8 (value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u32 (value: number): this {
    this.#reserve(4)
    this.patchU32(this.#length, value)
    this.#length += 4
    return this
  }

  varint (value: number): this {
    this.#reserve(8)
    let rest = value
    while (rest >= 0x80000000) {
      this.#bytes[this.#length++] = rest % 128 | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = rest & 0x7f | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  /** As they are, without their length. */
  raw (bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** Their length, then themselves. */
  bytes (bytes: Uint8Array): this { return this.varint(bytes.length).raw(bytes) }

  text (text: string): this { return this.bytes(Buffer.from(text)) }

  numbers (list: readonly number[]): this {
    this.varint(list.length)
    for (const value of list) this.varint(value)
    return this
  }

  /** Overwrites four bytes already written, for a length that was not known before. */
  patchU32 (at: number, value: number): void { new DataView(this.#bytes.buffer, this.#bytes.byteOffset).setUint32(at, value, true) }

  /** What has been written; the writer must not be used any more. */
  done (): Uint8Array<ArrayBuffer> { return this.#bytes.subarray(0, this.#length) }

  #reserve (more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = this.#allocate(Math.max(this.#bytes.length * 2, this.#length + more))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

type Allocate = (bytes: number) => Buffer<ArrayBuffer>

/** What is small is cut out of these: an allocation of its own costs more than filling it. */
const slabBytes = 64 * 1_024
const smallBytes = 1_024

/** For what lives long: in node's own pool it would keep alive all the short-lived bytes that lie beside it there. */
export function slabs (): Allocate {
  let slab = Buffer.allocUnsafeSlow(slabBytes)
  let used = 0
  return bytes => {
    if (bytes > smallBytes) return Buffer.allocUnsafeSlow(bytes)
    if (used + bytes > slabBytes) {
      slab = Buffer.allocUnsafeSlow(slabBytes)
      used = 0
    }
    return slab.subarray(used, used += bytes)
  }
}

/** Bytes that do not say what they should: cut short, or of a version not known here. */
export class MalformedError extends Error {
  override get name (): string { return 'MalformedError' }
}

export class ByteReader {
  readonly #bytes: Uint8Array
  #at: number

  constructor (bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get left (): number { return this.#bytes.length - this.#at }

  u8 (): number {
    this.#need(1)
    return this.#bytes[this.#at++]!
  }

  u32 (): number {
    this.#need(4)
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 4).getUint32(0, true)
    this.#at += 4
    return value
  }

  varint (): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw new MalformedError('a number is too large')
        return value
      }
    }
    throw new MalformedError('a number is too long')
  }

  /** A view, not a copy. */
  raw (length: number): Uint8Array {
    this.#need(length)
    return this.#bytes.subarray(this.#at, this.#at += length)
  }

  bytes (): Uint8Array { return this.raw(this.varint()) }

  text (): string { return Buffer.from(this.bytes()).toString() }

  numbers (): readonly number[] {
    const count = this.varint()
    this.#need(count) // each takes at least one byte, so a forged count cannot make a huge array
    return Array.from({ length: count }, () => this.varint())
  }

  #need (length: number): void {
    if (length > this.left) throw new MalformedError(`ends ${length - this.left} bytes too early`)
  }
}
