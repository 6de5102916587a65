import type { CID } from 'multiformats/cid'
import type { BlockService, ReadOptions } from './block-service.ts'
import { linksOf } from './codecs.ts'

export interface Visited { readonly cid: CID, readonly bytes: Uint8Array }

/** Of a long walk without waiting, so much is done before others get their turn. */
const stepsInARow = 256

/**
 * Every node below `root` and `root` itself, each once, parents before children, children in the order of their links. On a stack of its
 * own: a DAG may be deeper than any call stack.
 *
 * @param seen what is in it is skipped, with all below it; the walk adds to it
 */
export async function * walk (root: CID, blocks: BlockService, options: ReadOptions, seen: Set<string> = new Set()): AsyncGenerator<Visited, void, undefined> {
  const stack = [root]
  for (let steps = 1; stack.length > 0; steps++) {
    const cid = stack.pop()!
    const key = cid.toString()
    if (seen.has(key)) continue
    seen.add(key)
    if (steps % stepsInARow === 0) await new Promise(setImmediate)
    options.signal.throwIfAborted()
    const bytes = blocks.peek(cid) ?? await blocks.get(cid, options)
    yield { cid, bytes }
    const links = linksOf(cid, bytes)
    for (let i = links.length - 1; i >= 0; i--) stack.push(links[i]!.cid)
  }
}
