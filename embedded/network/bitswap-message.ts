/** Messages of bitswap 1.2 in bytes. What an older or newer peer says besides is passed over. */
import { CID } from 'multiformats/cid'
import { hashByCode } from '../dag/hashes.ts'
import { bytesField, fieldsOf, numberField, refuseProtobuf, varint, varints } from '../dag/protobuf.ts'

/** One line of a want list. */
export interface WantEntry {
  readonly cid: CID
  /** `have` only asks whether it is there. */
  readonly kind: 'block' | 'have'
  readonly isCancel: boolean
  /** Whoever lacks it is to say so. */
  readonly sendDontHave: boolean
}

export interface Presence { readonly cid: CID, readonly has: boolean }

/** A block as it travels: its hash has to be worked out by who receives it. */
export interface SentBlock {
  /** Version, codec, hash function and length of the digest: a CID without its digest. */
  readonly prefix: Uint8Array
  readonly bytes: Uint8Array
}

export interface BitswapMessage {
  readonly entries: readonly WantEntry[]
  /** The want list takes the place of what was said before. */
  readonly isFull: boolean
  readonly blocks: readonly SentBlock[]
  readonly presences: readonly Presence[]
}

/** In pieces, so that blocks are not copied. */
export function encodeMessage ({ entries, isFull, blocks, presences }: BitswapMessage): readonly Uint8Array[] {
  const list = [...entries.map(entry => field(1, encodeEntry(entry))), ...isFull ? [numberField(2, 1n)] : []]
  return [
    ...list.length === 0 ? [] : bytesField(1, Buffer.concat(list)),
    ...blocks.flatMap(encodeBlock),
    ...presences.flatMap(({ cid, has }) => bytesField(4, Buffer.concat([field(1, cid.bytes), ...has ? [] : [numberField(2, 1n)]])))
  ]
}

/** @throws Error for bytes that are no message */
export function decodeMessage (bytes: Uint8Array): BitswapMessage {
  const entries: WantEntry[] = []
  const blocks: SentBlock[] = []
  const presences: Presence[] = []
  let isFull = false
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1) {
      for (const item of fieldsOf(asBytes(value))) {
        if (item.field === 1) entries.push(decodeEntry(asBytes(item.value)))
        if (item.field === 2) isFull = item.value === 1n
      }
    }
    if (field === 3) blocks.push(decodeBlock(asBytes(value)))
    if (field === 4) presences.push(decodePresence(asBytes(value)))
  }
  return { entries, isFull, blocks, presences }
}

export function prefixOf (cid: CID): Uint8Array {
  return Buffer.concat([cid.version, cid.code, cid.multihash.code, cid.multihash.size].map(number => varint(BigInt(number))))
}

/** What the bytes hash to, as a multihash; undefined for a prefix that makes no sense or a hash that is not known here. */
export function multihashOf ({ prefix, bytes }: SentBlock): Uint8Array | undefined {
  const [, , code, length] = [...varints(prefix)].map(Number)
  const hash = code === undefined ? undefined : hashByCode(code)
  if (hash === undefined || length === undefined) return undefined
  const digest = hash.digest(bytes)
  return length > digest.length ? undefined : Buffer.concat([varint(BigInt(hash.code)), varint(BigInt(length)), digest.subarray(0, length)])
}

function field (number: number, bytes: Uint8Array): Buffer { return Buffer.concat(bytesField(number, bytes)) }

function encodeEntry ({ cid, kind, isCancel, sendDontHave }: WantEntry): Uint8Array {
  const flags = [numberField(2, 1n), ...isCancel ? [numberField(3, 1n)] : [], ...kind === 'have' ? [numberField(4, 1n)] : [], ...sendDontHave ? [numberField(5, 1n)] : []]
  return Buffer.concat([field(1, cid.bytes), ...flags])
}

function encodeBlock ({ prefix, bytes }: SentBlock): readonly Uint8Array[] {
  const pieces = [...bytesField(1, prefix), ...bytesField(2, bytes)]
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return [varint(BigInt(3 << 3 | 2)), varint(BigInt(length)), ...pieces]
}

function decodeEntry (bytes: Uint8Array): WantEntry {
  const found = { cid: undefined as CID | undefined, kind: 'block' as WantEntry['kind'], isCancel: false, sendDontHave: false }
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1) found.cid = CID.decode(asBytes(value))
    if (field === 3) found.isCancel = value === 1n
    if (field === 4) found.kind = value === 1n ? 'have' : 'block'
    if (field === 5) found.sendDontHave = value === 1n
  }
  return { ...found, cid: found.cid ?? refuseProtobuf() }
}

function decodeBlock (message: Uint8Array): SentBlock {
  const found = { prefix: new Uint8Array(), bytes: new Uint8Array() }
  for (const { field, value } of fieldsOf(message)) {
    if (field === 1) found.prefix = asBytes(value)
    if (field === 2) found.bytes = asBytes(value)
  }
  return found
}

function decodePresence (bytes: Uint8Array): Presence {
  let cid: CID | undefined
  let has = true
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1) cid = CID.decode(asBytes(value))
    if (field === 2) has = value === 0n
  }
  return { cid: cid ?? refuseProtobuf(), has }
}

function asBytes (value: bigint | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof value === 'bigint' ? refuseProtobuf() : value as Uint8Array<ArrayBuffer>
}
