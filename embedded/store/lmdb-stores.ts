import { mkdirSync } from 'node:fs'
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { CID } from 'multiformats/cid'
import { ClusterError } from '../../cluster/api/errors.ts'
import type { PinMode, StoredPin, Stores } from './stores.ts'

const layoutVersion = '1'
const layoutKey = 'layout'
const modes = { recursive: 1, direct: 2 } as const satisfies Record<PinMode, number>

/**
 * Stores in one LMDB environment under `folder`: a crash at any moment leaves a store that opens and holds what was acknowledged.
 *
 * @throws ClusterError ERR_STORAGE for a folder of another layout than this version's
 */
export function openLmdbStores (folder: string): Stores {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const root = open({ path: folder, maxDbs: 3, encoding: 'binary', keyEncoding: 'binary', compression: false })
  const blocks = root.openDB<Buffer, Buffer>({ name: 'blocks', encoding: 'binary', keyEncoding: 'binary' })
  const pins = root.openDB<Buffer, Buffer>({ name: 'pins', encoding: 'binary', keyEncoding: 'binary' })
  const own = root.openDB<Buffer, string>({ name: 'own', encoding: 'binary' })
  checkLayout(own, folder)

  return {
    path: folder,
    blocks: {
      get: multihash => blocks.get(bufferOf(multihash)),
      has: multihash => blocks.doesExist(bufferOf(multihash)),
      async put (multihash, bytes) { if (!blocks.doesExist(bufferOf(multihash))) await blocks.put(bufferOf(multihash), bufferOf(bytes)) },
      async delete (multihash) { await blocks.remove(bufferOf(multihash)) },
      multihashes: () => blocks.getKeys({ snapshot: true }),
      count: () => entryCount(blocks)
    },
    pins: {
      get: cid => pinOf(cid, pins.get(bufferOf(cid.bytes))),
      async put ({ cid, mode, name }) { await pins.put(bufferOf(cid.bytes), Buffer.concat([Buffer.from([modes[mode]]), Buffer.from(name)])) },
      async delete (cid) { await pins.remove(bufferOf(cid.bytes)) },
      pins: mode => pins.getRange({ snapshot: true }).filter(({ value }) => value[0] === modes[mode]).map(({ key, value }) => pinOf(CID.decode(key), value)!)
    },
    own: {
      get: key => own.get(key),
      async put (key, value) { await own.put(key, bufferOf(value)) }
    },
    async durable () { await root.flushed },
    sizeBytes: () => sizeOf(root),
    async [Symbol.asyncDispose] () { await root.close() }
  }
}

function checkLayout (own: Database<Buffer, string>, folder: string): void {
  const found = own.get(layoutKey)?.toString()
  if (found === undefined) own.putSync(layoutKey, Buffer.from(layoutVersion))
  else if (found !== layoutVersion) throw new ClusterError('ERR_STORAGE', `${folder} was written in layout ${found}; this version reads layout ${layoutVersion} only`)
}

function pinOf (cid: CID, value: Buffer | undefined): StoredPin | undefined {
  if (value === undefined) return undefined
  return { cid, mode: value[0] === modes.direct ? 'direct' : 'recursive', name: value.toString('utf8', 1) }
}

function bufferOf (bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

interface Stats { readonly entryCount: number }
function entryCount (db: Database<Buffer, Buffer>): number {
  return (db.getStats() as Stats).entryCount
}

interface RootStats { readonly pageSize: number, readonly lastPageNumber: number }
function sizeOf (root: RootDatabase): number {
  const { pageSize, lastPageNumber } = root.getStats() as RootStats
  return pageSize * (lastPageNumber + 1)
}
