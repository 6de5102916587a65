import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'lmdb'
import { ClusterError } from '../api/errors.ts'
import { checkUndamaged } from './damage.ts'
import type { Store } from './store.ts'

/** What a peer's store is called in its folder. */
export const storeFileName = 'store.mdb'
const metaTable = 'meta'
const formatKey = Buffer.from('format')
const firstFormat = 1

/**
 * Makes of what a store holds in one format the next one: the first of a list makes format 2 of format 1. It may be run again on what it
 * has made, for the format is noted after it, and it must not need more memory for a store that holds more.
 */
export type Upgrade = (store: Store) => Promise<void>

/** The format that a store has when all upgrades are through. */
export const formatAfter = (upgrades: readonly Upgrade[]): number => firstFormat + upgrades.length

/** @throws ClusterError ERR_STORAGE for a store that a newer program has written */
export async function bringUpToDate (store: Store, folder: string, upgrades: readonly Upgrade[]): Promise<void> {
  const meta = store.table(metaTable)
  const current = formatAfter(upgrades)
  const found = meta.get(formatKey)?.[0] ?? current
  if (found > current) throw newerFormat(folder, found, current)

  for (const upgrade of upgrades.slice(found - firstFormat)) await upgrade(store)
  if (meta.get(formatKey)?.[0] !== current) await store.write(() => meta.put(formatKey, Buffer.of(current)))
}

/**
 * In which format the store in a folder is, without opening it for writing and so without upgrading it; undefined where there is none. Another
 * process may have it open.
 *
 * @throws ClusterError ERR_STORAGE for one that is damaged
 */
export async function storedFormat (folder: string): Promise<number | undefined> {
  const path = join(folder, storeFileName)
  if (!existsSync(path) || (await stat(path)).size === 0) return undefined
  await checkUndamaged(path)
  const environment = open<Buffer, Buffer>({ path, noSubdir: true, readOnly: true, keyEncoding: 'binary', encoding: 'binary' })
  try {
    return environment.openDB<Buffer, Buffer>({ name: metaTable, keyEncoding: 'binary', encoding: 'binary' }).get(formatKey)?.[0]
  } finally {
    await environment.close()
  }
}

export function newerFormat (folder: string, found: number, current: number): ClusterError {
  return new ClusterError('ERR_STORAGE', `the store in ${folder} has format ${found}, written by a newer version of this program; this one reads up to format ${current}. Upgrade the program, or go back to the copy that was kept when the store was upgraded`)
}
