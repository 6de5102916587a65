/**
 * One record of the log file and the rule that tells a torn tail from damage.
 *
 *     magic · length · crc · segment · groupStart · kind · payload · padding to 8
 *
 * Records are written in groups, one sync each. `groupStart` is where the writer's last sync had got to when it wrote the
 * record, so a valid record vouches for every byte of its segment before that position. Behind a bad record only records
 * that vouch for nothing past it may follow: then the bad one belongs to the group that was being written when the power
 * went, of which nothing was acknowledged, whichever of its sectors survived. One that does vouch for it proves damage.
 */
import { crc32c } from './crc32c.ts'

export const headerBytes = 24
const magic = 0x314c5152 // "RQL1"
export const payloadBytesMax = 64 * 1_024 * 1_024

export type RecordKind = 'segment' | 'append' | 'base'
const kinds: readonly RecordKind[] = ['segment', 'append', 'base']

export interface LogRecord {
  readonly kind: RecordKind
  readonly payload: Uint8Array
  /** Where in its segment it starts; `end` is where the next one would. */
  readonly at: number
  readonly end: number
  readonly groupStart: number
}

export interface Scan {
  readonly records: readonly LogRecord[]
  /** Where the next record goes. */
  readonly end: number
  /** `torn`: bytes of an unfinished group lie at `end`. `damaged`: bytes that had been synced are no longer good. */
  readonly tail: 'clean' | 'torn' | 'damaged'
  /** Good records behind the first bad one. */
  readonly survivors: number
}

export const recordBytes = (payloadLength: number): number => headerBytes + payloadLength + 7 & ~7

/** Writes a record into `target` at `offset`, for position `at` of `segment`. Returns its whole length. */
export function writeRecord (target: Uint8Array, offset: number, where: { segment: number, at: number, groupStart: number }, kind: RecordKind, payload: Uint8Array): number {
  const view = new DataView(target.buffer, target.byteOffset + offset)
  view.setUint32(0, magic, true)
  view.setUint32(4, payload.length, true)
  view.setUint32(12, where.segment, true)
  view.setUint32(16, where.groupStart, true)
  view.setUint32(20, kinds.indexOf(kind) + 1, true)
  target.set(payload, offset + headerBytes)
  target.fill(0, offset + headerBytes + payload.length, offset + recordBytes(payload.length))
  view.setUint32(8, checksum(target, offset, payload.length, where.at), true)
  return recordBytes(payload.length)
}

/** `syncedTo` is what is known from elsewhere to have been synced in this segment (0: nothing). */
export function scanSegment (bytes: Uint8Array, segment: number, syncedTo: number): Scan {
  const records: LogRecord[] = []
  let end = 0
  for (let record = readRecord(bytes, segment, 0); record !== undefined; record = readRecord(bytes, segment, end)) {
    records.push(record)
    end = record.end
  }
  const survivors = goodRecords(bytes, segment, end).reduce(count => count + 1, 0)
  if (end < syncedTo || vouchedFor(bytes, segment, end)) return { records, end, tail: 'damaged', survivors }
  return { records, end, tail: isZero(bytes, end) ? 'clean' : 'torn', survivors }
}

/** The record at `at` of `bytes`, which is position `position` of the segment; undefined if there is no good one. */
export function readRecord (bytes: Uint8Array, segment: number, at: number, position = at): LogRecord | undefined {
  if (at + headerBytes > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, headerBytes)
  const length = view.getUint32(4, true)
  if (view.getUint32(0, true) !== magic || view.getUint32(12, true) !== segment) return undefined
  if (length > payloadBytesMax || at + recordBytes(length) > bytes.length) return undefined
  const kind = kinds[view.getUint32(20, true) - 1]
  if (kind === undefined || view.getUint32(8, true) !== checksum(bytes, at, length, position)) return undefined
  return {
    kind,
    payload: bytes.subarray(at + headerBytes, at + headerBytes + length),
    at,
    end: at + recordBytes(length),
    groupStart: view.getUint32(16, true)
  }
}

/** Is there a good record behind `bad` that was written after `bad` had been synced? */
function vouchedFor (bytes: Uint8Array, segment: number, bad: number): boolean {
  return goodRecords(bytes, segment, bad).some(({ groupStart }) => groupStart > bad)
}

function * goodRecords (bytes: Uint8Array, segment: number, from: number): Generator<LogRecord, void, undefined> {
  const needle = Uint8Array.of(magic & 0xff, magic >>> 8 & 0xff, magic >>> 16 & 0xff, magic >>> 24)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = buffer.indexOf(needle, from); at !== -1; at = buffer.indexOf(needle, at + 1)) {
    const record = at % 8 === 0 ? readRecord(bytes, segment, at) : undefined
    if (record !== undefined) yield record
  }
}

/** The position is part of the sum: a record that the disk put in the wrong place is not good there. */
function checksum (bytes: Uint8Array, offset: number, payloadLength: number, at: number): number {
  const place = Uint8Array.of(at & 0xff, at >>> 8 & 0xff, at >>> 16 & 0xff, at >>> 24)
  const head = crc32c(bytes.subarray(offset, offset + 8), crc32c(place))
  return crc32c(bytes.subarray(offset + 12, offset + headerBytes + payloadLength), head)
}

function isZero (bytes: Uint8Array, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return false
  return true
}
