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
  /** @throws ClusterError ERR_STORAGE */
  ensure (usedBytes: number, neededBytes: number): Promise<void>
}

export async function openHeadroom (path: string): Promise<Headroom> {
  const file = await open(path, 'a') // appending cannot hit a page that LMDB writes meanwhile
  let sizeBytes = 0

  return {
    async ensure (usedBytes, neededBytes) {
      if (usedBytes + neededBytes <= sizeBytes) return
      sizeBytes = (await file.stat()).size
      if (usedBytes + neededBytes <= sizeBytes) return
      try {
        await append(file, Math.max(usedBytes + neededBytes - sizeBytes, stepBytes))
        sizeBytes = (await file.stat()).size
      } catch (err) {
        throw new ClusterError('ERR_STORAGE', `the disk refused to make room for the store: ${(err as Error).message}`, { cause: err })
      }
    },
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
