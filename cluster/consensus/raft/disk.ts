/**
 * What storage asks of a disk. A seam, because a promise like "nothing acknowledged is lost, wherever the power goes"
 * can only be tested on a disk that forgets what was not synced (`testing/crash-disk.ts`).
 *
 * A write is durable once a later `sync` of the file resolved; a new name, a rename or a removal once `syncFolder` did.
 */
import { createServer } from 'node:net'
import { closeSync, fdatasync, fdatasyncSync, fstatSync, fsync, ftruncate, openSync, readSync, statSync, write, writeSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface DiskFile extends Disposable {
  readonly size: number
  /**
   * Into the operating system's cache only. Never past `Number.MAX_SAFE_INTEGER`, always whole or thrown. `hasTime`: nobody waits for it, so another
   * thread does it: while others sync their files, even a write into the cache may have to wait for the file system's journal.
   */
  write (bytes: Uint8Array, position: number, hasTime?: boolean): Promise<void>
  /** At once; short only at the end of the file. */
  read (position: number, length: number): Uint8Array
  /**
   * `little`: only a few bytes are waiting, and the caller has nothing better to do. Then, on a disk that has been quick,
   * this thread waits itself: that is a third faster than asking another thread, and shorter than a turn of the loop.
   */
  sync (little?: boolean): Promise<void>
  truncate (length: number): Promise<void>
}

export interface Disk {
  open (path: string, how: 'read' | 'read-write' | 'create'): Promise<DiskFile>
  readFile (path: string): Promise<Uint8Array | undefined>
  list (folder: string): Promise<readonly string[]>
  makeFolder (folder: string): Promise<void>
  rename (from: string, to: string): Promise<void>
  remove (path: string): Promise<void>
  syncFolder (folder: string): Promise<void>
  /** Held until disposed or until this process ends, however it ends. @throws Error when another holds it */
  lock (folder: string): Promise<AsyncDisposable>
}

/** Up to here a write into the page cache costs less than a trip to the thread pool and back. */
const syncWriteBytesMax = 256 * 1_024

/** A disk that was once this slow is waited for by another thread for a while: no vote or heartbeat is to wait for it. */
const slowSyncMs = 5
const syncsAfterSlowOne = 200

const writeAsync = promisify(write)
const truncateAsync = promisify(ftruncate)
const fdatasyncAsync = promisify(fdatasync)
const fsyncAsync = promisify(fsync)

export const realDisk: Disk = {
  async open (path, how) {
    return openedFile(openSync(path, how === 'read' ? 'r' : how === 'create' ? 'wx+' : 'r+'), how === 'create')
  },
  async readFile (path) {
    return await readFile(path).catch(err => { if (err.code === 'ENOENT') return undefined; throw err })
  },
  async list (folder) {
    return (await readdir(folder).catch(err => { if (err.code === 'ENOENT') return []; throw err })).sort()
  },
  async makeFolder (folder) { await mkdir(folder, { recursive: true }) },
  async rename (from, to) { await rename(from, to) },
  async remove (path) { await rm(path, { force: true }) },
  async syncFolder (folder) {
    const handle = await open(folder, 'r')
    try { await handle.sync() } finally { await handle.close() }
  },
  lock: lockFolder
}

function openedFile (fd: number, isNew: boolean): DiskFile {
  let size = fstatSync(fd).size
  let sizeIsSynced = !isNew
  let patience = 0
  return {
    get size () { return size },
    async write (bytes, position, hasTime = false) {
      if (bytes.length <= syncWriteBytesMax && !hasTime) {
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, position + at)
      } else {
        for (let at = 0; at < bytes.length;) at += (await writeAsync(fd, bytes, at, bytes.length - at, position + at)).bytesWritten
      }
      if (position + bytes.length > size) size = position + bytes.length
    },
    read (position, length) {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - position)))
      for (let at = 0; at < bytes.length;) {
        const got = readSync(fd, bytes, at, bytes.length - at, position + at)
        if (got === 0) return bytes.subarray(0, at)
        at += got
      }
      return bytes
    },
    async sync (little = false) {
      if (!sizeIsSynced) {
        await fsyncAsync(fd)
        sizeIsSynced = true
      } else if (little && patience === 0) {
        const begunMs = performance.now()
        fdatasyncSync(fd)
        if (performance.now() - begunMs > slowSyncMs) patience = syncsAfterSlowOne
      } else {
        if (patience > 0) patience--
        await fdatasyncAsync(fd)
      }
    },
    async truncate (length) {
      await truncateAsync(fd, length)
      size = length
    },
    [Symbol.dispose] () { closeSync(fd) }
  }
}

/**
 * A lock that ends with its process, even by SIGKILL, and has no stale state to guess about: on Linux an abstract socket
 * named after the folder's inode; elsewhere a socket file is not safe to break, so its leftovers must be removed by hand.
 */
async function lockFolder (folder: string): Promise<AsyncDisposable> {
  const { dev, ino } = statSync(folder)
  const path = process.platform === 'linux' ? `\0ipfs-quorum-raft-${dev}-${ino}` : `${folder}/lock.sock`
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) => {
      reject(err.code === 'EADDRINUSE' ? new Error(`${folder} is in use by another process`) : err)
    })
    server.listen({ path, exclusive: true }, resolve)
  })
  server.unref()
  return {
    async [Symbol.asyncDispose] () { await new Promise(resolve => server.close(resolve)) }
  }
}
