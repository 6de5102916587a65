import type { CID } from 'multiformats/cid'
import type { BlockService, ReadOptions } from './dag/block-service.ts'
import { createBytesSet } from './dag/bytes-set.ts'
import { walk } from './dag/walk.ts'
import { KuboError, messageOf } from './rpc/kubo-error.ts'
import type { PinMode, PinStore, StoredPin, Stores } from './store/stores.ts'

export const pinNameBytesMax = 255

export interface Progress { nodes: number, bytes: number }

/** What holds a CID: its own pin, or a recursive pin above it. */
export type Holding = { readonly mode: PinMode, readonly name: string } | { readonly mode: 'indirect', readonly through: CID }

export interface Pinning {
  /**
   * Resolves when all of it is here and the pin survives a crash.
   *
   * @param progress counts up while the walk goes on
   * @throws KuboError for a direct pin over a recursive one
   */
  add (cid: CID, mode: PinMode, name: string, options: ReadOptions, progress?: Progress): Promise<void>
  /** Pins without looking whether what is below it is here, as `block/put` and `dag/put` do. */
  mark (cid: CID, name: string): Promise<void>
  remove (cid: CID, recursive: boolean): Promise<void>
  update (from: CID, to: CID, unpin: boolean, options: ReadOptions): Promise<void>
  get (cid: CID): StoredPin | undefined
  pins (mode: PinMode): Iterable<StoredPin>
  /** What lies below recursive pins and is not pinned itself; each once. */
  indirect (options: ReadOptions): AsyncIterable<CID>
  holding (cid: CID, options: ReadOptions): Promise<Holding | undefined>
  /** The recursive pin that holds it from above, whether or not it has a direct pin too; one that is pinned recursively needs none. */
  holderOf (cid: CID, options: ReadOptions): Promise<CID | undefined>
}

export function checkPinName (name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes > pinNameBytesMax) throw new KuboError(`pin name is ${bytes} bytes (max ${pinNameBytesMax} bytes)`)
}

export function createPinning ({ pins }: Pick<Stores, 'pins'>, blocks: BlockService): Pinning {
  const holderOf: Pinning['holderOf'] = async (cid, options) => {
    if (pins.get(cid)?.mode === 'recursive') return undefined
    for await (const visited of walk(recursive(pins), blocks, { ...options, skipsRaw: true })) {
      const above = visited.find(({ links }) => links.some(link => link.cid.equals(cid)))
      if (above !== undefined) return above.root
    }
    return undefined
  }

  return {
    holderOf,
    async add (cid, mode, name, options, progress = { nodes: 0, bytes: 0 }) {
      if (mode === 'direct') {
        if (pins.get(cid)?.mode === 'recursive') throw new KuboError(`${cid.toString()} already pinned recursively`)
        await blocks.get(cid, options)
      } else {
        for await (const visited of walk([cid], blocks, options)) {
          progress.nodes += visited.length
          progress.bytes += visited.reduce((sum, { length }) => sum + length, 0)
        }
      }
      await pins.put({ cid, mode, name })
    },
    async mark (cid, name) { await pins.put({ cid, mode: 'recursive', name }) },
    async remove (cid, recursive) {
      const held = pins.get(cid)
      if (held === undefined) throw new KuboError('not pinned or pinned indirectly')
      if (held.mode === 'recursive' && !recursive) throw new KuboError(`${cid.toString()} is pinned recursively`)
      await pins.delete(cid)
    },
    async update (from, to, unpin, options) {
      const old = pins.get(from)
      if (old?.mode !== 'recursive') throw new KuboError("'from' cid was not recursively pinned already")
      if (from.equals(to)) return
      if (pins.get(to)?.mode === 'recursive') throw new KuboError("'to' cid was already recursively pinned")
      await fetchAll(to, blocks, options)
      const pin: StoredPin = { cid: to, mode: 'recursive', name: old.name }
      await (unpin ? pins.move(from, pin) : pins.put(pin))
    },
    get: cid => pins.get(cid),
    pins: mode => pins.pins(mode),
    async * indirect (options) {
      const listed = createBytesSet()
      for await (const visited of walk(recursive(pins), blocks, { ...options, skipsRaw: true })) {
        for (const { links } of visited) {
          for (const { cid } of links) if (listed.add(cid.bytes) && pins.get(cid) === undefined) yield cid
        }
      }
    },
    async holding (cid, options) {
      const own = pins.get(cid)
      if (own !== undefined) return { mode: own.mode, name: own.name }
      const through = await holderOf(cid, options)
      return through === undefined ? undefined : { mode: 'indirect', through }
    }
  }
}

function * recursive (pins: PinStore): Generator<CID> {
  for (const { cid } of pins.pins('recursive')) yield cid
}

/** Kubo's diff names the block that could not be got. */
async function fetchAll (root: CID, blocks: BlockService, options: ReadOptions): Promise<void> {
  let next = root
  const named: BlockService = { ...blocks, get: async (cid, options) => { next = cid; return await blocks.get(cid, options) } }
  try {
    for await (const _ of walk([root], named, options)) { /* only to have it here */ }
  } catch (err) {
    throw new KuboError(`get ${next.toString()}: ${messageOf(err)}`, { cause: err })
  }
}
