import { code as dagCbor, encode } from '@ipld/dag-cbor'
import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { carHeader, carSection } from '../../embedded/dag/car.ts'

export interface SomeCar { readonly root: string, readonly pieces: readonly Uint8Array[] }
interface Block { readonly cid: CID, readonly bytes: Uint8Array }

const raw = 0x55

/** So many nodes, each a link to the next; the root first. */
export function chainCar (length: number): SomeCar {
  const sections: Uint8Array[] = []
  let cid: CID | undefined
  for (let i = 0; i < length; i++) {
    const block = blockOf(dagCbor, encode({ i, next: cid ?? null }))
    cid = block.cid
    sections.push(carSection(cid, block.bytes))
  }
  return { root: cid!.toString(), pieces: [carHeader([cid!]), ...sections.reverse()] }
}

/** So many raw leaves below nodes of a thousand links, and those below one root. */
export function wideCar (leaves: number, content = 'leaf'): SomeCar {
  const nodes: CID[] = []
  const sections: Uint8Array[] = []
  const take = ({ cid, bytes }: Block): CID => {
    sections.push(carSection(cid, bytes))
    return cid
  }
  for (let at = 0; at < leaves; at += 1_000) {
    const below = Array.from({ length: Math.min(1_000, leaves - at) }, (_, i) => take(blockOf(raw, Buffer.from(`${content} ${at + i}`))))
    nodes.push(take(blockOf(dagCbor, encode(below))))
  }
  const root = take(blockOf(dagCbor, encode(nodes)))
  return { root: root.toString(), pieces: [carHeader([root]), ...sections] }
}

function blockOf (codec: number, bytes: Uint8Array): Block {
  return { cid: CID.createV1(codec, create(0x12, hash('sha256', bytes, 'buffer'))), bytes }
}
