/** The protobuf that a UnixFS node carries in its `Data`, written byte for byte as boxo writes it. */
export type UnixfsType = 'raw' | 'directory' | 'file' | 'metadata' | 'symlink' | 'shard'
const types: readonly UnixfsType[] = ['raw', 'directory', 'file', 'metadata', 'symlink', 'shard']

export interface Mtime { readonly seconds: bigint, readonly nanoseconds: number }

export interface UnixfsData {
  readonly type: UnixfsType
  /** Content of the node itself; absent is not the same as empty. */
  readonly data?: Uint8Array
  readonly fileSize?: bigint
  readonly blockSizes?: readonly bigint[]
  readonly hashType?: bigint
  readonly fanout?: bigint
  readonly mode?: number
  readonly mtime?: Mtime
}

export function encodeUnixfs ({ type, data, fileSize, blockSizes = [], hashType, fanout, mode, mtime }: UnixfsData): Uint8Array {
  return Buffer.concat([
    numberField(1, BigInt(types.indexOf(type))),
    ...data === undefined ? [] : bytesField(2, data),
    ...fileSize === undefined ? [] : [numberField(3, fileSize)],
    ...blockSizes.map(size => numberField(4, size)),
    ...hashType === undefined ? [] : [numberField(5, hashType)],
    ...fanout === undefined ? [] : [numberField(6, fanout)],
    ...mode === undefined ? [] : [numberField(7, BigInt(mode))],
    ...mtime === undefined ? [] : bytesField(8, encodeMtime(mtime))
  ])
}

/** @throws Error for bytes that are no UnixFS node */
export function decodeUnixfs (bytes: Uint8Array): UnixfsData {
  let found: { -readonly [K in keyof UnixfsData]: UnixfsData[K] } = { type: 'raw' }
  const blockSizes: bigint[] = []
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1) found.type = types[Number(value as bigint)] ?? refuse()
    if (field === 2) found.data = value as Uint8Array
    if (field === 3) found.fileSize = value as bigint
    if (field === 4) blockSizes.push(...typeof value === 'bigint' ? [value] : varints(value))
    if (field === 5) found.hashType = value as bigint
    if (field === 6) found.fanout = value as bigint
    if (field === 7) found.mode = Number(value as bigint)
    if (field === 8) found.mtime = decodeMtime(value as Uint8Array)
  }
  if (blockSizes.length > 0) found = { ...found, blockSizes }
  return found
}

export function varint (value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function numberField (field: number, value: bigint): Buffer {
  return Buffer.concat([varint(BigInt(field << 3)), varint(value)])
}

/** In pieces, so that content is copied once only. */
function bytesField (field: number, value: Uint8Array): readonly Uint8Array[] {
  return [varint(BigInt(field << 3 | 2)), varint(BigInt(value.length)), value]
}

function encodeMtime ({ seconds, nanoseconds }: Mtime): Uint8Array {
  const fraction = Buffer.alloc(4)
  fraction.writeUInt32LE(nanoseconds)
  return Buffer.concat([numberField(1, seconds), ...nanoseconds === 0 ? [] : [Buffer.from([2 << 3 | 5]), fraction]])
}

function decodeMtime (bytes: Uint8Array): Mtime {
  let seconds = 0n
  let nanoseconds = 0
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1) seconds = BigInt.asIntN(64, value as bigint)
    if (field === 2) nanoseconds = Number(value as bigint)
  }
  return { seconds, nanoseconds }
}

function * fieldsOf (bytes: Uint8Array): Generator<{ field: number, value: bigint | Uint8Array }> {
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
      if (at > bytes.length) refuse()
      yield { field, value: bytes.subarray(length.end, at) }
    } else if (wire === 5 && at + 4 <= bytes.length) {
      yield { field, value: BigInt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32LE(at)) }
      at += 4
    } else {
      refuse()
    }
  }
}

function * varints (bytes: Uint8Array): Generator<bigint> {
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
  return refuse()
}

function refuse (): never {
  throw new Error('proto: cannot parse invalid wire-format data')
}
