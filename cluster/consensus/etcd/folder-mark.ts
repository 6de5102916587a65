import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ClusterError } from '../../api/errors.ts'

/** Under which name a state folder says that its pinset follows etcd. */
export const markFileName = 'etcd.json'

/** Which cluster's pinset a folder has, and which of a peer's folders it is. */
export interface FolderMark { readonly cluster: string, readonly folder: string }

/** @throws ClusterError ERR_STORAGE when it cannot be read */
export async function readMark (folder: string): Promise<FolderMark | undefined> {
  const path = join(folder, markFileName)
  try {
    return JSON.parse(await readFile(path, 'utf8')) as FolderMark
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ClusterError('ERR_STORAGE', `cannot read ${path}: ${(err as Error).message}`, { cause: err })
  }
}

/** On disk before it resolves. */
export async function writeMark (folder: string, cluster: string): Promise<FolderMark> {
  const mark: FolderMark = { cluster, folder: randomUUID() }
  const path = join(folder, markFileName)
  await mkdir(folder, { recursive: true })
  {
    await using file = await open(`${path}.new`, 'w', 0o600)
    await file.writeFile(`${JSON.stringify(mark)}\n`)
    await file.sync()
  }
  await rename(`${path}.new`, path)
  return mark
}
