/**
 * dag-jose: signed (JWS) and encrypted (JWE) messages. A block is dag-cbor in which stands as bytes what JSON spells in base64url; a
 * node shows the spelling, and of what was signed, which is a CID, the link.
 *
 * @see https://ipld.io/specs/codecs/dag-jose/spec/ and go-dag-jose, whose nodes these are like
 */
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { KuboError } from '../rpc/kubo-error.ts'

type Fields = Readonly<Record<string, unknown>>

interface Shape {
  readonly required?: string
  /** In base64url where a node is read, bytes in a block. */
  readonly spelled: readonly string[]
  /** As it is. */
  readonly free: string
  readonly list?: { readonly name: string, readonly of: Shape }
}

const recipient: Shape = { spelled: ['encrypted_key'], free: 'header' }
const signature: Shape = { required: 'signature', spelled: ['protected', 'signature'], free: 'header' }
const encrypted: Shape = { required: 'ciphertext', spelled: ['aad', 'ciphertext', 'iv', 'protected', 'tag'], free: 'unprotected', list: { name: 'recipients', of: recipient } }
const signed: Shape = { required: 'payload', spelled: ['payload'], free: '', list: { name: 'signatures', of: signature } }

/** @throws KuboError for what is no JOSE object */
export function decodeDagJose (bytes: Uint8Array): unknown {
  const block = fieldsOf(dagCbor.decode(bytes))
  if (block['ciphertext'] !== undefined) return convert(block, encrypted, spell)
  const node = convert(block, signed, spell)
  return { ...node, link: cidIn(node['payload'] as string) }
}

/** Takes the flattened form, with one signature or recipient, as well as the general one; a link is not looked at. @throws KuboError for what is no JOSE object */
export function encodeDagJose (value: unknown): Uint8Array {
  const node = fieldsOf(value)
  if (node['ciphertext'] !== undefined) return dagCbor.encode(convert(general(node, encrypted, 'JWE'), encrypted, read))
  if (typeof node['payload'] !== 'string') throw new KuboError('invalid JOSE object')
  cidIn(node['payload'])
  return dagCbor.encode(convert(general(node, signed, 'JWS'), signed, read))
}

/** What belongs to one signature or recipient is put into a list of one. */
function general (node: Fields, { spelled, free, list }: Shape, kind: 'JWE' | 'JWS'): Fields {
  const { name, of } = list!
  const common = pick(node, [...spelled, free])
  const inside = [...of.spelled, of.free].filter(field => !spelled.includes(field))
  const flat = pick(node, kind === 'JWS' ? [...of.spelled, of.free] : inside)
  if (node[name] === undefined) return kind === 'JWS' || Object.keys(flat).length > 0 ? { ...common, [name]: [flat] } : common
  if (Object.keys(flat).length > 0) throw new KuboError(`invalid ${kind} serialization`)
  const [first] = node[name] as readonly Fields[]
  return first === undefined || Object.keys(first).length === 0 ? common : { ...common, [name]: node[name] }
}

function pick (fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap(name => fields[name] === undefined ? [] : [[name, fields[name]]]))
}

function convert (value: unknown, shape: Shape, leaf: (value: unknown) => unknown): Fields {
  const fields = fieldsOf(value)
  const { required, spelled, free, list } = shape
  if (required !== undefined && fields[required] === undefined) throw new KuboError(`missing required fields: ${required}`)
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => {
    if (spelled.includes(name)) return [name, leaf(value)]
    if (name === list?.name && Array.isArray(value)) return [name, value.map(one => convert(one, list.of, leaf))]
    if (name === free) return [name, value]
    throw new KuboError(`invalid JOSE object: no such field: ${quoteGo(name)}`)
  }))
}

function fieldsOf (value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array || CID.asCID(value) !== null) throw new KuboError('invalid JOSE object')
  return value as Fields
}

function spell (value: unknown): string {
  if (!(value instanceof Uint8Array)) throw new KuboError('invalid JOSE object')
  return Buffer.from(value).toString('base64url')
}

function read (value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new KuboError('invalid JOSE object')
  const strange = value.search(/[^A-Za-z0-9_-]/)
  if (strange >= 0 || value.length % 4 === 1) throw new KuboError(`illegal base64 data at input byte ${strange >= 0 ? strange : value.length - 1}`)
  return Uint8Array.from(Buffer.from(value, 'base64url'))
}

function cidIn (payload: string): CID {
  try {
    return CID.decode(read(payload))
  } catch (err) {
    throw new KuboError(`payload is not a valid CID: ${(err as Error).message}`, { cause: err })
  }
}
