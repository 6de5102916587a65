import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { Digest } from 'multiformats/hashes/digest'
import { ClusterError } from '../../cluster/api/errors.ts'
import type { Clock } from '../../cluster/clock.ts'
import { lockFolder } from '../../cluster/store/folder-lock.ts'
import { createStore } from '../../cluster/store/store.ts'
import type { Store } from '../../cluster/store/store.ts'
import { openBlockLog } from './block-log.ts'
import { pagesOf } from './pages.ts'
import type { PinMode, PinStore, StoredPin, Stores } from './stores.ts'

const layout = '2'
const sha256 = 0x12
const layoutKey = Buffer.from('layout')
const fileName = 'embedded.mdb'
const lock = { file: 'embedded.lock', advice: 'one embedded daemon per folder. Stop it, or name another folder' }
const modes = { recursive: 1, direct: 2 } as const satisfies Record<PinMode, number>

/**
 * Stores under `folder`: pins and small values in LMDB, blocks in a log of their own. Every write has been brought to the disk when it
 * resolves, so a crash at any moment leaves a store that opens and holds what was acknowledged.
 *
 * @throws ClusterError ERR_STORAGE for a folder that another process has, that is damaged, that holds something else, or another layout than this version's
 */
export async function openDiskStores (folder: string, clock: Clock, signal: AbortSignal): Promise<Stores> {
  await using undo = new AsyncDisposableStack()
  await refuseForeign(folder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  undo.use(await lockFolder(folder, clock, lock))
  const store = undo.use(createStore({ folder, fileName }))
  const own = store.table('own')
  const pins = store.table('pins')
  await store.start({ signal })
  await checkLayout(store, folder)
  const blocks = undo.use(await openBlockLog(join(folder, 'blocks'), store))
  const opened = undo.move()

  return {
    path: folder,
    blocks,
    pins: pinStore(store, pins),
    own: {
      get: key => own.get(Buffer.from(key)),
      async put (key, value) { await store.write(() => { own.put(Buffer.from(key), value) }) }
    },
    sizeBytes: () => blocks.sizeBytes() + store.sizeBytes(),
    [Symbol.asyncDispose]: () => opened.disposeAsync()
  }
}

/** By mode and CID, so that the few of one mode are found among the many of the other. */
function pinStore (store: Store, table: ReturnType<Store['table']>): PinStore {
  const keyOf = (mode: PinMode, { bytes }: CID): Buffer => Buffer.concat([Buffer.of(modes[mode]), bytes])
  const get = (cid: CID, mode: PinMode): StoredPin | undefined => {
    const name = table.get(keyOf(mode, cid))
    return name === undefined ? undefined : { cid, mode, name: name.toString() }
  }
  const remove = (cid: CID): void => { for (const mode of ['recursive', 'direct'] as const) table.remove(keyOf(mode, cid)) }
  const put = ({ cid, mode, name }: StoredPin): void => {
    remove(cid)
    table.put(keyOf(mode, cid), Buffer.from(name))
  }
  return {
    get: cid => get(cid, 'recursive') ?? get(cid, 'direct'),
    async put (pin) { await store.write(() => { put(pin) }) },
    async delete (cid) { await store.write(() => { remove(cid) }) },
    async move (from, to) {
      await store.write(() => {
        put(to)
        remove(from)
      })
    },
    * pins (mode) {
      const range = { from: Buffer.of(modes[mode]), to: Buffer.of(modes[mode] + 1) }
      for (const { key, value } of pagesOf(table, range)) {
        yield { cid: usualCid(key) ?? CID.decode(key.subarray(1)), mode, name: value.length === 0 ? '' : value.toString() }
      }
    }
  }
}

/** A CID of version 1 with SHA-256, as nearly all are, without the checks that made it one: a list of pins is made of little else. */
function usualCid (key: Buffer): CID | undefined {
  if (key.length !== 37 || key[1] !== 1 || key[2]! >= 0x80 || key[3] !== sha256 || key[4] !== 32) return undefined
  const bytes = new Uint8Array(key.buffer, key.byteOffset + 1, 36)
  return new CID(1, key[2]!, new Digest(sha256, 32, bytes.subarray(4), bytes.subarray(2)), bytes)
}

/** A folder with something in it that no embedded daemon wrote: a peer's, a Kubo's, or what an earlier version left. */
async function refuseForeign (folder: string): Promise<void> {
  const names = await readdir(folder).catch((err: NodeJS.ErrnoException): string[] => {
    if (err.code === 'ENOENT') return []
    throw new ClusterError('ERR_STORAGE', `cannot open ${folder}: ${err.message}`, { cause: err })
  })
  const strangers = names.filter(name => !name.startsWith(lock.file) && !name.startsWith(fileName))
  if (strangers.length === 0 || names.includes(fileName)) return
  throw new ClusterError('ERR_STORAGE', `${folder} holds ${strangers.slice(0, 3).join(', ')} but no ${fileName}: it is no store of the embedded daemon of this version. Name an empty folder`)
}

async function checkLayout (store: Store, folder: string): Promise<void> {
  const own = store.table('own')
  const found = own.get(layoutKey)?.toString()
  if (found === undefined) await store.write(() => { own.put(layoutKey, Buffer.from(layout)) })
  else if (found !== layout) throw new ClusterError('ERR_STORAGE', `${folder} was written in layout ${found}; this version reads layout ${layout} only`)
}
