/** The protobuf that a UnixFS node carries in its `Data`, written byte for byte as boxo writes it. */
import { bytesField, fieldsOf, numberField, refuseProtobuf, varints } from '../dag/protobuf.ts'

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

export function encodeUnixfs (data: UnixfsData): Uint8Array {
  return Buffer.concat(unixfsPieces(data))
}

/** What `encodeUnixfs` joins: for whoever has more to join, so that content is copied once. */
export function unixfsPieces ({ type, data, fileSize, blockSizes = [], hashType, fanout, mode, mtime }: UnixfsData): readonly Uint8Array[] {
  return [
    numberField(1, BigInt(types.indexOf(type))),
    ...data === undefined ? [] : bytesField(2, data),
    ...fileSize === undefined ? [] : [numberField(3, fileSize)],
    ...blockSizes.map(size => numberField(4, size)),
    ...hashType === undefined ? [] : [numberField(5, hashType)],
    ...fanout === undefined ? [] : [numberField(6, fanout)],
    ...mode === undefined ? [] : [numberField(7, BigInt(mode))],
    ...mtime === undefined ? [] : bytesField(8, encodeMtime(mtime))
  ]
}

/** @throws Error for bytes that are no UnixFS node */
export function decodeUnixfs (bytes: Uint8Array): UnixfsData {
  let found: { -readonly [K in keyof UnixfsData]: UnixfsData[K] } = { type: 'raw' }
  const blockSizes: bigint[] = []
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1) found.type = types[Number(value as bigint)] ?? refuseProtobuf()
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
