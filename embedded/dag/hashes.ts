/** Hash functions by their multicodec names, as far as Kubo lets content be addressed with them. */
import { hash as digestOf } from 'node:crypto'
import { blake2b, blake2s } from '@noble/hashes/blake2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { keccak_224, keccak_256, keccak_384, keccak_512 } from '@noble/hashes/sha3.js'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { KuboError } from '../rpc/kubo-error.ts'

export interface Hash {
  readonly name: string
  readonly code: number
  digest (bytes: Uint8Array): Uint8Array
}

export const identityDigestBytesMax = 128
const digestBytesMin = 20
const identity: Hash = { name: 'identity', code: 0x00, digest: bytes => bytes }

const node = (name: string, code: number, algorithm: string): Hash => ({ name, code, digest: bytes => digestOf(algorithm, bytes, 'buffer') })
const blake2 = (kind: 'b' | 's', bits: number): Hash => ({
  name: `blake2${kind}-${bits}`,
  code: (kind === 'b' ? 0xb200 : 0xb240) + bits / 8,
  digest: bytes => (kind === 'b' ? blake2b : blake2s)(bytes, { dkLen: bits / 8 })
})
const widths = (from: number, to: number): readonly number[] => Array.from({ length: (to - from) / 8 + 1 }, (_, i) => from + i * 8)

const known: readonly Hash[] = [
  identity,
  node('sha1', 0x11, 'sha1'),
  node('sha2-256', 0x12, 'sha256'),
  node('sha2-512', 0x13, 'sha512'),
  node('sha3-512', 0x14, 'sha3-512'),
  node('sha3-384', 0x15, 'sha3-384'),
  node('sha3-256', 0x16, 'sha3-256'),
  node('sha3-224', 0x17, 'sha3-224'),
  { name: 'keccak-224', code: 0x1a, digest: keccak_224 },
  { name: 'keccak-256', code: 0x1b, digest: keccak_256 },
  { name: 'keccak-384', code: 0x1c, digest: keccak_384 },
  { name: 'keccak-512', code: 0x1d, digest: keccak_512 },
  { name: 'blake3', code: 0x1e, digest: bytes => blake3(bytes) },
  node('sha2-384', 0x20, 'sha384'),
  { name: 'dbl-sha2-256', code: 0x56, digest: bytes => digestOf('sha256', digestOf('sha256', bytes, 'buffer'), 'buffer') },
  ...widths(160, 512).map(bits => blake2('b', bits)),
  ...widths(160, 256).map(bits => blake2('s', bits))
]
const byName = new Map(known.map(hash => [hash.name, hash]))
byName.set('sha3', byName.get('sha3-512')!)
const byCode = new Map(known.map(hash => [hash.code, hash]))
/** Names that exist, but that Kubo trusts no content to. */
const insecure = new Set(['md4', 'md5', 'murmur3', 'murmur3-x64-64', 'murmur3-32', 'x11', 'ripemd-128', 'ripemd-160'])

export function hashByName (name: string): Hash | undefined { return byName.get(name.toLowerCase()) }
export function isInsecureHash (name: string): boolean { return insecure.has(name.toLowerCase()) }
export function hashByCode (code: number): Hash | undefined { return byCode.get(code) }

/**
 * The CID of `bytes`.
 *
 * @param length of the digest in bytes; −1 for all of it
 * @throws KuboError in the words of boxo's `verifcid` for a digest that is too short or an inlined one that is too long
 */
export function cidOf (bytes: Uint8Array, { version, codec, hash, length = -1 }: { version: 0 | 1, codec: number, hash: Hash, length?: number }): CID {
  const whole = hash.digest(bytes)
  if (length > whole.length) throw new KuboError('invalid cid: requested length was too large for digest')
  const digest = length < 0 ? whole : whole.subarray(0, length)
  if (hash.code === identity.code) {
    if (digest.length > identityDigestBytesMax) throw new KuboError(`digest too large: identity digest got ${digest.length} bytes, maximum ${identityDigestBytesMax}`)
  } else if (digest.length < digestBytesMin) {
    throw new KuboError(`digest too small: ${hash.name} digest got ${digest.length} bytes, minimum ${digestBytesMin}`)
  }
  return CID.create(version, codec, create(hash.code, digest))
}

/** The CID that `bytes` should have to be what `cid` names; undefined for a hash that is not known here. */
export function rehash (cid: CID, bytes: Uint8Array): CID | undefined {
  const hash = byCode.get(cid.multihash.code)
  if (hash === undefined) return undefined
  return CID.create(cid.version, cid.code, create(hash.code, hash.digest(bytes).slice(0, cid.multihash.size)))
}
