import { constants } from 'node:fs'
import { cp, rename, rm } from 'node:fs/promises'
import { stateFormat } from '../../../cluster/state/peer-store.ts'
import { newerFormat, storedFormat } from '../../../cluster/store/format.ts'
import { freeName, isThere } from '../files.ts'
import type { PeerFolder } from '../folder.ts'

/** The whole of a pinset that was imported, until it stands in the state's place. */
export const importedState = (folder: PeerFolder): string => `${folder.state}.new`

/**
 * To be called before the state is opened, by who has the folder's lock: finishes an import that was interrupted while its pinset took the other's
 * place, and keeps a copy of a state that is about to be upgraded.
 *
 * @throws ClusterError ERR_STORAGE for a state that a newer program has written
 */
export async function prepareState (folder: PeerFolder, say: (line: string) => void): Promise<void> {
  if (!await isThere(folder.state) && await isThere(importedState(folder))) await rename(importedState(folder), folder.state)
  const found = await storedFormat(folder.state)
  if (found === undefined || found === stateFormat) return
  if (found > stateFormat) throw newerFormat(folder.state, found, stateFormat)

  const kept = await freeName(`${folder.state}.format-${found}`)
  const aside = `${folder.state}.copying`
  say(`The state has format ${found} and is upgraded to format ${stateFormat}. As it was it is kept in ${kept}.`)
  await rm(aside, { recursive: true, force: true })
  await cp(folder.state, aside, { recursive: true, mode: constants.COPYFILE_FICLONE })
  await rename(aside, kept)
}
