import type * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { isDagPb } from '../dag/block-service.ts'
import type { BlockService, ReadOptions } from '../dag/block-service.ts'
import { codes, requireCodec } from '../dag/codecs.ts'
import { lookAhead } from '../dag/look-ahead.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { decodeUnixfs } from './data.ts'
import type { UnixfsData } from './data.ts'

/** A node seen as what UnixFS makes of it. */
export type UnixfsNode =
  | { readonly kind: 'file', readonly cid: CID, readonly size: number, readonly data: UnixfsData | undefined }
  | { readonly kind: 'directory', readonly cid: CID, readonly size: number, readonly data: UnixfsData, readonly links: readonly dagPb.PBLink[] }
  | { readonly kind: 'symlink', readonly cid: CID, readonly size: number, readonly target: string, readonly data: UnixfsData }

export interface DirectoryEntry { readonly name: string, readonly cid: CID, readonly totalSize: number }

/** @throws KuboError for what is no UnixFS node */
export async function openUnixfs (cid: CID, blocks: BlockService, options: ReadOptions): Promise<UnixfsNode> {
  const bytes = await blocks.get(cid, options)
  if (cid.code === codes.raw) return { kind: 'file', cid, size: bytes.length, data: undefined }
  if (!isDagPb(cid)) throw new KuboError('unknown node type')
  const { Data, Links } = requireCodec(cid.code).decode(bytes) as dagPb.PBNode
  if (Data === undefined) throw new KuboError('unknown node type')
  const data = decodeUnixfs(Data)
  if (data.type === 'directory' || data.type === 'shard') return { kind: 'directory', cid, size: bytes.length + Links.reduce((sum, { Tsize = 0 }) => sum + Tsize, 0), data, links: Links }
  if (data.type === 'symlink') {
    const target = Buffer.from(data.data ?? []).toString('utf8')
    return { kind: 'symlink', cid, size: Buffer.byteLength(target), target, data }
  }
  return { kind: 'file', cid, size: Number(data.fileSize ?? BigInt(data.data?.length ?? 0)), data }
}

/** Entries in the order of the links; of a sharded directory in the order of the shards. */
export async function * listDirectory (node: UnixfsNode & { kind: 'directory' }, blocks: BlockService, options: ReadOptions): AsyncGenerator<DirectoryEntry> {
  if (node.data.type === 'directory') {
    for (const { Name = '', Hash, Tsize = 0 } of node.links) yield { name: Name, cid: Hash, totalSize: Tsize }
    return
  }
  const prefixLength = (Number(node.data.fanout ?? 256n) - 1).toString(16).length
  const stack = node.links.toReversed()
  for (let link = stack.pop(); link !== undefined; link = stack.pop()) {
    const { Name = '', Hash, Tsize = 0 } = link
    if (Name.length > prefixLength) {
      yield { name: Name.slice(prefixLength), cid: Hash, totalSize: Tsize }
      continue
    }
    const shard = requireCodec(Hash.code).decode(await blocks.get(Hash, options)) as dagPb.PBNode
    stack.push(...shard.Links.toReversed())
  }
}

/** The bytes of a file from `from` on, at most `length` of them, a block at a time. */
export async function * readFile (root: CID, { from, length }: { from: number, length: number }, blocks: BlockService, options: ReadOptions): AsyncGenerator<Uint8Array> {
  const end = from + length
  await using coming = lookAhead(blocks, options)
  const stack = [{ cid: root, at: 0 }]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.at >= end) return
    options.signal.throwIfAborted()
    const { content, children } = contentOf(next.cid, blocks.peek(next.cid) ?? await coming.get(next.cid, later => stack.at(-1 - later)?.cid))
    const piece = content.subarray(Math.max(0, from - next.at), Math.max(0, end - next.at))
    if (piece.length > 0) yield piece
    let at = next.at + content.length
    const ahead: { cid: CID, at: number }[] = []
    for (const { cid, size } of children) {
      if (at + size > from && at < end) ahead.push({ cid, at })
      at += size
    }
    stack.push(...ahead.toReversed())
  }
}

function contentOf (cid: CID, bytes: Uint8Array): { content: Uint8Array, children: readonly { cid: CID, size: number }[] } {
  if (cid.code === codes.raw) return { content: bytes, children: [] }
  const { Data, Links } = requireCodec(cid.code).decode(bytes) as dagPb.PBNode
  const { data = new Uint8Array(), blockSizes = [] } = decodeUnixfs(Data ?? new Uint8Array())
  if (blockSizes.length !== Links.length) throw new KuboError('unixfs: a file node has not as many sizes as links')
  if (Links.length === 0) return { content: data, children: [] }
  // boxo reads nothing from a node that has links, though writing behind the end of a small file leaves content there
  return { content: new Uint8Array(), children: Links.map(({ Hash }, i) => ({ cid: Hash, size: Number(blockSizes[i]!) })) }
}
