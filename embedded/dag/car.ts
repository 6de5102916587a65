/** CAR files, version 1 and 2, read as a stream; what is wrong with one is said in the words of go-car. */
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { ByteCursor } from '../../cluster/api/kubo/byte-cursor.ts'
import { CutUploadError } from './cut-upload.ts'
import { varint } from './protobuf.ts'

const headerBytesMax = 32 * 1024 * 1024
const sectionBytesMax = 8 * 1024 * 1024
const v2HeaderBytes = 40

export interface CarSection { readonly cid: CID, readonly bytes: Buffer }
export interface Car { readonly roots: readonly CID[], readonly sections: AsyncIterable<CarSection> }

/** @returns undefined for no bytes at all @throws Error in go-car's words */
export async function openCar (source: AsyncIterable<Uint8Array>): Promise<Car | undefined> {
  const cursor = new ByteCursor(source)
  const first = await readFrame(cursor, headerBytesMax)
  if (first === undefined) return undefined
  const { version, roots } = readHeader(first)
  if (version === 1) return { roots, sections: sections(cursor, Infinity) }
  if (version !== 2) throw new Error(`invalid car version: ${version}`)

  const v2 = await cursor.read(v2HeaderBytes)
  if (v2.length < v2HeaderBytes) throw new CutUploadError()
  const dataAt = Number(v2.readBigUInt64LE(16))
  const dataBytes = Number(v2.readBigUInt64LE(24))
  const pragmaBytes = first.length + varint(BigInt(first.length)).length
  if (dataAt < pragmaBytes + v2HeaderBytes) throw new Error(`invalid data payload offset: ${dataAt}`)
  if (!await cursor.skip(dataAt - pragmaBytes - v2HeaderBytes)) throw new CutUploadError()
  const inner = await readFrame(cursor, headerBytesMax)
  if (inner === undefined) throw new CutUploadError()
  const header = readHeader(inner)
  if (header.version !== 1) throw new Error(`invalid data payload header: expected version 1 but got ${header.version}`)
  return { roots: header.roots, sections: sections(cursor, dataBytes - inner.length - varint(BigInt(inner.length)).length) }
}

/** The header of a CARv1, length in front. */
export function carHeader (roots: readonly CID[]): Uint8Array {
  return framed([dagCbor.encode({ roots, version: 1 })])
}

export function carSection (cid: CID, bytes: Uint8Array): Uint8Array {
  return framed([cid.bytes, bytes])
}

function framed (pieces: readonly Uint8Array[]): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Buffer.concat([varint(BigInt(length)), ...pieces])
}

async function * sections (cursor: ByteCursor, bytesMax: number): AsyncGenerator<CarSection> {
  for (let left = bytesMax; left > 0;) {
    const frame = await readFrame(cursor, sectionBytesMax)
    if (frame === undefined) break
    left -= frame.length + varint(BigInt(frame.length)).length
    yield readSection(frame)
  }
  if (bytesMax === Infinity) return
  while (cursor.held.length > 0 || await cursor.more()) cursor.take(cursor.held.length) // the index of a CARv2
}

function readSection (frame: Buffer): CarSection {
  try {
    const [cid, bytes] = CID.decodeFirst(frame)
    return { cid, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
  } catch (err) {
    throw new Error('invalid cid: varints malformed, could not reach the end', { cause: err })
  }
}

/** A length and as many bytes; undefined at the end. A frame of no bytes ends the file where `ZeroLengthSectionAsEOF` is not set: it is an error. */
async function readFrame (cursor: ByteCursor, bytesMax: number): Promise<Buffer | undefined> {
  let length = 0
  let scale = 1
  for (let read = 0; ; read++) {
    if (cursor.held.length === 0 && !await cursor.more()) {
      if (read === 0) return undefined
      throw new CutUploadError()
    }
    const byte = cursor.take(1)[0]!
    length += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) break
    if (read === 8) throw new Error('varints larger than uint63 not supported')
  }
  if (length > bytesMax) throw new Error(bytesMax === headerBytesMax ? 'invalid header data, length of read beyond allowable maximum' : 'invalid section data, length of read beyond allowable maximum')
  const frame = await cursor.read(length)
  if (frame.length < length) throw new CutUploadError()
  return frame
}

function readHeader (bytes: Buffer): { version: number, roots: readonly CID[] } {
  const header = decodeLeniently(bytes)
  const { version = 0, roots = [] } = (typeof header === 'object' && header !== null ? header : {}) as { version?: number, roots?: readonly CID[] }
  return { version, roots: roots.map(root => CID.asCID(root) ?? refuseRoot()) }
}

function refuseRoot (): never {
  throw new Error('invalid header: a root is no CID')
}

/** Garbage is a header without a version to go-car, and that is what it complains about. */
function decodeLeniently (bytes: Buffer): unknown {
  try {
    return dagCbor.decode(bytes)
  } catch {
    return undefined
  }
}
