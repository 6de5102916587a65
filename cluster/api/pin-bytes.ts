import { CID } from 'multiformats/cid'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { ClusterError } from './errors.ts'
import type { PeerId, Pin, Replication } from './pin.ts'

const version = 1
const flag = { direct: 1, everywhere: 2, expires: 4, updates: 8, metadata: 16, origins: 32 } as const

/** A pin as few bytes, the same on every peer: a pin of one file is about 70, and 53 more for each peer it is allocated to. */
export function encodePin (pin: Pin): Buffer {
  const metadata = Object.entries(pin.metadata).sort(([a], [b]) => a < b ? -1 : 1)
  const flags = (pin.mode === 'direct' ? flag.direct : 0) |
    (pin.replication === 'everywhere' ? flag.everywhere : 0) |
    (pin.expireAtMs === undefined ? 0 : flag.expires) |
    (pin.pinUpdate === undefined ? 0 : flag.updates) |
    (metadata.length === 0 ? 0 : flag.metadata) |
    (pin.origins.length === 0 ? 0 : flag.origins)

  const writer = new ByteWriter().byte(version).byte(flags).bytes(pin.cid.bytes).text(pin.name).varint(pin.timestampMs)
  if (pin.replication !== 'everywhere') writer.varint(pin.replication.min).varint(pin.replication.max)
  writeTexts(writer, pin.allocations)
  if (pin.expireAtMs !== undefined) writer.varint(pin.expireAtMs)
  if (pin.pinUpdate !== undefined) writer.bytes(pin.pinUpdate.bytes)
  if (metadata.length > 0) writeTexts(writer, metadata.flat())
  if (pin.origins.length > 0) writeTexts(writer, pin.origins)
  return writer.finish()
}

/** @throws ClusterError ERR_STORAGE when the bytes are none of ours */
export function decodePin (bytes: Uint8Array): Pin {
  const reader = new ByteReader(bytes)
  const found = reader.byte()
  if (found !== version) throw new ClusterError('ERR_STORAGE', `a stored pin has version ${found}, this program reads version ${version}`)
  const flags = reader.byte()
  const has = (bit: number): boolean => (flags & bit) !== 0

  const cid = readCid(reader)
  const name = reader.text()
  const timestampMs = reader.varint()
  const replication: Replication = has(flag.everywhere) ? 'everywhere' : { min: reader.varint(), max: reader.varint() }
  return {
    cid,
    name,
    mode: has(flag.direct) ? 'direct' : 'recursive',
    replication,
    allocations: readTexts(reader) as PeerId[],
    expireAtMs: has(flag.expires) ? reader.varint() : undefined,
    pinUpdate: has(flag.updates) ? readCid(reader) : undefined,
    metadata: has(flag.metadata) ? pairs(readTexts(reader)) : {},
    origins: has(flag.origins) ? readTexts(reader) : [],
    timestampMs
  }
}

/** Of an encoded pin; most have none, which takes no decoding to see. */
export function expireAtMsOf (bytes: Uint8Array): number | undefined {
  return (bytes[1]! & flag.expires) === 0 ? undefined : decodePin(bytes).expireAtMs
}

/** A CID of its own bytes: those that are read may be reused. */
function readCid (reader: ByteReader): CID {
  return CID.decode(Uint8Array.from(reader.bytes()))
}

function writeTexts (writer: ByteWriter, texts: readonly string[]): void {
  writer.varint(texts.length)
  for (const text of texts) writer.text(text)
}

function readTexts (reader: ByteReader): string[] {
  return Array.from({ length: reader.varint() }, () => reader.text())
}

function pairs (texts: readonly string[]): Record<string, string> {
  const entries = Array.from({ length: texts.length / 2 }, (_, i): [string, string] => [texts[2 * i]!, texts[2 * i + 1]!])
  return Object.fromEntries(entries)
}
