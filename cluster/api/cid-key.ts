import { Buffer } from 'node:buffer'
import type { CID } from 'multiformats/cid'

/** Under which a pin is stored: the CID's bytes. As in Kubo, the CIDv0 and the CIDv1 of the same content are two pins. */
export function cidKey (cid: CID): Buffer {
  const { buffer, byteOffset, byteLength } = cid.bytes
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** The same as a string, one character a byte, to be the key of a Map. */
export function cidKeyText (cid: CID): string {
  return cidKey(cid).toString('latin1')
}
