import { hashOfName, shardHashType, slotAt, slotPrefix } from './shards.ts'
import type { Metadata, NamedLink, NodeWriter, Written } from './node-writer.ts'

/** An entry and the hash that decides where in the shards it lies. */
export interface Placed { readonly link: NamedLink, readonly hash: bigint }

export function placed (link: NamedLink): Placed {
  return { link, hash: hashOfName(link.name) }
}

/** Writes entries as a shard, entries that share a slot as a shard below it. */
export async function writeShard (entries: readonly Placed[], depth: number, metadata: Metadata, writer: NodeWriter, fanout: number): Promise<Written> {
  const bySlot = Map.groupBy(entries, ({ hash }) => slotAt(hash, depth, Math.log2(fanout)))
  const links: NamedLink[] = []
  for (const slot of [...bySlot.keys()].sort((a, b) => a - b)) {
    const [first, ...others] = bySlot.get(slot)!
    const prefix = slotPrefix(slot, fanout)
    links.push(others.length === 0
      ? { name: `${prefix}${first!.link.name}`, node: first!.link.node }
      : { name: prefix, node: await writeShard([first!, ...others], depth + 1, {}, writer, fanout) })
  }
  return await writeShardNode(links, metadata, writer, fanout)
}

/** @param links named as in a shard: the slot, and behind it the name of an entry or nothing */
export async function writeShardNode (links: readonly NamedLink[], metadata: Metadata, writer: NodeWriter, fanout: number): Promise<Written> {
  const slots = links.map(({ name }) => parseInt(name.slice(0, slotPrefix(0, fanout).length), 16))
  return await writer.node({ type: 'shard', data: bitfield(slots), hashType: shardHashType, fanout: BigInt(fanout), ...metadata }, links)
}

/** Which slots are taken, lowest bit last, without leading zero bytes. */
function bitfield (slots: Iterable<number>): Uint8Array {
  let bits = 0n
  for (const slot of slots) bits |= 1n << BigInt(slot)
  const hex = bits.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}
