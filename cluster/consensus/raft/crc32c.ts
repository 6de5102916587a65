/**
 * CRC32C (Castagnoli), the checksum of every record on disk and frame on the wire. `zlib.crc32` is another polynomial,
 * which misses more of the burst errors that disks make. Eight tables ("slicing by 8") make it about 1 GB/s here.
 */
const tables: readonly Uint32Array[] = makeTables()

export function crc32c (bytes: Uint8Array, previous = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array]
  let crc = ~previous
  let at = 0
  for (const lastWhole = bytes.length - 8; at <= lastWhole; at += 8) {
    crc ^= bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24
    crc = t7[crc & 0xff]! ^ t6[crc >>> 8 & 0xff]! ^ t5[crc >>> 16 & 0xff]! ^ t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^ t2[bytes[at + 5]!]! ^ t1[bytes[at + 6]!]! ^ t0[bytes[at + 7]!]!
  }
  for (; at < bytes.length; at++) crc = t0[(crc ^ bytes[at]!) & 0xff]! ^ crc >>> 8
  return ~crc >>> 0
}

function makeTables (): readonly Uint32Array[] {
  const reversedPolynomial = 0x82f63b78
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ reversedPolynomial : crc >>> 1
    return crc
  })
  const made = [first]
  for (let slice = 1; slice < 8; slice++) {
    const before = made[slice - 1]!
    made.push(before.map(crc => crc >>> 8 ^ first[crc & 0xff]!))
  }
  return made
}
