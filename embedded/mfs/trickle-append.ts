/**
 * Content put behind the end of a file, as a trickle tree grows: leaves at the front of every node, then ever deeper subtrees, four of
 * each depth.
 *
 * @see boxo `ipld/unixfs/importer/trickle`, Append — how it goes on in a tree that is there decides the CID, odd depths included
 */
import type { CID } from 'multiformats/cid'
import type { Mtime, UnixfsData } from '../unixfs/data.ts'
import type { NamedLink, NodeWriter, Written } from '../unixfs/node-writer.ts'

const linksMax = 174
const repeats = 4

/** A node of a file that is not written yet. */
export interface Growing { readonly data: UnixfsData, readonly links: readonly NamedLink[], readonly writer: NodeWriter }

/** What there is to append, a leaf's worth at a time. */
export interface Chunks {
  readonly isDone: boolean
  take (): Uint8Array
}

export interface AppendTools {
  readonly chunks: Chunks
  /** For the nodes that are new. */
  readonly writer: NodeWriter
  readonly load: (cid: CID) => Promise<Growing>
  readonly signal: AbortSignal
  readonly now: () => Mtime
}

export async function append (base: Growing, tools: AppendTools): Promise<Growing> {
  const { chunks } = tools
  let file = base
  let { depth, repeat } = placeOf(file)
  if (depth === 0) {
    file = await withLeaves(file, tools)
    if (chunks.isDone) return touched(file, tools.now)
    depth++
  }
  file = await withLastFilled(file, depth - 1, repeat, tools)
  if (!chunks.isDone) depth++
  return await withSubtrees(file, depth, Infinity, tools)
}

export async function written ({ data, links, writer }: Growing): Promise<Written> {
  return await writer.node(data, links)
}

/** A file that keeps a time is given the present one; boxo does so in small files only. */
export function touched ({ data, ...rest }: Growing, now: () => Mtime): Growing {
  return { ...rest, data: data.mtime === undefined ? data : { ...data, mtime: now() } }
}

/** How deep the last subtrees of a node are, and how many of that depth there are. */
function placeOf ({ data: { blockSizes = [] } }: Growing): { depth: number, repeat: number } {
  const subtrees = blockSizes.length - linksMax
  return subtrees < 0 ? { depth: 0, repeat: 0 } : { depth: Math.floor(subtrees / repeats) + 1, repeat: subtrees % repeats }
}

async function withLeaves (node: Growing, tools: AppendTools): Promise<Growing> {
  let filled = node
  while (childCount(filled) < linksMax && !tools.chunks.isDone) {
    tools.signal.throwIfAborted()
    filled = withChild(filled, await tools.writer.leaf(tools.chunks.take(), 'raw'))
  }
  return filled
}

async function withSubtrees (node: Growing, from: number, depthMax: number, tools: AppendTools): Promise<Growing> {
  let filled = node
  for (let depth = from; depth < depthMax && !tools.chunks.isDone; depth++) {
    for (let i = 0; i < repeats && !tools.chunks.isDone; i++) filled = withChild(filled, await newSubtree(depth, tools))
  }
  return filled
}

async function newSubtree (depthMax: number, tools: AppendTools): Promise<Written> {
  const empty: Growing = { data: { type: 'file', fileSize: 0n }, links: [], writer: tools.writer }
  return await written(await withSubtrees(await withLeaves(empty, tools), 1, depthMax, tools))
}

async function withLastFilled (node: Growing, depth: number, repeat: number, tools: AppendTools): Promise<Growing> {
  if (childCount(node) <= linksMax) return node
  const last = node.links.at(-1)!.node
  const grown = await grownTo(depth - 1, await tools.load(last.cid), tools)
  let filled = withChild(withoutLast(node), await written(grown))
  if (repeat === 0) return filled
  for (let i = repeat; i < repeats && !tools.chunks.isDone; i++) filled = withChild(filled, await newSubtree(depth, tools))
  return filled
}

async function grownTo (depthMax: number, node: Growing, tools: AppendTools): Promise<Growing> {
  if (depthMax === 0 || tools.chunks.isDone) return node
  let { depth, repeat } = placeOf(node)
  let filled = node
  if (depth === 0) {
    filled = await withLeaves(filled, tools)
    depth++
  }
  if (depth === depthMax) return filled
  filled = await withLastFilled(filled, depth, repeat, tools)
  if (!tools.chunks.isDone) depth++
  return await withSubtrees(filled, depth, depthMax, tools)
}

function childCount ({ data: { blockSizes = [] } }: Growing): number { return blockSizes.length }

function withChild ({ data, links, writer }: Growing, child: Written): Growing {
  const { fileSize = 0n, blockSizes = [] } = data
  return { data: { ...data, fileSize: fileSize + child.fileSize, blockSizes: [...blockSizes, child.fileSize] }, links: [...links, { name: '', node: child }], writer }
}

function withoutLast ({ data, links, writer }: Growing): Growing {
  const { fileSize = 0n, blockSizes = [] } = data
  return { data: { ...data, fileSize: fileSize - blockSizes.at(-1)!, blockSizes: blockSizes.slice(0, -1) }, links: links.slice(0, -1), writer }
}
