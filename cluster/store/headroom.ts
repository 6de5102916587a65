import { open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { ClusterError } from '../api/errors.ts'

const chunk = Buffer.alloc(1 << 20)
/** The file grows by this at least, so that growing is rare. */
const stepBytes = 4 << 20

/**
 * Disk space that is there before it is needed. When LMDB meets a full disk in the middle of a commit its memory is corrupt and the
 * process may end (seen with lmdb 3.5.6), so it never gets that far: the file is made longer with zeros before each transaction that
 * might need it, and when that fails the transaction is refused. LMDB does not mind a file longer than what it uses.
 */
export interface Headroom extends AsyncDisposable {
  /** Nothing to wait for when there is room already. @throws ClusterError ERR_STORAGE */
  ensure (bytes: number): Promise<void> | undefined
  /** Up to so many of them were used. */
  taken (bytes: number): void
}

/** `usedBytes` of the file are used; it is asked only when what was taken since may not leave enough, because to answer LMDB walks its free list. */
export async function openHeadroom (path: string, usedBytes: () => number): Promise<Headroom> {
  const file = await open(path, 'a') // appending cannot hit a page that LMDB writes meanwhile
  let sizeBytes = 0
  let usedAtMost = 0

  async function grow (neededBytes: number): Promise<void> {
    sizeBytes = (await file.stat()).size
    if (neededBytes <= sizeBytes) return
    try {
      await append(file, Math.max(neededBytes - sizeBytes, stepBytes))
      sizeBytes = (await file.stat()).size
    } catch (err) {
      throw new ClusterError('ERR_STORAGE', `the disk refused to make room for the store: ${(err as Error).message}`, { cause: err })
    }
  }

  return {
    ensure (bytes) {
      if (usedAtMost + bytes <= sizeBytes) return undefined
      usedAtMost = usedBytes()
      return usedAtMost + bytes <= sizeBytes ? undefined : grow(usedAtMost + bytes)
    },
    taken (bytes) { usedAtMost += bytes },
    [Symbol.asyncDispose]: () => file.close()
  }
}

/** Whether a new store finds room in `folder`. @throws ClusterError ERR_STORAGE */
export async function probeRoom (path: string): Promise<void> {
  const probe = `${path}.probe`
  try {
    await using file = await open(probe, 'a')
    await append(file, stepBytes)
  } catch (err) {
    throw new ClusterError('ERR_STORAGE', `there is no room for a store at ${path}: ${(err as Error).message}`, { cause: err })
  } finally {
    await rm(probe, { force: true })
  }
}

async function append (file: FileHandle, bytes: number): Promise<void> {
  for (let left = bytes; left > 0;) {
    const { bytesWritten } = await file.write(chunk, 0, Math.min(chunk.length, left))
    left -= bytesWritten
  }
  await file.datasync()
}
