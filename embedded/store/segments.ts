import { closeSync, openSync, readSync } from 'node:fs'
import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { ClusterError } from '../../cluster/api/errors.ts'

/** A file that has reached this is not appended to any more. What is added together goes together: small files soon hold nothing alive. */
const segmentBytesMax = 16 << 20
/** Files held open for reading. */
const readersMax = 64
const fileNames = /^(\d{8})\.blocks$/

/** Where a block lies. Offset and length fit in 32 bits: a segment is full long before. */
export interface Location { readonly segment: number, readonly offset: number, readonly length: number }

/** Files that blocks are appended to and never changed in: what has been written is read by its place until its file is removed. */
export interface Segments extends AsyncDisposable {
  /** In one write, on disk when it resolves. @throws ClusterError ERR_STORAGE when the disk refuses, and then nothing was written */
  append (pieces: readonly Uint8Array[]): Promise<readonly Location[]>
  /** @throws ClusterError ERR_STORAGE for what is not there as it was written */
  read (location: Location): Buffer
  readonly current: number
  /** Sizes by segment, the one that is appended to among them. */
  sizes (): ReadonlyMap<number, number>
  /** What is appended from now on goes into a new file. */
  rotate (): Promise<void>
  remove (segment: number): Promise<void>
}

/** What a crash left behind the last whole write stays there unread, until its segment goes. */
export async function openSegments (folder: string): Promise<Segments> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const pathOf = (segment: number): string => join(folder, `${String(segment).padStart(8, '0')}.blocks`)
  const sizes = new Map<number, number>()
  for (const name of (await readdir(folder)).sort()) {
    const found = fileNames.exec(name)
    if (found !== null) sizes.set(Number(found[1]), (await stat(join(folder, name))).size)
  }
  const readers = createReaders(pathOf)
  let current = Math.max(1, ...sizes.keys())
  let writer = await create(current)
  let lane: Promise<unknown> = Promise.resolve()

  /** One after the other. */
  async function inTurn<T> (work: () => Promise<T>): Promise<T> {
    const done = lane.then(work)
    lane = done.catch(() => { /* whoever asked for it is told */ })
    return await done
  }

  async function create (segment: number): Promise<FileHandle> {
    const file = await open(pathOf(segment), 'a', 0o600)
    sizes.set(segment, sizes.get(segment) ?? 0)
    await using directory = await open(folder, 'r')
    await directory.sync() // else the file may be gone after a loss of power, with all that was written to it
    return file
  }
  async function rotate (): Promise<void> {
    const next = await create(current + 1)
    await writer.close()
    writer = next
    current++
  }

  async function append (pieces: readonly Uint8Array[]): Promise<readonly Location[]> {
    try {
      if (sizes.get(current)! >= segmentBytesMax) await rotate()
      await writeAll(writer, pieces)
      await writer.datasync()
    } catch (err) {
      await writer.truncate(sizes.get(current)!).catch(() => { /* what is left over is in nobody's way: the size says where the next goes */ })
      sizes.set(current, (await writer.stat()).size)
      throw new ClusterError('ERR_STORAGE', `the disk refused to take blocks: ${(err as Error).message}`, { cause: err })
    }
    let offset = sizes.get(current)!
    const locations = pieces.map(({ length }) => {
      offset += length
      return { segment: current, offset: offset - length, length }
    })
    sizes.set(current, offset)
    return locations
  }

  return {
    append: pieces => inTurn(() => append(pieces)),
    read: location => readers.read(location),
    get current () { return current },
    sizes: () => sizes,
    rotate: () => inTurn(rotate),
    async remove (segment) {
      readers.close(segment)
      await unlink(pathOf(segment))
      sizes.delete(segment)
    },
    async [Symbol.asyncDispose] () {
      await lane
      readers.closeAll()
      await writer.close()
    }
  }
}

async function writeAll (file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const total = pieces.reduce((sum, { length }) => sum + length, 0)
  const { bytesWritten } = await file.writev(pieces)
  if (bytesWritten === total) return
  const rest = Buffer.concat(pieces).subarray(bytesWritten) // the disk took a part only: the next write says why
  for (let at = 0; at < rest.length;) at += (await file.write(rest, at)).bytesWritten
}

/** Open files, the longest unused closed first. */
function createReaders (pathOf: (segment: number) => string): { read (location: Location): Buffer, close (segment: number): void, closeAll (): void } {
  const files = new Map<number, number>()
  const close = (segment: number): void => {
    const file = files.get(segment)
    if (file !== undefined) closeSync(file)
    files.delete(segment)
  }
  const opened = (segment: number): number => {
    const file = files.get(segment) ?? openSync(pathOf(segment), 'r')
    files.delete(segment)
    files.set(segment, file)
    if (files.size > readersMax) close(files.keys().next().value!)
    return file
  }
  return {
    read ({ segment, offset, length }) {
      const bytes = Buffer.allocUnsafe(length)
      let read: number
      try {
        read = readSync(opened(segment), bytes, 0, length, offset)
      } catch (err) {
        throw new ClusterError('ERR_STORAGE', `the store is damaged: ${(err as Error).message}`, { cause: err })
      }
      if (read < length) throw new ClusterError('ERR_STORAGE', `the store is damaged: ${pathOf(segment)} ends before ${offset + length}`)
      return bytes
    },
    close,
    closeAll () { for (const segment of [...files.keys()]) close(segment) }
  }
}
