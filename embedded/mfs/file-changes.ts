/** Two changes that leave a file's tree in its shape: content written over, and all of it cut away. */
import type { BlockService, ReadOptions } from '../dag/block-service.ts'
import { hashByName } from '../dag/hashes.ts'
import type { Mtime } from '../unixfs/data.ts'
import type { Written } from '../unixfs/node-writer.ts'
import { formatOf, loadNode, writerFor } from './mfs-node.ts'
import type { MfsNode } from './mfs-node.ts'
import { touched, written } from './trickle-append.ts'

export interface ChangeTools {
  readonly blocks: BlockService
  readonly options: ReadOptions
  readonly now: () => Mtime
}

/** Bytes that are used up from the front. */
export interface Source {
  readonly isEmpty: boolean
  /** `content` with as many of the bytes as fit in it from `from` on. */
  over (content: Uint8Array, from: number): Uint8Array
  rest (): Uint8Array
}

export function createSource (bytes: Uint8Array): Source {
  let at = 0
  return {
    get isEmpty () { return at === bytes.length },
    over (content, from) {
      const changed = Uint8Array.from(content)
      const taken = bytes.subarray(at, at + Math.max(0, content.length - from))
      if (taken.length > 0) changed.set(taken, from)
      at += taken.length
      return changed
    },
    rest: () => bytes.subarray(at)
  }
}

/** Writes `source` over what the file has from `from` on; what reaches beyond its end stays in `source`. */
export async function overwritten (file: MfsNode, from: number, source: Source, tools: ChangeTools): Promise<Written> {
  const { blocks, options, now } = tools
  const writer = writerFor(formatOf(file.written.cid), true, blocks)
  if (file.kind === 'raw') return await writer.leaf(source.over(file.bytes, from), 'raw')
  const { data } = file
  if (file.links.length === 0) return await written(touched({ data: data.data === undefined ? data : { ...data, data: source.over(data.data, from) }, links: [], writer }, now))

  const links = [...file.links]
  let at = 0
  for (const [i, size] of (data.blockSizes ?? []).map(Number).entries()) {
    if (source.isEmpty) break
    if (at + size > from) {
      options.signal.throwIfAborted()
      const { node } = links[i]!
      const { cid } = await overwritten(await loadNode(node.cid, blocks, options), Math.max(0, from - at), source, tools)
      links[i] = { name: '', node: { ...node, cid } }
    }
    at += size
  }
  return await writer.node(data, links)
}

/** Takes all content away but keeps the first leaf, empty. A single node that held content falls back to CIDv0. */
export async function cutToNothing (file: MfsNode, tools: ChangeTools): Promise<Written> {
  const { blocks, options, now } = tools
  const format = formatOf(file.written.cid)
  if (file.kind === 'raw') return await writerFor(format, true, blocks).leaf(new Uint8Array(), 'raw')
  const { data, links } = file
  if (links.length === 0) {
    const writer = writerFor({ cidVersion: 0, hash: hashByName('sha2-256')! }, false, blocks)
    const content = data.data === undefined ? {} : { data: new Uint8Array() }
    return await written(touched({ data: { ...data, ...content, fileSize: 0n }, links: [], writer }, now))
  }
  const first = Math.max(0, (data.blockSizes ?? []).findIndex(size => size > 0n))
  const cut = await cutToNothing(await loadNode(links[first]!.node.cid, blocks, options), tools)
  const kept = { ...data, fileSize: BigInt(data.data?.length ?? 0), blockSizes: links.slice(0, first + 1).map(() => 0n) }
  return await writerFor(format, false, blocks).node(kept, [...links.slice(0, first), { name: '', node: cut }])
}
