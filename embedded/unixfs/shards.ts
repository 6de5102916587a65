/** Sharded directories (HAMT): where a name lies is decided by its hash, a few bits a level. */
import type * as dagPb from '@ipld/dag-pb'
import { murmur364 } from '@multiformats/murmur3'
import type { CID } from 'multiformats/cid'
import type { BlockService, ReadOptions } from '../dag/block-service.ts'
import { requireCodec } from '../dag/codecs.ts'
import { decodeUnixfs } from './data.ts'

/** The multihash code of murmur3-x64-64, which a shard names in its `hashType`. */
export const shardHashType = 0x22n

export function isShard (node: dagPb.PBNode): boolean {
  if (node.Data === undefined) return false
  try {
    return decodeUnixfs(node.Data).type === 'shard'
  } catch {
    return false
  }
}

/** The 64 bits that place a name. */
export function hashOfName (name: string): bigint {
  return BigInt(`0x${Buffer.from(murmur364.encode(Buffer.from(name)) as Uint8Array).toString('hex')}`)
}

/** Bits of the hash that choose the slot at a depth, highest first. */
export function slotAt (hash: bigint, depth: number, bitsPerLevel: number): number {
  const shift = 64 - bitsPerLevel * (depth + 1)
  if (shift < 0) throw new Error('sharded directory too deep')
  return Number((hash >> BigInt(shift)) & ((1n << BigInt(bitsPerLevel)) - 1n))
}

/** How a slot is written in front of a link's name. */
export function slotPrefix (slot: number, fanout: number): string {
  return slot.toString(16).toUpperCase().padStart((fanout - 1).toString(16).length, '0')
}

export async function findInShards (root: dagPb.PBNode, name: string, blocks: BlockService, options: ReadOptions): Promise<CID | undefined> {
  const fanout = Number(decodeUnixfs(root.Data!).fanout ?? 256n)
  const bits = Math.log2(fanout)
  const hash = hashOfName(name)
  let node = root
  for (let depth = 0; ; depth++) {
    const prefix = slotPrefix(slotAt(hash, depth, bits), fanout)
    const link = node.Links.find(({ Name = '' }) => Name.startsWith(prefix))
    if (link === undefined) return undefined
    if (link.Name !== prefix) return link.Name === `${prefix}${name}` ? link.Hash : undefined
    node = requireCodec(link.Hash.code).decode(await blocks.get(link.Hash, options)) as dagPb.PBNode
  }
}
