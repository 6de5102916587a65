import type { CID } from 'multiformats/cid'
import type { BlockService, ReadOptions } from './block-service.ts'
import { linksOf } from './codecs.ts'

export interface Visited { readonly cid: CID, readonly bytes: Uint8Array }

/** A CID as a key of maps: its bytes, which are cheaper to come by than its text. */
export function cidKey ({ bytes }: CID): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Of a long walk without waiting, so many nodes are visited before others get their turn. A promise for each would cost more than the visit. */
const batchNodes = 256

/**
 * Every node below `root` and `root` itself, each once, parents before children, children in the order of their links. On a stack of its
 * own: a DAG may be deeper than any call stack. In batches; what has been visited is handed out before a block is waited for.
 *
 * @param seen what is in it is skipped, with all below it; the walk adds to it
 */
export async function * walk (root: CID, blocks: BlockService, options: ReadOptions, seen: Set<string> = new Set()): AsyncGenerator<readonly Visited[], void, undefined> {
  const stack = [root]
  let batch: Visited[] = []
  while (stack.length > 0) {
    const cid = stack.pop()!
    const key = cidKey(cid)
    if (seen.has(key)) continue
    seen.add(key)
    options.signal.throwIfAborted()
    let bytes = blocks.peek(cid)
    if (bytes === undefined) {
      yield batch
      batch = []
      bytes = await blocks.get(cid, options)
    }
    batch.push({ cid, bytes })
    const links = linksOf(cid, bytes)
    for (let i = links.length - 1; i >= 0; i--) stack.push(links[i]!.cid)
    if (batch.length < batchNodes) continue
    yield batch
    batch = []
    await new Promise(setImmediate)
  }
  yield batch
}
