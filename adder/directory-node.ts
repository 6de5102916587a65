import { encode, prepare } from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { toGoBytes } from '../cluster/api/kubo/go-text.ts'
import { varint } from './unixfs.ts'

export interface DirectoryLink { readonly name: string, readonly cid: CID, readonly size: bigint }

/** A directory's node, its links already in the order of their names' bytes. A name that is no UTF-8 is written as the bytes it came in. */
export function encodeDirectory (data: Uint8Array, links: readonly DirectoryLink[]): Uint8Array {
  if (links.every(({ name }) => name.isWellFormed())) {
    return encode(prepare({ Data: data, Links: links.map(({ name, cid, size }) => ({ Name: name, Hash: cid, Tsize: Number(size) })) }))
  }
  // @ipld/dag-pb knows names as text alone.
  return Buffer.concat([...links.map(link => field(linksTag, encodeLink(link))), field(dataTag, data)])
}

const linksTag = 0x12
const dataTag = 0x0a

function encodeLink ({ name, cid, size }: DirectoryLink): Uint8Array {
  return Buffer.concat([field(0x0a, cid.bytes), field(0x12, toGoBytes(name)), Uint8Array.from([0x18, ...varint(size)])])
}

function field (tag: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([tag, ...varint(BigInt(bytes.byteLength))]), bytes])
}
