import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { decodeDagJose, encodeDagJose } from './dag-jose.ts'
import { pushReversed } from './push-reversed.ts'

export const codes = { raw: 0x55, 'dag-pb': 0x70, 'dag-cbor': 0x71, cbor: 0x51, json: 0x0200, 'dag-json': 0x0129, 'dag-jose': 0x85, 'libp2p-key': 0x72 } as const
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
  [codes['dag-json'], { decode: bytes => dagJson.decode(bytes), encode: value => dagJson.encode(value) }],
  [codes['dag-jose'], { decode: decodeDagJose, encode: encodeDagJose }]
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

/** What refuses a block means the same in Go, in other words. */
const goWords: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [/too many terminals/, () => 'unexpected content after end of cbor object'],
  [/indefinite length/, () => 'cbor: indefinite-length encoding rejected'],
  [/more bytes than necessary/, () => 'cbor: integer not minimally encoded'],
  [/NaN values/, () => 'cbor: NaN float value rejected'],
  [/Infinity values/, () => 'cbor: infinite float value rejected'],
  [/repeat map key (".*")$/, ([, key]) => `duplicate map key ${key!}`]
]
/** First bytes from here on are simple values, floats and the break; of these dag-cbor has false, true, null, undefined and the floats. */
const simpleFrom = 0xe0
const simple = new Set([0xf4, 0xf5, 0xf6, 0xf7, 0xf9, 0xfa, 0xfb])

function decodeDagCbor (bytes: Uint8Array): unknown {
  const [first = 0] = bytes
  if (first >= simpleFrom && !simple.has(first)) throw new KuboError(`invalid majorByte: 0x${first.toString(16)}`)
  try {
    return dagCbor.decode(bytes)
  } catch (err) {
    for (const [pattern, word] of goWords) {
      const found = pattern.exec((err as Error).message)
      if (found !== null) throw new KuboError(word(found), { cause: err })
    }
    throw err
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
