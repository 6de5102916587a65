/**
 * Blocks in files that are only appended to, and an index in LMDB that says where each lies. A block kept in LMDB itself would be
 * written twice on its way (room is made before the commit), its space would never go back to the disk, and how much of a full
 * disk a commit needs could not be told.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { AbortOptions } from '../../cluster/ports.ts'
import type { Store } from '../../cluster/store/store.ts'
import { openSegments } from './segments.ts'
import type { Location, Segments } from './segments.ts'
import { pagesOf } from './pages.ts'
import type { BlockStore } from './stores.ts'

/** What one write and one transaction take at most. */
const groupBytesMax = 8 << 20
const groupRowsMax = 4_096
/** Of a long look through the index, so many rows before others get their turn. */
const rowsPerTurn = 4_096
const locationBytes = 12
/** What a row of the index takes in a tree whose pages are half full, with its share of the pages above. */
const indexBytesPerRow = 256
/** A change writes its leaf anew, now and then a second one, and shares what is above with the others of its transaction. */
const bytesPerChange = 8 << 10
/** Left free by those who store, for those who delete: a full disk can be collected. */
const reserveBytes = 5 << 20
/** A segment with less than this alive is written anew. */
const sparseBelow = 0.75

interface Waiting { readonly key: Buffer, readonly bytes: Uint8Array, /** A block that is moved: only if it still lies there. */ readonly movedFrom: Buffer | undefined }

/** What is written together, and the one promise for all of it: one for each of many small blocks would cost more than the blocks. */
interface Group { readonly blocks: Waiting[], bytes: number, readonly done: PromiseWithResolvers<void> }

export interface BlockLog extends BlockStore, AsyncDisposable { sizeBytes (): number }

export async function openBlockLog (folder: string, store: Store): Promise<BlockLog> {
  const index = store.table('blocks')
  const segments = await openSegments(folder)
  const waiting: Group[] = []
  /** Groups that are not in the index yet, those that wait among them. */
  const inFlight = new Set<Promise<void>>()
  /** By multihash: what is on its way need not come again. */
  const coming = new Map<string, Promise<void>>()
  let writing: Promise<void> | undefined
  let entering = Promise.resolve()

  const rowsRoom = (rows: number): number => Math.min(rows * bytesPerChange, index.count() * indexBytesPerRow + rows * 2 * indexBytesPerRow)

  function enqueue (key: Buffer, bytes: Uint8Array, movedFrom?: Buffer): Promise<void> {
    let group = waiting.at(-1)
    if (group === undefined || group.blocks.length >= groupRowsMax || group.bytes + bytes.length > groupBytesMax) waiting.push(group = openGroup())
    group.blocks.push({ key, bytes, movedFrom })
    group.bytes += bytes.length
    writing ??= writeWaiting()
    return group.done.promise
  }

  function openGroup (): Group {
    const group: Group = { blocks: [], bytes: 0, done: Promise.withResolvers() }
    const { promise } = group.done
    inFlight.add(promise)
    promise.catch(() => { /* whoever put it is told */ }).finally(() => {
      inFlight.delete(promise)
      for (const { key } of group.blocks) if (coming.get(nameOf(key)) === promise) coming.delete(nameOf(key))
    })
    return group
  }

  async function enter ({ blocks, done }: Group, locations: readonly Location[]): Promise<void> {
    try {
      await store.write(() => {
        for (const [i, { key, movedFrom }] of blocks.entries()) {
          if (movedFrom === undefined || index.get(key)?.equals(movedFrom) === true) index.put(key, encode(locations[i]!))
        }
      }, rowsRoom(blocks.length) + reserveBytes)
      done.resolve()
    } catch (err) {
      done.reject(err)
    }
  }

  /** One write after the other, each with all that came up meanwhile; while one is entered into the index the next is being written. */
  async function writeWaiting (): Promise<void> {
    await turn() // what is handed in within this turn is in
    while (waiting.length > 0) {
      const group = waiting.shift()!
      try {
        const locations = await segments.append(group.blocks.map(({ bytes }) => bytes))
        await entering // one at a time: what they ask of the disk would add up
        entering = enter(group, locations)
      } catch (err) {
        group.done.reject(err)
      }
    }
    writing = undefined
  }

  return {
    get (multihash) {
      const found = index.get(multihash)
      return found === undefined ? undefined : segments.read(decode(found))
    },
    lengthOf (multihash) {
      const found = index.get(multihash)
      return found === undefined ? undefined : decode(found).length
    },
    has: multihash => index.get(multihash) !== undefined,
    async put (multihash, bytes) {
      const key = Buffer.from(multihash)
      const already = coming.get(nameOf(key))
      if (already !== undefined) return await already
      if (index.get(key) !== undefined) return
      const put = enqueue(key, bytes)
      coming.set(nameOf(key), put)
      await put
    },
    async delete (multihash) { await store.write(() => { index.remove(multihash) }, rowsRoom(1)) },
    * multihashes () { for (const { key } of pagesOf(index)) yield key },
    count: () => index.count(),
    compact: options => compact(index, segments, { ...options, enqueue, settled: async () => { await Promise.allSettled(inFlight) } }),
    sizeBytes: () => [...segments.sizes().values()].reduce((sum, bytes) => sum + bytes, 0),
    async [Symbol.asyncDispose] () {
      await Promise.allSettled(inFlight)
      await writing
      await segments[Symbol.asyncDispose]()
    }
  }
}

