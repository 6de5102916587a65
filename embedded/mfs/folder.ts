/** Changes of one directory: an entry put or taken away, in one node or in shards of it. Each writes a new node and leaves the old one as it is. */
import type { BlockService, ReadOptions } from '../dag/block-service.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { isTooLarge } from '../unixfs/directory.ts'
import type { DirectoryLayout } from '../unixfs/directory.ts'
import type { Metadata, NamedLink, NodeWriter, Written } from '../unixfs/node-writer.ts'
import { placed, writeShard, writeShardNode } from '../unixfs/shard-writer.ts'
import { hashOfName, slotAt, slotPrefix } from '../unixfs/shards.ts'
import { loadNode } from './mfs-node.ts'
import type { FolderNode } from './mfs-node.ts'

export interface FolderTools {
  readonly blocks: BlockService
  readonly options: ReadOptions
  readonly layout: DirectoryLayout
  /** In the format that the directory is to have. */
  readonly writer: NodeWriter
}

/** Go's `os.ErrNotExist`. */
export class NoSuchFileError extends KuboError {
  constructor () { super('file does not exist') }
}

/** @throws NoSuchFileError */
export async function findEntry (folder: FolderNode, name: string, { blocks, options }: Pick<FolderTools, 'blocks' | 'options'>): Promise<Written> {
  if (folder.data.type === 'directory') {
    const link = folder.links.find(link => link.name === name)
    if (link === undefined) throw new NoSuchFileError()
    return link.node
  }
  const fanout = fanoutOf(folder)
  const hash = hashOfName(name)
  let { links } = folder
  for (let depth = 0; ; depth++) {
    const prefix = slotPrefix(slotAt(hash, depth, Math.log2(fanout)), fanout)
    const link = links.find(link => link.name.startsWith(prefix))
    if (link === undefined || (link.name !== prefix && link.name !== `${prefix}${name}`)) throw new NoSuchFileError()
    if (link.name !== prefix) return link.node
    links = (await loadShard(link.node, blocks, options)).links
  }
}

/** Every entry; of shards in the order of the shards. */
export async function * entriesOf (folder: FolderNode, { blocks, options }: Pick<FolderTools, 'blocks' | 'options'>): AsyncGenerator<NamedLink> {
  if (folder.data.type === 'directory') {
    yield * folder.links
    return
  }
  const prefixLength = slotPrefix(0, fanoutOf(folder)).length
  const stack = folder.links.toReversed()
  for (let link = stack.pop(); link !== undefined; link = stack.pop()) {
    if (link.name.length > prefixLength) yield { name: link.name.slice(prefixLength), node: link.node }
    else stack.push(...(await loadShard(link.node, blocks, options)).links.toReversed())
  }
}

/** Puts `entry` in under `name`, in place of what is there, or takes that away. @throws NoSuchFileError when there is nothing to take away */
export async function withEntry (folder: FolderNode, name: string, entry: Written | undefined, tools: FolderTools): Promise<Written> {
  const { layout, writer } = tools
  const metadata = metadataOf(folder)
  if (folder.data.type === 'directory') {
    const others = folder.links.filter(link => link.name !== name)
    if (entry === undefined && others.length === folder.links.length) throw new NoSuchFileError()
    const links = sorted(entry === undefined ? others : [...others, { name, node: entry }])
    if (entry === undefined || !isTooLarge(links, folder.data, writer, layout)) return await writer.node(folder.data, links)
    return await writeShard(links.map(placed), 0, metadata, writer, layout.fanout)
  }

  const fanout = fanoutOf(folder)
  const old = await findEntry(folder, name, tools).catch((err: unknown) => { if (!(err instanceof NoSuchFileError)) throw err })
  const links = await withSlot(folder.links, { name, hash: hashOfName(name), entry, fanout }, 0, tools)
  const isSmaller = old !== undefined && (entry === undefined || entry.cid.bytes.length < old.cid.bytes.length)
  const sharded = await writeShardNode(links, metadata, writer, fanout)
  return isSmaller ? await asOneNode({ ...folder, links, written: sharded }, tools) ?? sharded : sharded
}

/** The same directory with other permissions, another time or another format. */
export async function rewritten (folder: FolderNode, metadata: Metadata, writer: NodeWriter): Promise<Written> {
  return await writer.node({ ...folder.data, ...metadata }, folder.links)
}

interface SlotChange { readonly name: string, readonly hash: bigint, readonly entry: Written | undefined, readonly fanout: number }

async function withSlot (links: readonly NamedLink[], change: SlotChange, depth: number, tools: FolderTools): Promise<readonly NamedLink[]> {
  const { name, hash, entry, fanout } = change
  const prefix = slotPrefix(slotAt(hash, depth, Math.log2(fanout)), fanout)
  const there = links.find(link => link.name.startsWith(prefix))
  const own = entry === undefined ? [] : [{ name: `${prefix}${name}`, node: entry }]
  const replaced = (by: readonly NamedLink[]): readonly NamedLink[] => sorted([...links.filter(link => link !== there), ...by])

  if (there === undefined || there.name === `${prefix}${name}`) {
    if (there === undefined && entry === undefined) throw new NoSuchFileError()
    return replaced(own)
  }
  if (there.name !== prefix) {
    if (entry === undefined) throw new NoSuchFileError()
    const both = [{ name: there.name.slice(prefix.length), node: there.node }, { name, node: entry }]
    return replaced([{ name: prefix, node: await writeShard(both.map(placed), depth + 1, {}, tools.writer, fanout) }])
  }
  const below = await withSlot((await loadShard(there.node, tools.blocks, tools.options)).links, change, depth + 1, tools)
  const [only] = below
  const isAlone = entry === undefined && below.length === 1 && only!.name.length > prefix.length
  return replaced([isAlone
    ? { name: `${prefix}${only!.name.slice(prefix.length)}`, node: only!.node }
    : { name: prefix, node: await writeShardNode(below, {}, tools.writer, fanout) }])
}

/** Shards that have become few enough for one node; undefined while they have not. */
async function asOneNode (folder: FolderNode, tools: FolderTools): Promise<Written | undefined> {
  const { layout, writer } = tools
  const data = { type: 'directory', ...metadataOf(folder) } as const
  const links: NamedLink[] = []
  let bytes = 0
  for await (const link of entriesOf(folder, tools)) {
    links.push(link)
    bytes += Buffer.byteLength(link.name) + link.node.cid.bytes.length
    if (bytes > layout.shardSizeBytes) return undefined // the estimate that is never the larger one
  }
  return isTooLarge(links, data, writer, layout) ? undefined : await writer.node(data, sorted(links))
}

async function loadShard ({ cid }: Written, blocks: BlockService, options: ReadOptions): Promise<FolderNode> {
  const node = await loadNode(cid, blocks, options)
  if (node.kind !== 'directory') throw new KuboError('node was not a shard')
  return { ...node, kind: 'directory' }
}

function fanoutOf ({ data }: FolderNode): number {
  return Number(data.fanout ?? 256n)
}

function metadataOf ({ data: { mode, mtime } }: FolderNode): Metadata {
  return { ...mode === undefined ? {} : { mode }, ...mtime === undefined ? {} : { mtime } }
}

function sorted (links: readonly NamedLink[]): readonly NamedLink[] {
  return links.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}
