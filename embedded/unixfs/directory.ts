/** A directory that is being added, and how it becomes nodes: one node, or shards of one when it is large. */
import { placed, writeShard } from './shard-writer.ts'
import type { UnixfsData } from './data.ts'
import type { Metadata, NamedLink, NodeWriter, Written } from './node-writer.ts'
import { KuboError } from '../rpc/kubo-error.ts'

export interface Directory {
  readonly entries: Map<string, Directory | Written>
  metadata: Metadata
}

export interface DirectoryLayout {
  /** 0: no limit. */
  readonly linksMax: number
  readonly fanout: number
  readonly shardSizeBytes: number
  readonly shardEstimation: 'links' | 'block'
}

export function createDirectory (metadata: Metadata = {}): Directory {
  return { entries: new Map(), metadata }
}

export function isDirectory (entry: Directory | Written): entry is Directory {
  return 'entries' in entry
}

/** @throws KuboError when the name is taken */
export function addEntry (root: Directory, path: readonly string[], entry: Directory | Written): void {
  const folder = path.slice(0, -1).reduce(enter, root)
  const name = path.at(-1)!
  const there = folder.entries.get(name)
  if (there === undefined) folder.entries.set(name, entry)
  else if (!isDirectory(there) || !isDirectory(entry)) throw new KuboError('directory already has entry by that name')
}

function enter (folder: Directory, name: string): Directory {
  const there = folder.entries.get(name)
  if (there !== undefined && !isDirectory(there)) throw new KuboError('directory already has entry by that name')
  const child = there ?? createDirectory()
  folder.entries.set(name, child)
  return child
}

/** Writes children before parents, by name. `path` is the directory's own, from the top. */
export async function * writeDirectories (folder: Directory, path: readonly string[], writer: NodeWriter, layout: DirectoryLayout): AsyncGenerator<{ path: readonly string[], node: Written }> {
  const stack = [{ folder, path, children: sorted(folder), links: [] as NamedLink[] }]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.children.shift()
    if (next !== undefined) {
      const [name, entry] = next
      if (isDirectory(entry)) stack.push({ folder: entry, path: [...top.path, name], children: sorted(entry), links: [] })
      else top.links.push({ name, node: entry })
      continue
    }
    const node = await writeDirectory(top.links, top.folder.metadata, writer, layout)
    stack.pop()
    stack.at(-1)?.links.push({ name: top.path.at(-1)!, node })
    yield { path: top.path, node }
  }
}

function sorted (folder: Directory): [string, Directory | Written][] {
  return [...folder.entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

async function writeDirectory (links: readonly NamedLink[], metadata: Metadata, writer: NodeWriter, layout: DirectoryLayout): Promise<Written> {
  const data: UnixfsData = { type: 'directory', ...metadata }
  if (!isTooLarge(links, data, writer, layout)) return await writer.node(data, links)
  return await writeShard(links.map(placed), 0, metadata, writer, layout.fanout)
}

/** Whether one node is no longer enough for these entries. */
export function isTooLarge (links: readonly NamedLink[], data: UnixfsData, writer: NodeWriter, layout: DirectoryLayout): boolean {
  return (layout.linksMax > 0 && links.length > layout.linksMax) || sizeOf(links, data, writer, layout) > layout.shardSizeBytes
}

function sizeOf (links: readonly NamedLink[], data: UnixfsData, writer: NodeWriter, { shardEstimation }: DirectoryLayout): number {
  if (shardEstimation === 'block') return writer.sizeOf(data, links)
  return links.reduce((sum, { name, node }) => sum + Buffer.byteLength(name) + node.cid.bytes.length, 0)
}
