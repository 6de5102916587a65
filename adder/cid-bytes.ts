import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

/** A CID at the beginning of some bytes, and how many it takes. */
export interface ReadCid { readonly cid: CID, readonly length: number }

/** @returns what is wrong, in the words of Go's `cid.CidFromBytes`, when there is none */
export function readCid (bytes: Uint8Array): ReadCid | string {
  if (bytes.length >= 34 && bytes[0] === 0x12 && bytes[1] === 0x20) return { cid: CID.createV0(Digest.decode(bytes.subarray(0, 34)) as Digest.Digest<0x12, 32>), length: 34 }
  const version = varintAt(bytes, 0)
  if (typeof version === 'string') return version
  if (version.value !== 1) return `expected 1 as the cid version number, got: ${version.value}`
  const codec = varintAt(bytes, version.end)
  if (typeof codec === 'string') return codec
  const code = varintAt(bytes, codec.end)
  if (typeof code === 'string') return code
  const length = varintAt(bytes, code.end)
  if (typeof length === 'string') return length
  const end = length.end + length.value
  if (end > bytes.length) return 'length greater than remaining number of bytes in buffer'
  const digest = new Digest.Digest(code.value, length.value, bytes.subarray(length.end, end), bytes.subarray(codec.end, end))
  return { cid: new CID(1, codec.value, digest, bytes.subarray(0, end)), length: end } // `createV1` would write the same bytes anew
}

interface Varint { readonly value: number, readonly end: number }

function varintAt (bytes: Uint8Array, start: number): Varint | string {
  let value = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * 2 ** (7 * (at - start))
    if (byte < 0x80) return byte === 0 && at > start ? 'varint not minimally encoded' : { value, end: at + 1 }
    if (at - start === 8) return 'varints larger than uint63 not supported'
  }
  return 'varints malformed, could not reach the end'
}
