import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { pushReversed } from './push-reversed.ts'

export const codes = { raw: 0x55, 'dag-pb': 0x70, 'dag-cbor': 0x71, cbor: 0x51, json: 0x0200, 'dag-json': 0x0129, 'libp2p-key': 0x72 } as const
export type CodecName = keyof typeof codes

export interface Codec {
  decode (bytes: Uint8Array): unknown
  encode (value: unknown): Uint8Array
}

export interface Link { readonly name: string, readonly cid: CID }

const codecs: ReadonlyMap<number, Codec> = new Map<number, Codec>([
  [codes.raw, { decode: bytes => bytes, encode: value => encodeRaw(value) }],
  [codes['dag-pb'], { decode: bytes => dagPb.decode(bytes), encode: encodeDagPb }],
  [codes['dag-cbor'], { decode: decodeDagCbor, encode: value => dagCbor.encode(value) }],
  [codes['dag-json'], { decode: bytes => dagJson.decode(bytes), encode: value => dagJson.encode(value) }]
])

/** @param name of the node, where it is more than a kind. @throws KuboError in go-ipld-prime's words for what is no bytes */
export function encodeRaw (value: unknown, name: string = goKind(value)): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new KuboError(`func called on wrong kind: "AsBytes" called on a ${name} node (kind: ${goKind(value)}), but only makes sense on bytes`)
}

function isMap (value: unknown): value is Readonly<Record<string, unknown>> {
  return goKind(value) === 'map'
}

/** What go-ipld-prime calls the kind of a node. */
export function goKind (value: unknown): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return 'bytes'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  if (typeof value !== 'object') return { boolean: 'bool', string: 'string', bigint: 'int' }[typeof value as 'boolean'] ?? 'map'
  return CID.asCID(value) === null ? 'map' : 'link'
}

function encodeDagPb (value: unknown): Uint8Array {
  if (value === null) throw new KuboError('func called on wrong kind: "AssignNull" called on a dagpb.PBNode node (kind: map), but only makes sense on null')
  if (!isMap(value)) throw new KuboError(`func called on wrong kind: "AssignNode" called on a dagpb.PBNode node (kind: ${goKind(value)}), but only makes sense on map`)
  const stranger = Object.keys(value).find(key => key !== 'Data' && key !== 'Links')
  if (stranger !== undefined) throw new KuboError(`invalid key for map dagpb.PBNode: ${quoteGo(stranger)}: no such field`)
  return dagPb.encode(dagPb.prepare(value as unknown as dagPb.PBNode))
}

function decodeDagCbor (bytes: Uint8Array): unknown {
  try {
    return dagCbor.decode(bytes)
  } catch (err) {
    throw /too many terminals/.test((err as Error).message) ? new KuboError('unexpected content after end of cbor object', { cause: err }) : err
  }
}

/** @throws KuboError in Kubo's words for a codec that it has no decoder for either */
export function requireCodec (code: number): Codec {
  const codec = codecs.get(code)
  if (codec === undefined) throw new KuboError(`could not choose a decoder: no decoder registered for multicodec code ${code} (0x${code.toString(16)})`)
  return codec
}

/** The links of a node, in the order in which they stand in it; a name where the node gives one. @throws Error for bytes its codec cannot read */
export function linksOf (cid: CID, bytes: Uint8Array): readonly Link[] {
  if (cid.code === codes.raw) return []
  const value = requireCodec(cid.code).decode(bytes)
  if (cid.code === codes['dag-pb']) return (value as dagPb.PBNode).Links.map(({ Name, Hash }) => ({ name: Name ?? '', cid: Hash }))
  return [...linksWithin(value)].map(cid => ({ name: '', cid }))
}

function * linksWithin (top: unknown): Generator<CID> {
  const stack = [top]
  while (stack.length > 0) {
    const value = stack.pop()
    const cid = CID.asCID(value)
    if (cid !== null) yield cid
    else if (Array.isArray(value)) pushReversed(stack, value)
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) pushReversed(stack, Object.values(value))
  }
}
