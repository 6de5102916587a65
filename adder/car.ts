import type { CID } from 'multiformats/cid'
import { lengthBytes } from '../cluster/api/length-bytes.ts'
import { ByteCursor } from '../cluster/api/kubo/byte-cursor.ts'
import { MultipartError } from '../cluster/api/kubo/multipart.ts'
import type { Block } from '../cluster/ports.ts'
import { CarError } from './car-error.ts'
import { decodeCarHeader } from './car-header.ts'
import type { CarHeader } from './car-header.ts'
import { readCid } from './cid-bytes.ts'
import { contentCid } from './content-hash.ts'

/** Bounds of go-car, which Kubo reads with: a length beyond them is refused before anything is read. */
const headerBytesMax = 32 << 20
const sectionBytesMax = 8 << 20
const carV2HeaderBytes = 40
const carV2PragmaBytes = 11
const blockBytesMax = 2 << 20
/** Kubo's bound for content that is its own CID. */
const identityBytesMax = 128
const identityCode = 0x00

/** A CAR that is being read: first its roots are known, then its blocks come, as many at a time as have arrived. */
export interface CarReader {
  readonly roots: readonly CID[]
  readonly blocks: AsyncIterable<readonly Block[]>
}

export interface CarLimits {
  readonly allowBigBlock: boolean
  /** Whoever gets the blocks checks each of them, and what it says of one is what will be answered. */
  readonly isCheckedLater?: boolean
}

/**
 * Reads a CAR, version 1 or 2, checking that each block is what its CID says: `@ipld/car` does not check. A hash function unknown here
 * is left to the daemon, which checks every block it imports, and so is every block when nobody but that daemon gets them.
 *
 * @returns undefined for a part of no bytes, which Kubo takes for the end of everything
 * @throws CarError in Kubo's words, also while blocks are read
 */
export async function readCar (bytes: AsyncIterable<Uint8Array>, limits: CarLimits): Promise<CarReader | undefined> {
  const cursor = new ByteCursor(bytes)
  const first = await readHeader(cursor)
  if (first === undefined) return undefined
  if (first.version === 1n) return { roots: first.roots, blocks: carBlocks(cursor, Infinity, limits) }
  if (first.version !== 2n) throw new CarError(`invalid car version: ${first.version}`)

  const { dataOffset, dataBytes } = await readV2Header(cursor)
  if (!await cursor.skip(dataOffset - carV2PragmaBytes - carV2HeaderBytes)) throw new CarError('unexpected EOF')
  const inner = await readHeader(cursor)
  if (inner === undefined) return undefined
  if (inner.version !== 1n) throw new CarError(`invalid data payload header version; expected 1, got ${inner.version}`)
  return { roots: inner.roots, blocks: carBlocks(cursor, dataBytes - inner.length, limits) }
}

async function readHeader (cursor: ByteCursor): Promise<CarHeader & { readonly length: number } | undefined> {
  const announced = await readLength(cursor)
  if (announced === undefined) return undefined
  if (announced.value === 0) throw new CarError('invalid header: EOF')
  if (announced.value > headerBytesMax) throw new CarError('invalid header data, length of read beyond allowable maximum')
  const bytes = await cursor.read(announced.value)
  if (bytes.length === 0) return undefined
  if (bytes.length < announced.value) throw new CarError('unexpected EOF')
  return { ...decodeCarHeader(bytes), length: announced.length + bytes.length }
}

async function readV2Header (cursor: ByteCursor): Promise<{ readonly dataOffset: number, readonly dataBytes: number }> {
  const bytes = await cursor.read(carV2HeaderBytes)
  if (bytes.length < carV2HeaderBytes) throw new CarError('unexpected EOF')
  const [dataOffset, dataBytes, indexOffset] = [16, 24, 32].map(at => bytes.readBigInt64LE(at)) as [bigint, bigint, bigint]
  if (dataOffset < BigInt(carV2PragmaBytes + carV2HeaderBytes)) throw new CarError(`invalid data payload offset: ${BigInt.asUintN(64, dataOffset)}`)
  if (dataBytes <= 0n) throw new CarError(`invalid data payload size: ${BigInt.asUintN(64, dataBytes)}`)
  if (indexOffset < 0n) throw new CarError(`invalid index offset: ${BigInt.asUintN(64, indexOffset)}`)
  return { dataOffset: Number(dataOffset), dataBytes: Number(dataBytes) }
}

