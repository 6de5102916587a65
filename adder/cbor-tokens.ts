import { fromGoBytes, quoteGo } from '../cluster/api/kubo/go-text.ts'
import { CarError } from './car-error.ts'

/** One token of CBOR as Go's refmt, which Kubo reads the heads of CARs with, tells them apart. A map or list is its length; its items follow. */
export type CborToken = { readonly tag: bigint | undefined } & (
  | { readonly kind: 'map' | 'array' | 'uint' | 'int', readonly value: bigint }
  | { readonly kind: 'string', readonly value: string }
  | { readonly kind: 'bytes', readonly value: Uint8Array }
  | { readonly kind: 'bool', readonly value: boolean }
  | { readonly kind: 'float', readonly value: number }
  | { readonly kind: 'null' })

/** go-ipld-cbor's bound for a string. */
const stringBytesMax = 32n << 20n
const lengthMax = (1n << 63n) - 1n
const major = { uint: 0, negative: 1, bytes: 2, string: 3, array: 4, map: 5, tag: 6 } as const
const indefinite: readonly number[] = [0x5f, 0x7f, 0x9f, 0xbf]

/** Reads tokens one by one, so that what is wrong is told in the order in which Kubo finds it; what stands behind the last one taken is never looked at. */
export class CborTokens {
  readonly #bytes: Buffer
  #at = 0

  constructor (bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** @throws CarError in refmt's words */
  next (): CborToken {
    const head = this.#take(1)[0]!
    if (head >> 5 !== major.tag) return this.#value(head, undefined)
    const tag = this.#length(head)
    const inner = this.#take(1)[0]!
    if (inner >> 5 === major.tag) throw new CarError('invalid header: unsupported multiple tags on a single data item')
    return this.#value(inner, tag)
  }

  #value (head: number, tag: bigint | undefined): CborToken {
    if (indefinite.includes(head)) throw new CarError('invalid header: cbor: indefinite-length encoding rejected')
    switch (head >> 5) {
      case major.uint: return { tag, kind: 'uint', value: this.#uint(head) }
      case major.negative: return { tag, kind: 'int', value: this.#negative(head) }
      case major.bytes: return { tag, kind: 'bytes', value: this.#run(head, 'byte') }
      case major.string: return { tag, kind: 'string', value: fromGoBytes(this.#run(head, 'string')) }
      case major.array: return { tag, kind: 'array', value: this.#length(head) }
      case major.map: return { tag, kind: 'map', value: this.#length(head) }
      default: return this.#simple(head, tag)
    }
  }

  #simple (head: number, tag: bigint | undefined): CborToken {
    if (head === 0xf4 || head === 0xf5) return { tag, kind: 'bool', value: head === 0xf5 }
    if (head === 0xf6 || head === 0xf7) return { tag, kind: 'null' }
    if (head < 0xf9 || head > 0xfb) throw new CarError(`invalid header: invalid majorByte: 0x${head.toString(16)}`)
    const bytes = this.#take(2 ** (head - 0xf8))
    const value = head === 0xf9 ? new DataView(bytes.buffer, bytes.byteOffset).getFloat16(0) : head === 0xfa ? bytes.readFloatBE() : bytes.readDoubleBE()
    if (Number.isNaN(value)) throw new CarError('invalid header: cbor: NaN float value rejected')
    if (!Number.isFinite(value)) throw new CarError('invalid header: cbor: infinite float value rejected')
    return { tag, kind: 'float', value }
  }

  #uint (head: number): bigint {
    const packed = head & 0x1f
    if (packed < 0x18) return BigInt(packed)
    if (packed > 0x1b) throw new CarError(`invalid header: decodeUint: Invalid descriptor: ${head}`)
    return BigInt(`0x${this.#take(2 ** (packed - 0x18)).toString('hex')}`)
  }

  /** refmt's sum goes round at 64 bits: the smallest number of all reads as 0. */
  #negative (head: number): bigint {
    const positive = BigInt.asUintN(64, this.#uint(head) + 1n)
    if (positive > lengthMax + 1n) throw new CarError('invalid header: cbor: negative integer out of rage of int64 type')
    return -positive
  }

  #length (head: number): bigint {
    const length = this.#uint(head)
    if (length > lengthMax) throw new CarError('invalid header: cbor: positive integer is out of length')
    return length
  }

  #run (head: number, what: 'byte' | 'string'): Buffer {
    const length = this.#length(head)
    if (length > stringBytesMax) throw new CarError(`invalid header: cbor: decoding rejected oversized ${what} field: ${length} is too large`)
    return this.#take(Number(length))
  }

  #take (length: number): Buffer {
    const left = this.#bytes.length - this.#at
    if (left < length) throw new CarError(`invalid header: ${left === 0 ? 'EOF' : 'unexpected EOF'}`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

/** A token as refmt prints it. */
export function printedToken (token: CborToken): string {
  return `${token.tag === undefined ? '' : `_${token.tag}:`}<${printedValue(token)}>`
}

function printedValue (token: CborToken): string {
  switch (token.kind) {
    case 'map': return `{:${token.value}`
    case 'array': return `[:${token.value}`
    case 'null': return '0'
    case 'string': return `s:${quoteGo(token.value)}`
    case 'bytes': return `x:[${token.value.join(' ')}]`
    case 'bool': return `b:${token.value}`
    case 'float': return `f:${goFloat(token.value)}`
    default: return `${token.kind[0]}:${token.value}`
  }
}

/** Go's `%v`: as JavaScript prints it, but an exponent from 1e-5 down, and of two digits at least. */
function goFloat (value: number): string {
  if (Object.is(value, -0)) return '-0'
  const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}