interface CompactOptions extends AbortOptions {
  enqueue (key: Buffer, bytes: Uint8Array, movedFrom: Buffer): Promise<void>
  /** Everything handed in before is in the index, or has failed. */
  settled (): Promise<void>
}

/** Removes segments of which nothing is alive, and moves what is alive out of those that are mostly dead, one after the other. */
async function compact (index: ReturnType<Store['table']>, segments: Segments, { signal, enqueue, settled }: CompactOptions): Promise<void> {
  const closed = new Set([...segments.sizes().keys()].filter(segment => segment !== segments.current))
  await settled() // from now on nothing enters the index that lies in them
  const alive = new Map<number, number>()
  for await (const { segment, length } of located(index, signal)) alive.set(segment, (alive.get(segment) ?? 0) + length)
  for (const segment of closed) if (!alive.has(segment)) await segments.remove(segment)

  const aliveIn = (segment: number): number => alive.get(segment) ?? 0
  const isKnown = (segment: number): boolean => closed.has(segment) || segment === segments.current
  const sparse = [...segments.sizes()].filter(([segment, bytes]) => bytes > 0 && isKnown(segment) && aliveIn(segment) < bytes * sparseBelow).map(([segment]) => segment)
  if (sparse.includes(segments.current)) {
    await segments.rotate()
    await settled()
  }
  try {
    for (const segment of sparse.sort((a, b) => aliveIn(a) - aliveIn(b))) await evacuate(segment, index, segments, { signal, enqueue, settled })
  } catch (err) {
    // Without room to move what is alive it stays where it is, till the next time: what could be deleted is deleted.
    if (!isDiskFull(err)) throw err
  }
}

function isDiskFull (err: unknown): boolean {
  return err instanceof Error && ('code' in err && err.code === 'ENOSPC' || isDiskFull(err.cause))
}

async function evacuate (segment: number, index: ReturnType<Store['table']>, segments: Segments, { signal, enqueue }: CompactOptions): Promise<void> {
  let moving: Promise<void>[] = []
  let bytesHeld = 0
  for await (const { key, value, ...location } of located(index, signal)) {
    if (location.segment !== segment) continue
    const bytes = segments.read(location)
    const moved = enqueue(key, bytes, value)
    moving.push(moved)
    bytesHeld += bytes.length
    if (bytesHeld < groupBytesMax && moving.length < groupRowsMax) continue
    await Promise.all(moving)
    moving = []
    bytesHeld = 0
  }
  await Promise.all(moving)
  await segments.remove(segment)
}

/** Rows of the index with what they say, others getting their turn now and then. */
async function * located (index: ReturnType<Store['table']>, signal: AbortSignal): AsyncGenerator<Location & { readonly key: Buffer, readonly value: Buffer }> {
  let rows = 0
  for (const { key, value } of pagesOf(index)) {
    if (++rows % rowsPerTurn === 0) await turn(undefined, { signal })
    yield { key, value, ...decode(value) }
  }
}

function nameOf (key: Buffer): string {
  return key.toString('latin1')
}

function encode ({ segment, offset, length }: Location): Buffer {
  const value = Buffer.allocUnsafe(locationBytes)
  value.writeUInt32LE(segment, 0)
  value.writeUInt32LE(offset, 4)
  value.writeUInt32LE(length, 8)
  return value
}

function decode (value: Buffer): Location {
  return { segment: value.readUInt32LE(0), offset: value.readUInt32LE(4), length: value.readUInt32LE(8) }
}
