/** Protobuf's wire format, as far as the formats of IPFS need it. */
export function varint (value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

export function numberField (field: number, value: bigint): Buffer {
  return Buffer.concat([varint(BigInt(field << 3)), varint(value)])
}

/** In pieces, so that content is copied once only. */
export function bytesField (field: number, value: Uint8Array): readonly Uint8Array[] {
  return [varint(BigInt(field << 3 | 2)), varint(BigInt(value.length)), value]
}

/** @throws Error in the words of Go for bytes that are no protobuf */
export function * fieldsOf (bytes: Uint8Array): Generator<{ field: number, value: bigint | Uint8Array }> {
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at)
    at = tag.end
    const wire = Number(tag.value & 7n)
    const field = Number(tag.value >> 3n)
    if (wire === 0) {
      const read = readVarint(bytes, at)
      at = read.end
      yield { field, value: read.value }
    } else if (wire === 2) {
      const length = readVarint(bytes, at)
      at = length.end + Number(length.value)
      if (at > bytes.length) refuseProtobuf()
      yield { field, value: bytes.subarray(length.end, at) }
    } else if (wire === 5 && at + 4 <= bytes.length) {
      yield { field, value: BigInt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32LE(at)) }
      at += 4
    } else {
      refuseProtobuf()
    }
  }
}

/** Of a packed field. */
export function * varints (bytes: Uint8Array): Generator<bigint> {
  for (let at = 0; at < bytes.length;) {
    const { value, end } = readVarint(bytes, at)
    yield value
    at = end
  }
}

function readVarint (bytes: Uint8Array, from: number): { value: bigint, end: number } {
  let value = 0n
  for (let at = from, shift = 0n; at < bytes.length && shift < 70n; at++, shift += 7n) {
    const byte = bytes[at]!
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + 1 }
  }
  return refuseProtobuf()
}

export function refuseProtobuf (): never {
  throw new Error('proto: cannot parse invalid wire-format data')
}
