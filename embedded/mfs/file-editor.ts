/** Changes the content of one file: cut to nothing, grown with zeros, written over, appended to. */
import type { Chunker } from '../unixfs/chunker.ts'
import type { Written } from '../unixfs/node-writer.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { createSource, cutToNothing, overwritten } from './file-changes.ts'
import type { ChangeTools } from './file-changes.ts'
import { formatOf, loadNode, writerFor } from './mfs-node.ts'
import type { MfsNode } from './mfs-node.ts'
import { append, written } from './trickle-append.ts'
import type { Chunks, Growing } from './trickle-append.ts'

/** What is held before it becomes leaves. Kubo goes over it by what its last read brought, so above this its CIDs depend on the network's timing. */
const bufferBytesMax = 2 * 1024 * 1024
const sparseLeafBytes = 4096
const zeroLeaf = new Uint8Array(sparseLeafBytes)

export interface FileEditor {
  truncate (): Promise<void>
  /** Where writing begins; a file that is shorter gets zeros up to there. */
  seek (offset: number): Promise<void>
  write (bytes: Uint8Array): Promise<void>
  /** The file as it is now. */
  finish (): Promise<Written>
}

export interface EditorTools extends ChangeTools {
  /** Of new leaves; undefined for what goes with the file's CID version. */
  readonly rawLeaves: boolean | undefined
  readonly chunker: Chunker
}

/** @throws KuboError for a symbolic link */
export function editFile (file: MfsNode, tools: EditorTools): FileEditor {
  if (file.kind === 'file' && file.data.type === 'symlink') throw new KuboError('symlinks not yet supported')
  const format = formatOf(file.written.cid)
  const rawLeaves = tools.rawLeaves ?? format.cidVersion === 1
  let node = file
  let offset = 0
  let buffer: Uint8Array[] = []
  let bufferedBytes = 0

  const use = async (changed: Written): Promise<void> => { node = await loadNode(changed.cid, tools.blocks, tools.options) }
  const appendAll = async (chunks: Chunks): Promise<void> => {
    if (chunks.isDone) return
    const writer = writerFor(format, rawLeaves || node.kind === 'raw', tools.blocks)
    await use(await written(await append(growing(node, writer, tools), {
      chunks, writer, signal: tools.options.signal, now: tools.now,
      load: async cid => growing(await loadNode(cid, tools.blocks, tools.options), writer, tools)
    })))
  }
  const sync = async (): Promise<void> => {
    if (bufferedBytes === 0) return
    const source = createSource(Buffer.concat(buffer))
    const end = offset + bufferedBytes
    buffer = []
    bufferedBytes = 0
    await use(await overwritten(node, offset, source, tools))
    const rest = source.rest()
    if (rest.length > 0) await appendAll(chunksOf(await Array.fromAsync(tools.chunker(only(rest)))))
    offset = end
  }

  return {
    async truncate () {
      if (node.written.fileSize > 0n) await use(await cutToNothing(node, tools))
    },
    async seek (to) {
      await appendAll(zeros(to - Number(node.written.fileSize)))
      offset = to
    },
    async write (bytes) {
      for (let rest = bytes; rest.length > 0;) {
        const piece = rest.subarray(0, bufferBytesMax - bufferedBytes)
        buffer.push(piece)
        bufferedBytes += piece.length
        rest = rest.subarray(piece.length)
        if (bufferedBytes === bufferBytesMax) await sync()
      }
    },
    async finish () {
      await sync()
      return rawLeaves ? await onlyLeaf(node, tools) ?? node.written : node.written
    }
  }
}

/** A raw block becomes the first leaf of a file when something is to follow it. */
function growing (node: MfsNode, writer: Growing['writer'], { blocks }: ChangeTools): Growing {
  if (node.kind !== 'raw') return { data: node.data, links: node.links, writer: writerFor(formatOf(node.written.cid), false, blocks) }
  return { data: { type: 'file', fileSize: node.written.fileSize, blockSizes: [node.written.fileSize] }, links: [{ name: '', node: node.written }], writer }
}

/** A file of one raw leaf and nothing else is that leaf, as `add` makes it. */
async function onlyLeaf (node: MfsNode, { blocks, options }: ChangeTools): Promise<Written | undefined> {
  if (node.kind === 'raw' || node.links.length !== 1 || node.data.mtime !== undefined || (node.data.mode ?? 0) !== 0) return undefined
  const leaf = await loadNode(node.links[0]!.node.cid, blocks, options)
  return leaf.kind === 'raw' ? leaf.written : undefined
}

function chunksOf (chunks: readonly Uint8Array[]): Chunks {
  let at = 0
  return { get isDone () { return at === chunks.length }, take: () => chunks[at++]! }
}

function zeros (bytes: number): Chunks {
  let left = Math.max(0, bytes)
  return {
    get isDone () { return left === 0 },
    take () {
      const taken = zeroLeaf.subarray(0, left)
      left -= taken.length
      return taken
    }
  }
}

async function * only (bytes: Uint8Array): AsyncGenerator<Uint8Array> { yield bytes }
