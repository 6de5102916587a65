import { setImmediate as turn } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import type { BlockService, ReadOptions } from './block-service.ts'
import { createBytesSet } from './bytes-set.ts'
import type { BytesSet } from './bytes-set.ts'
import { codes, linksOf } from './codecs.ts'
import type { Link } from './codecs.ts'
import { lookAhead } from './look-ahead.ts'

export interface Visited { readonly cid: CID, /** Of its block. */ readonly length: number, readonly links: readonly Link[], /** Below which it was met first. */ readonly root: CID }

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
 * The roots, one after the other, and every node below them: each once, parents before children, children in the order of their links. On
 * a stack of its own: a DAG may be deeper than any call stack. In batches; what has been visited is handed out before a block is waited for.
 */
export async function * walk (roots: Iterable<CID>, blocks: BlockService, { seen = createBytesSet(), skipsRaw = false, onFailure, ...options }: WalkOptions): AsyncGenerator<readonly Visited[], void, undefined> {
  await using ahead = lookAhead(blocks, options)
  let batch: Visited[] = []
  for (const root of roots) {
    const stack = [root]
    while (stack.length > 0) {
      const cid = stack.pop()!
      if (!seen.add(cid.bytes)) continue
      options.signal.throwIfAborted()
      try {
        let found = foundHere(cid, blocks, skipsRaw)
        if (found === undefined) {
          yield batch
          batch = []
          found = foundIn(cid, await ahead.get(cid, later => stack.at(-1 - later)))
        }
        const { length, links } = found
        batch.push({ cid, length, links, root })
        for (let i = links.length - 1; i >= 0; i--) stack.push(links[i]!.cid)
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
  }
  yield batch
}

type Found = Pick<Visited, 'length' | 'links'>

function foundHere (cid: CID, blocks: BlockService, skipsRaw: boolean): Found | undefined {
  if (cid.code === codes.raw) {
    const length = skipsRaw ? 0 : blocks.lengthOf(cid)
    return length === undefined ? undefined : { length, links: [] }
  }
  const bytes = blocks.peek(cid)
  return bytes === undefined ? undefined : foundIn(cid, bytes)
}

function foundIn (cid: CID, bytes: Uint8Array): Found {
  return { length: bytes.length, links: linksOf(cid, bytes) }
}
