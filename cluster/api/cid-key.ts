import { Buffer } from 'node:buffer'
import type { CID } from 'multiformats/cid'

/** What makes two CIDs one pin: codec and multihash, so that CIDv0 and its CIDv1 form are the same. Orders as CIDv1 bytes do. */
export function cidKey (cid: CID): Buffer {
  const { bytes } = cid.version === 1 ? cid : cid.toV1()
  return Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1)
}

/** The same as a string, one character a byte, to be the key of a Map. */
export function cidKeyText (cid: CID): string {
  return cidKey(cid).toString('latin1')
}
