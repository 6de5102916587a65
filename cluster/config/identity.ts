import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { identity as identityHash } from 'multiformats/hashes/identity'
import { create as createDigest } from 'multiformats/hashes/digest'
import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import { peerIdOf } from '../api/peer-id.ts'

/** Who this peer is. The key is libp2p's protobuf of a private key, as `identity.json` holds it in base64. */
export interface Identity {
  readonly id: PeerId
  readonly privateKey: Uint8Array
}

const keyTypes = { rsa: 0, ed25519: 1 } as const
const sha256 = 0x12
/** What stands before a raw Ed25519 key in its DER forms (RFC 8410). */
const ed25519Pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A new Ed25519 identity, as the Go program makes them. */
export function createIdentity (): Identity {
  const { privateKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  return { id: idOf(privateKey), privateKey: protobuf(keyTypes.ed25519, Buffer.concat([seed, rawPublicKey(privateKey)])) }
}

/**
 * Reads `identity.json`, with `CLUSTER_ID` and `CLUSTER_PRIVATEKEY` over it. Ed25519 and RSA keys are understood; the id must be the key's own.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT; its message never holds the key
 */
export function readIdentity (json: string, env: Readonly<Record<string, string | undefined>>): Identity {
  const file = parseFile(json)
  const written = { id: env['CLUSTER_ID'] || file['id'], privateKey: env['CLUSTER_PRIVATEKEY'] || file['private_key'] }
  if (typeof written.id !== 'string' || typeof written.privateKey !== 'string') return refuse('expected the texts "id" and "private_key"')

  const privateKey = Buffer.from(written.privateKey, 'base64')
  const id = idOf(keyOf(privateKey))
  return id === written.id ? { id, privateKey } : refuse(`id: the private key belongs to ${id}, not to ${JSON.stringify(written.id)}`)
}

export function writeIdentity ({ id, privateKey }: Identity): string {
  return `${JSON.stringify({ id, private_key: Buffer.from(privateKey).toString('base64') }, null, 4)}\n`
}

function parseFile (json: string): Record<string, unknown> {
  let file: unknown
  try {
    file = JSON.parse(json)
  } catch {
    return refuse('not valid JSON') // the parser's own message quotes the text, and with it the key
  }
  if (typeof file !== 'object' || file === null) return refuse('expected a JSON object')
  const stranger = Object.keys(file).find(key => key !== 'id' && key !== 'private_key')
  return stranger === undefined ? file as Record<string, unknown> : refuse(`${stranger}: unknown key`)
}

function keyOf (privateKey: Uint8Array): KeyObject {
  try {
    const { type, data } = readProtobuf(Buffer.from(privateKey))
    if (type === keyTypes.ed25519) return createPrivateKey({ key: Buffer.concat([ed25519Pkcs8Prefix, data.subarray(0, 32)]), format: 'der', type: 'pkcs8' })
    if (type === keyTypes.rsa) return createPrivateKey({ key: data, format: 'der', type: 'pkcs1' })
  } catch {}
  return refuse('private_key: expected the base64 of a libp2p Ed25519 or RSA private key')
}

/** A key of at most 42 bytes in protobuf is its own hash (libp2p peer id specification). */
function idOf (privateKey: KeyObject): PeerId {
  if (privateKey.asymmetricKeyType === 'ed25519') return peerIdOf(identityHash.digest(protobuf(keyTypes.ed25519, rawPublicKey(privateKey))).bytes)
  const publicKey = protobuf(keyTypes.rsa, createPublicKey(privateKey).export({ format: 'der', type: 'spki' }))
  return peerIdOf(createDigest(sha256, createHash('sha256').update(publicKey).digest()).bytes)
}

function rawPublicKey (privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** `message { KeyType Type = 1; bytes Data = 2 }`, canonical. */
function protobuf (type: number, data: Uint8Array): Uint8Array {
  const length = data.length < 128 ? [data.length] : [data.length & 0x7f | 0x80, data.length >> 7]
  return Buffer.concat([Buffer.from([0x08, type, 0x12, ...length]), data])
}

function readProtobuf (bytes: Buffer): { type: number, data: Buffer } {
  const isLong = bytes[3]! >= 128
  const length = isLong ? (bytes[3]! & 0x7f) | bytes[4]! << 7 : bytes[3]!
  const data = bytes.subarray(isLong ? 5 : 4)
  if (bytes[0] !== 0x08 || bytes[2] !== 0x12 || data.length !== length) throw new Error('not a key')
  return { type: bytes[1]!, data }
}

function refuse (message: string): never {
  throw new ClusterError('ERR_INVALID_ARGUMENT', message)
}
