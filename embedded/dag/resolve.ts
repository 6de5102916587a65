import type * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { isDagPb } from './block-service.ts'
import type { BlockService, ReadOptions } from './block-service.ts'
import { parsePath } from './cid-text.ts'
import type { IpfsPath } from './cid-text.ts'
import { requireCodec } from './codecs.ts'
import { findInShards, isShard } from '../unixfs/shards.ts'

/** Where a path ends: at a node, or at a value within it that `remainder` leads to. */
export interface Resolved { readonly cid: CID, readonly remainder: readonly string[] }

/** @throws KuboError `no link named …`, `key not found: …`; for an IPNS name, which needs routing */
export async function resolveArgument (argument: string, blocks: BlockService, options: ReadOptions): Promise<Resolved> {
  const path = parsePath(argument)
  if (path.namespace === 'ipns') throw new KuboError('could not resolve name')
  return await resolvePath(path, blocks, options)
}

export async function resolvePath ({ namespace, root, segments }: Omit<IpfsPath, 'text'>, blocks: BlockService, options: ReadOptions): Promise<Resolved> {
  let cid = root
  let rest = segments
  while (rest.length > 0) {
    const bytes = await blocks.get(cid, options)
    if (isDagPb(cid) && namespace !== 'ipld') {
      cid = await child(cid, bytes, rest[0]!, blocks, options)
      rest = rest.slice(1)
      continue
    }
    const found = follow(requireCodec(cid.code).decode(bytes), rest)
    if (found.link === undefined) return { cid, remainder: rest }
    cid = found.link
    rest = found.rest
  }
  return { cid, remainder: [] }
}

/** What a remainder leads to within a node. */
export function valueAt (node: unknown, remainder: readonly string[]): unknown {
  return remainder.reduce((value, segment) => step(value, segment), node)
}

async function child (parent: CID, bytes: Uint8Array, name: string, blocks: BlockService, options: ReadOptions): Promise<CID> {
  const node = requireCodec(parent.code).decode(bytes) as dagPb.PBNode
  const found = isShard(node) ? await findInShards(node, name, blocks, options) : node.Links.find(({ Name }) => Name === name)?.Hash
  if (found === undefined) throw new KuboError(`no link named ${quoteGo(name)} under ${parent.toString()}`)
  return found
}

/** Goes down until there is a link to follow or nothing left to go. */
function follow (node: unknown, segments: readonly string[]): { link: CID | undefined, rest: readonly string[] } {
  let value = node
  for (const [i, segment] of segments.entries()) {
    value = step(value, segment)
    const link = CID.asCID(value)
    if (link !== null) return { link, rest: segments.slice(i + 1) }
  }
  return { link: undefined, rest: [] }
}

function step (value: unknown, segment: string): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, segment)) return (value as Readonly<Record<string, unknown>>)[segment]
  throw new KuboError(`key not found: ${quoteGo(segment)}`)
}
