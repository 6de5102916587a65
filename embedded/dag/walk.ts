import { setImmediate as turn } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import type { BlockService, ReadOptions } from './block-service.ts'
import { createBytesSet } from './bytes-set.ts'
import type { BytesSet } from './bytes-set.ts'
import { codes, linksOf } from './codecs.ts'
import type { Link } from './codecs.ts'

export interface Visited { readonly cid: CID, /** Of its block. */ readonly length: number, readonly links: readonly Link[] }

export interface WalkOptions extends ReadOptions {
  /** What is in it is skipped, with all below it; the walk adds to it. */
  readonly seen?: BytesSet
  /** Raw blocks have no links: who wants nothing but links need not look for them, and Kubo does not. Their length is then 0. */
  readonly skipsRaw?: boolean
  /** Instead of ending the walk with what a block could not be read for. */
  readonly onFailure?: (cid: CID, err: unknown) => void
}

/** A CID as a key of maps: its bytes, which are cheaper to come by than its text. */
export function cidKey ({ bytes }: CID): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Of a long walk without waiting, so many nodes are visited before others get their turn. A promise for each would cost more than the visit. */
const batchNodes = 256

/**
 * Every node below `root` and `root` itself, each once, parents before children, children in the order of their links. On a stack of its
 * own: a DAG may be deeper than any call stack. In batches; what has been visited is handed out before a block is waited for.
 */
export async function * walk (root: CID, blocks: BlockService, { seen = createBytesSet(), skipsRaw = false, onFailure, ...options }: WalkOptions): AsyncGenerator<readonly Visited[], void, undefined> {
  const stack = [root]
  let batch: Visited[] = []
  while (stack.length > 0) {
    const cid = stack.pop()!
    if (!seen.add(cid.bytes)) continue
    options.signal.throwIfAborted()
    try {
      let visited = visitedHere(cid, blocks, skipsRaw)
      if (visited === undefined) {
        yield batch
        batch = []
        visited = visitedAs(cid, await blocks.get(cid, options))
      }
      batch.push(visited)
      for (let i = visited.links.length - 1; i >= 0; i--) stack.push(visited.links[i]!.cid)
    } catch (err) {
      options.signal.throwIfAborted()
      if (onFailure === undefined) throw err
      onFailure(cid, err)
    }
    if (batch.length < batchNodes) continue
    yield batch
    batch = []
    await turn()
  }
  yield batch
}

function visitedHere (cid: CID, blocks: BlockService, skipsRaw: boolean): Visited | undefined {
  if (cid.code === codes.raw) {
    const length = skipsRaw ? 0 : blocks.lengthOf(cid)
    return length === undefined ? undefined : { cid, length, links: [] }
  }
  const bytes = blocks.peek(cid)
  return bytes === undefined ? undefined : visitedAs(cid, bytes)
}

function visitedAs (cid: CID, bytes: Uint8Array): Visited {
  return { cid, length: bytes.length, links: linksOf(cid, bytes) }
}
