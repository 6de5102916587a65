/** The trees that boxo builds over the chunks of a file, one chunk after another. */
import { KuboError } from '../rpc/kubo-error.ts'
import type { Metadata, NodeWriter, Written } from './node-writer.ts'

export interface FileBuilder {
  add (chunk: Uint8Array): Promise<void>
  /** The root, with the file's metadata. */
  finish (metadata: Metadata): Promise<Written>
}

const trickleRepeats = 4
/** With fewer a tree would never end. */
const linksMin = 2

/** All leaves at one depth, filled from the left; a file of one chunk is that chunk. */
export function balancedFile (writer: NodeWriter, linksMax: number): FileBuilder {
  const levels: Written[][] = []
  /** Written late, because if it is the only one it is the root and carries the metadata. */
  let first: Uint8Array | undefined

  const push = async (level: number, child: Written): Promise<void> => {
    if (linksMax < linksMin && levels[0] !== undefined) throw new KuboError(`max-file-links must be at least ${linksMin} for a file of several chunks`)
    const siblings = levels[level] ??= []
    if (siblings.length >= linksMax) {
      levels[level] = [child]
      await push(level + 1, await writer.inner(siblings))
    } else {
      siblings.push(child)
    }
  }
  const flushFirst = async (): Promise<void> => {
    if (first === undefined) return
    const bytes = first
    first = undefined
    await push(0, await writer.leaf(bytes, 'file'))
  }

  return {
    async add (chunk) {
      if (levels.length === 0 && first === undefined) {
        first = chunk
        return
      }
      await flushFirst()
      await push(0, await writer.leaf(chunk, 'file'))
    },
    async finish (metadata) {
      if (levels.length === 0) return await writer.leaf(first ?? new Uint8Array(), 'file', metadata)
      for (let level = 0; ; level++) {
        const children = levels[level]!
        const isTop = level === levels.length - 1
        if (isTop) return await writer.inner(children, metadata)
        await push(level + 1, await writer.inner(children))
      }
    }
  }
}

interface Frame { readonly children: Written[], leaves: number, readonly depthMax: number, depth: number, repeats: number }

/** Leaves at the front of every node, then ever deeper subtrees, four of each depth: the start of a file is quick to reach. */
export function trickleFile (writer: NodeWriter, linksMax: number): FileBuilder {
  const frame = (depthMax: number): Frame => ({ children: [], leaves: 0, depthMax, depth: 1, repeats: 0 })
  const stack = [frame(Infinity)]

  const close = async (): Promise<void> => {
    const done = stack.pop()!
    const parent = stack.at(-1)!
    parent.children.push(await writer.inner(done.children))
    if (++parent.repeats < trickleRepeats) return
    parent.repeats = 0
    parent.depth++
  }

  return {
    async add (chunk) {
      if (linksMax < 1) throw new KuboError('max-file-links must be at least 1')
      for (let top = stack.at(-1)!; top.leaves >= linksMax; top = stack.at(-1)!) {
        if (top.depth >= top.depthMax) await close()
        else stack.push(frame(top.depth))
      }
      const top = stack.at(-1)!
      top.children.push(await writer.leaf(chunk, 'raw'))
      top.leaves++
    },
    async finish (metadata) {
      while (stack.length > 1) await close()
      return await writer.inner(stack[0]!.children, metadata)
    }
  }
}
