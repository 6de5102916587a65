/** Cuts where the content says so: a fingerprint rolls over the last bytes, and a cut is made where its low bits are all zero. */
import { ByteCursor } from '../../cluster/api/kubo/byte-cursor.ts'

/** Irreducible over GF(2), of degree 53: the one that all of IPFS uses. */
const polynomial = 17437180132763653n
const degree = 53
const windowBytes = 16

export interface RabinLimits { readonly minBytes: number, readonly averageBytes: number, readonly maxBytes: number }

export async function * rabinChunks (source: AsyncIterable<Uint8Array>, limits: RabinLimits): AsyncGenerator<Uint8Array> {
  const cursor = new ByteCursor(source)
  while (true) {
    while (cursor.held.length < limits.maxBytes && await cursor.more()) { /* enough to find the next cut in */ }
    if (cursor.held.length === 0) return
    yield cursor.take(cutOf(cursor.held, limits))
  }
}

/** Numbers of up to 61 bits, in halves: JavaScript's operators know 32. */
interface Table { readonly high: Uint32Array, readonly low: Uint32Array }

function cutOf (bytes: Uint8Array, { minBytes, averageBytes, maxBytes }: RabinLimits): number {
  const { leaving, reducing } = tables()
  const mask = 2 ** Math.floor(Math.log2(averageBytes)) - 1
  const window = new Uint8Array(windowBytes)
  let at = 0
  let high = 0
  let low = 0
  const slide = (byte: number): void => {
    const gone = window[at]!
    window[at] = byte
    at = (at + 1) % windowBytes
    high ^= leaving.high[gone]!
    low ^= leaving.low[gone]!
    const overflow = high >>> (degree - 8 - 32)
    high = ((high << 8) | (low >>> 24)) ^ reducing.high[overflow]!
    low = ((low << 8) | byte) ^ reducing.low[overflow]!
  }

  slide(1)
  const end = Math.min(bytes.length, maxBytes)
  for (let i = Math.max(0, minBytes - windowBytes); i < end; i++) {
    slide(bytes[i]!)
    if (i + 1 >= minBytes && (low & mask) === 0) return i + 1
  }
  return end
}

let made: { readonly leaving: Table, readonly reducing: Table } | undefined

function tables (): { readonly leaving: Table, readonly reducing: Table } {
  made ??= {
    leaving: tableOf(byte => {
      let fingerprint = append(0n, byte)
      for (let i = 1; i < windowBytes; i++) fingerprint = append(fingerprint, 0n)
      return fingerprint
    }),
    reducing: tableOf(byte => {
      const shifted = byte << BigInt(degree)
      return modulo(shifted) | shifted
    })
  }
  return made
}

function tableOf (entry: (byte: bigint) => bigint): Table {
  const values = Array.from({ length: 256 }, (_, byte) => entry(BigInt(byte)))
  return { high: Uint32Array.from(values, value => Number(value >> 32n)), low: Uint32Array.from(values, value => Number(value & 0xffffffffn)) }
}

function append (fingerprint: bigint, byte: bigint): bigint {
  return modulo((fingerprint << 8n) | byte)
}

/** The remainder of a division of polynomials over GF(2). */
function modulo (value: bigint): bigint {
  let rest = value
  for (let over = bitLength(rest) - 1 - degree; over >= 0; over = bitLength(rest) - 1 - degree) rest ^= polynomial << BigInt(over)
  return rest
}

function bitLength (value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length
}
