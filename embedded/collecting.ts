/** What a garbage collection keeps, and how the rest goes. Whoever calls holds the lock for collecting throughout. */
import { setImmediate as turn } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import type { AbortOptions } from '../cluster/ports.ts'
import { createBytesSet } from './dag/bytes-set.ts'
import type { BytesSet } from './dag/bytes-set.ts'
import { walk } from './dag/walk.ts'
import type { EmbeddedNode } from './node.ts'
import { messageOf } from './rpc/kubo-error.ts'
import type { PinMode, Stores } from './store/stores.ts'

/** Blocks that go together, in one transaction. */
const batchBlocks = 512

export interface Marked { /** By multihash. */ readonly kept: BytesSet, readonly failures: readonly string[] }

/** Everything pinned and MFS, and why some of what is pinned could not be looked at. MFS may well point to what is not here. */
export async function markKept ({ blocks, mfs, pinning }: Pick<EmbeddedNode, 'blocks' | 'mfs' | 'pinning'>, { signal }: AbortOptions): Promise<Marked> {
  const kept = createBytesSet()
  const seen = createBytesSet()
  const failures: string[] = []
  const keep = async (roots: Iterable<CID>, onFailure: (cid: CID, err: unknown) => void): Promise<void> => {
    for await (const visited of walk(roots, blocks, { signal, offline: true, seen, skipsRaw: true, onFailure })) {
      for (const { links } of visited) for (const { cid } of links) kept.add(cid.multihash.bytes)
    }
  }
  const keptItself = function * (mode: PinMode): Generator<CID> {
    for (const { cid } of pinning.pins(mode)) {
      kept.add(cid.multihash.bytes)
      yield cid
    }
  }
  for (const _ of keptItself('direct')) { /* nothing below it */ }
  await keep(keptItself('recursive'), (cid, err) => { failures.push(`could not retrieve links for ${cid.toString()}: ${messageOf(err)}`) })
  kept.add(mfs.root().multihash.bytes)
  await keep([mfs.root()], () => { /* it is fetched when somebody reads it */ })
  return { kept, failures }
}

/** Deletes what is not kept; hands out the multihashes of what has gone, then gives the space back to the disk. */
export async function * sweep ({ blocks }: Pick<Stores, 'blocks'>, kept: BytesSet, { signal }: AbortOptions): AsyncGenerator<readonly Uint8Array[]> {
  let batch: Uint8Array[] = []
  const emptied = async (): Promise<readonly Uint8Array[]> => {
    const gone = batch
    batch = []
    await Promise.all(gone.map(multihash => blocks.delete(multihash)))
    return gone
  }
  let looked = 0
  for (const multihash of blocks.multihashes()) {
    if (++looked % batchBlocks === 0) await turn()
    signal.throwIfAborted()
    if (kept.has(multihash)) continue
    batch.push(multihash)
    if (batch.length === batchBlocks) yield await emptied()
  }
  if (batch.length > 0) yield await emptied()
  await blocks.compact({ signal })
}
