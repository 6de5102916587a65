import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** Synchronous, because a promise for each of thousands of small blocks costs more than the hash. */
const hashers: Readonly<Record<number, (bytes: Uint8Array) => Uint8Array>> = {
  0x00: bytes => bytes,
  0x11: bytes => hash('sha1', bytes, 'buffer'),
  0x12: sha256,
  0x13: bytes => hash('sha512', bytes, 'buffer'),
  0x14: bytes => hash('sha3-512', bytes, 'buffer'),
  0x15: bytes => hash('sha3-384', bytes, 'buffer'),
  0x16: bytes => hash('sha3-256', bytes, 'buffer'),
  0x17: bytes => hash('sha3-224', bytes, 'buffer'),
  0x56: bytes => sha256(sha256(bytes)),
  0xb240: bytes => hash('blake2b512', bytes, 'buffer'),
  0xb260: bytes => hash('blake2s256', bytes, 'buffer')
}

/** @returns undefined when the bytes are what `cid` says, or when its hash function is not known here; else the CID they should have */
export function contentCid (cid: CID, bytes: Uint8Array): CID | undefined {
  const { code, digest } = cid.multihash
  const hasher = hashers[code]
  if (hasher === undefined) return undefined
  const whole = hasher(bytes)
  // A digest may be cut short, except that an identity "digest" is the content itself.
  const actual = code === 0x00 ? whole : whole.subarray(0, digest.byteLength)
  if (Buffer.compare(actual, digest) === 0) return undefined
  return CID.create(cid.version, cid.code, Digest.create(code, actual))
}