async function * carBlocks (cursor: ByteCursor, payloadBytes: number, limits: CarLimits): AsyncGenerator<readonly Block[], void, undefined> {
  let left = payloadBytes
  let previous: CID | undefined
  const failed = (message: string): CarError => new CarError(previous === undefined ? `import failed: ${message}` : `import failed after block "${previous}": ${message}`)
  try {
    while (left > 0) {
      const first = await nextSection(cursor, left)
      if (first === undefined) break
      const blocks: Block[] = []
      let fault: unknown
      try {
        for (let section: Section | undefined = first; section !== undefined && left > 0; section = heldSection(cursor, left)) {
          left -= section.length
          const block = blockOf(section, limits)
          if (block.bytes.byteLength > blockBytesMax && !limits.allowBigBlock) throw tooBig(block.cid)
          blocks.push(block)
          previous = block.cid
        }
      } catch (err) {
        fault = err
      }
      if (blocks.length > 0) yield blocks // also those before one that is not good
      if (fault !== undefined) throw fault
    }
    while (await cursor.more()) cursor.take(cursor.held.length) // an index behind the payload is nobody's
  } catch (err) {
    if (err instanceof SectionError) throw failed(err.message)
    if (err instanceof MultipartError && err.cut) throw failed('unexpected EOF')
    throw err
  }
}

/** What is wrong with a section, to be told together with the block before it. */
class SectionError extends CarError {}

function tooBig (cid: CID): CarError {
  return new CarError(`import failed at block "${cid}": produced block is over 2MiB: big blocks can't be exchanged with other peers. consider using UnixFS for automatic chunking of bigger files, or pass --allow-big-block to override`)
}

/** A CID and a block's bytes; `whole`: with their length before them. */
interface Section { readonly bytes: Buffer, readonly whole: Buffer, readonly length: number }

async function nextSection (cursor: ByteCursor, left: number): Promise<Section | undefined> {
  const announced = await readLength(cursor)
  if (announced === undefined) return undefined
  if (announced.value > sectionBytesMax) throw new SectionError('invalid section data, length of read beyond allowable maximum')
  const wanted = Math.min(announced.value, left - announced.length)
  const head = lengthBytes(announced.value)
  const whole = await cursor.read(wanted, head)
  const bytes = whole.subarray(head.length)
  if (bytes.length === 0 && announced.value > 0) return undefined // to Go a length alone is a clean end
  if (bytes.length < announced.value) throw new SectionError('unexpected EOF')
  return { bytes, whole, length: announced.length + bytes.length }
}

/** A section that has arrived whole; it costs no promise. */
function heldSection (cursor: ByteCursor, left: number): Section | undefined {
  const announced = parseLength(cursor.held)
  if (announced === undefined || announced.value > sectionBytesMax) return undefined
  const length = announced.length + announced.value
  if (length > left || length > cursor.held.length) return undefined
  const whole = cursor.take(length)
  return { bytes: whole.subarray(announced.length), whole, length }
}

interface Length { readonly value: number, readonly length: number }

async function readLength (cursor: ByteCursor): Promise<Length | undefined> {
  while (true) {
    const length = parseLength(cursor.held)
    if (length !== undefined) {
      cursor.take(length.length)
      return length
    }
    if (await cursor.more()) continue
    if (cursor.held.length === 0) return undefined
    throw new SectionError('unexpected EOF')
  }
}

/** An unsigned varint; undefined while its end has not come. */
function parseLength (bytes: Buffer): Length | undefined {
  let value = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return { value, length: at + 1 }
    if (at === 8) throw new SectionError('varints larger than uint63 not supported')
  }
  return undefined
}

function blockOf ({ bytes: section, whole }: Section, { isCheckedLater = false }: CarLimits): Block {
  const read = readCid(section)
  if (typeof read === 'string') throw new SectionError(`invalid cid: ${read}`)
  const bytes = section.subarray(read.length)
  if (read.cid.multihash.code === identityCode && read.cid.multihash.size > identityBytesMax) {
    throw new CarError(`digest too large: identity digest got ${read.cid.multihash.size} bytes, maximum ${identityBytesMax}`)
  }
  const actual = isCheckedLater ? undefined : contentCid(read.cid, bytes)
  if (actual !== undefined) throw new SectionError(`mismatch in content integrity, expected: ${read.cid}, got: ${actual}`)
  return { cid: read.cid, bytes, section: whole }
}
