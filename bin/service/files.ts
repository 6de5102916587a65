import { chmod, open, readFile, rename, stat } from 'node:fs/promises'
import { ClusterError } from '../../cluster/api/errors.ts'

/** What stands in a file; undefined when there is none. @throws ClusterError ERR_INVALID_ARGUMENT when it cannot be read */
export async function textOf (path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ClusterError('ERR_INVALID_ARGUMENT', `cannot read ${path}: ${(err as Error).message}`, { cause: err })
  }
}

/** Whole or not at all, on disk before it resolves, for the owner's eyes only. */
export async function writePrivately (path: string, text: string): Promise<void> {
  const aside = `${path}.new`
  {
    await using file = await open(aside, 'w', 0o600)
    await file.writeFile(text)
    await file.sync()
  }
  await chmod(aside, 0o600)
  await rename(aside, path)
}

export async function isThere (path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false)
}

/** The path, or with the first number behind it that makes it nobody's yet. */
export async function freeName (path: string): Promise<string> {
  let name = path
  for (let number = 1; await isThere(name); number++) name = `${path}.${number}`
  return name
}
