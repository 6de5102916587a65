/**
 * Snapshots on disk: the state and the bookkeeping as checked chunks in one file, and beside it a manifest, written last
 * and atomically. Without a good manifest there is no snapshot, whatever lies in the folder.
 */
import { createHash } from 'node:crypto'
import { ByteReader, ByteWriter, MalformedError } from './bytes.ts'
import { crc32c } from './crc32c.ts'
import type { Disk, DiskFile } from './disk.ts'
import { readSnapshotMeta, writeSnapshotMeta } from './entry-codec.ts'
import { replaceFile } from './identity-file.ts'
import type { Loaded } from './state-machine.ts'
import type { SnapshotMeta } from './core/types.ts'

export interface Manifest {
  readonly meta: SnapshotMeta
  readonly bytes: number
  /** Of the whole file, hexadecimal. */
  readonly sha256: string
}

/** Payload of one chunk on disk and of one frame on the wire: small enough that reading and checking it is no stall. */
export const chunkBytes = 256 * 1_024
const chunkHeaderBytes = 8
const formatVersion = 1
const kindOfState = 1
const kindOfBookkeeping = 0

export const snapshotName = ({ index, term }: SnapshotMeta): string => `${index.toString(16).padStart(12, '0')}-${term.toString(16)}.snapshot`
const manifestName = (meta: SnapshotMeta): string => `${snapshotName(meta)}.manifest`

/** Writes the state as it is pulled. The name appears when all of it is durable. */
export async function writeSnapshot (disk: Disk, folder: string, meta: SnapshotMeta, kept: Loaded, state: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Manifest> {
  const path = `${folder}/${snapshotName(meta)}`
  const temporary = `${path}.making`
  await disk.remove(temporary)
  const hash = createHash('sha256')
  let at = 0
  {
    using file = await disk.open(temporary, 'create')
    for await (const payload of payloads(kept, state)) {
      signal.throwIfAborted()
      const chunk = Buffer.allocUnsafe(chunkHeaderBytes + payload.length)
      chunk.writeUInt32LE(payload.length, 0)
      chunk.writeUInt32LE(crc32c(payload), 4)
      chunk.set(payload, chunkHeaderBytes)
      hash.update(chunk)
      await file.write(chunk, at)
      at += chunk.length
      await new Promise(resolve => setImmediate(resolve)) // proposals, votes and heartbeats in between
    }
    await file.sync()
  }
  const manifest = { meta, bytes: at, sha256: hash.digest('hex') }
  await publish(disk, folder, temporary, manifest)
  return manifest
}

export async function listSnapshots (disk: Disk, folder: string): Promise<readonly Manifest[]> {
  const found: Manifest[] = []
  for (const name of await disk.list(folder)) {
    if (!name.endsWith('.manifest')) continue
    const manifest = decodeManifest((await disk.readFile(`${folder}/${name}`))!)
    if (manifest !== undefined) found.push(manifest)
  }
  return found.sort((a, b) => a.meta.index - b.meta.index)
}

/** The file, from a byte that starts a chunk, in pieces of about a chunk: what is sent to another peer. */
export async function * readSnapshotFile (disk: Disk, folder: string, { meta, bytes }: Manifest, from: number): AsyncGenerator<Uint8Array, void, undefined> {
  using file = await disk.open(`${folder}/${snapshotName(meta)}`, 'read')
  for (let at = from; at < bytes; at += chunkBytes) {
    yield file.read(at, Math.min(chunkBytes, bytes - at))
  }
}

/** @throws Error naming the file and the byte when a chunk is not what was written */
export async function openSnapshot (disk: Disk, folder: string, { meta, bytes }: Manifest): Promise<{ kept: Loaded, state: AsyncIterable<Uint8Array> }> {
  const path = `${folder}/${snapshotName(meta)}`
  const file = await disk.open(path, 'read')
  const bookkeeping: Uint8Array[] = []
  let at = 0
  let next = readChunk(file, path, at)
  for (; next !== undefined && next.kind === kindOfBookkeeping; next = readChunk(file, path, at)) {
    bookkeeping.push(next.payload)
    at = next.end
  }
  return { kept: decodeKept(Buffer.concat(bookkeeping)), state: rest() }

  async function * rest (): AsyncGenerator<Uint8Array, void, undefined> {
    using _file = file
    for (let chunk = readChunk(file, path, at); chunk !== undefined; chunk = readChunk(file, path, at)) {
      at = chunk.end
      yield chunk.payload
    }
    if (at !== bytes) throw new Error(`${path} ends at byte ${at}, not ${bytes}`)
  }
}

/** @throws Error naming the file when it is not, byte for byte, what the manifest says */
export async function checkSnapshot (disk: Disk, folder: string, manifest: Manifest): Promise<void> {
  const { state } = await openSnapshot(disk, folder, manifest)
  for await (const _chunk of state) { /* each is checked as it is read */ }
  const path = `${folder}/${snapshotName(manifest.meta)}`
  if (await sha256Of(disk, path) !== manifest.sha256) throw new Error(`${path} is not what its manifest says`)
}

export async function removeSnapshot (disk: Disk, folder: string, { meta }: Manifest): Promise<void> {
  await disk.remove(`${folder}/${manifestName(meta)}`)
  await disk.syncFolder(folder) // first the manifest: half a snapshot must not look like one
  await disk.remove(`${folder}/${snapshotName(meta)}`)
}

/** Takes in a snapshot from another peer, from where an earlier attempt stopped. */
export interface IncomingSnapshot {
  /** Good so far: the sender goes on from here. */
  readonly have: number
  /** @throws Error when the whole is not what the manifest says; what was taken in is dropped then */
  receive (pieces: AsyncIterable<Uint8Array>): Promise<void>
}

export async function openIncoming (disk: Disk, folder: string, manifest: Manifest): Promise<IncomingSnapshot> {
  const path = `${folder}/${snapshotName(manifest.meta)}.${manifest.sha256.slice(0, 16)}.part`
  const there = (await disk.list(folder)).includes(path.slice(folder.length + 1))
  const have = there ? await goodBytes(disk, path, manifest.bytes) : 0
  return {
    have,
    async receive (pieces) {
      {
        using file = await disk.open(path, there ? 'read-write' : 'create')
        let at = have
        for await (const piece of pieces) {
          if (at + piece.length > manifest.bytes) throw new Error('the snapshot is longer than announced')
          await file.write(piece, at)
          at += piece.length
        }
        await file.sync()
        if (at !== manifest.bytes) throw new Error(`the snapshot was cut off at byte ${at} of ${manifest.bytes}`)
      }
      if (await sha256Of(disk, path) !== manifest.sha256) {
        await disk.remove(path)
        throw new Error('the snapshot that arrived is not the one that was sent')
      }
      await publish(disk, folder, path, manifest)
    }
  }
}

async function publish (disk: Disk, folder: string, temporary: string, manifest: Manifest): Promise<void> {
  await disk.rename(temporary, `${folder}/${snapshotName(manifest.meta)}`)
  await disk.syncFolder(folder)
  await replaceFile(disk, folder, manifestName(manifest.meta), encodeManifest(manifest))
}

async function * payloads (kept: Loaded, state: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield * pieces(kindOfBookkeeping, encodeKept(kept))
  for await (const bytes of state) yield * pieces(kindOfState, bytes)
}

function * pieces (kind: number, bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes)
    const payload = Buffer.allocUnsafe(part.length + 1)
    payload[0] = kind
    payload.set(part, 1)
    yield payload
  }
}

function readChunk (file: DiskFile, path: string, at: number): { readonly kind: number, readonly payload: Uint8Array, readonly end: number } | undefined {
  if (at >= file.size) return undefined
  const header = file.read(at, chunkHeaderBytes)
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const length = header.length === chunkHeaderBytes ? view.getUint32(0, true) : 0
  const payload = length > 0 && length <= chunkBytes + 1 ? file.read(at + chunkHeaderBytes, length) : new Uint8Array(0)
  if (length === 0 || payload.length !== length || crc32c(payload) !== view.getUint32(4, true)) {
    throw new Error(`${path} is damaged at byte ${at}`)
  }
  return { kind: payload[0]!, payload: payload.subarray(1), end: at + chunkHeaderBytes + length }
}

/** How much of a part file is whole chunks: the rest was cut off, or never reached the disk. */
async function goodBytes (disk: Disk, path: string, max: number): Promise<number> {
  using file = await disk.open(path, 'read')
  let at = 0
  try {
    for (let chunk = readChunk(file, path, at); chunk !== undefined && chunk.end <= max; chunk = readChunk(file, path, at)) at = chunk.end
  } catch { /* where it is not good any more is where to go on */ }
  return at
}

async function sha256Of (disk: Disk, path: string): Promise<string> {
  using file = await disk.open(path, 'read')
  const hash = createHash('sha256')
  for (let at = 0; at < file.size; at += chunkBytes) {
    hash.update(file.read(at, chunkBytes))
    await new Promise(resolve => setImmediate(resolve))
  }
  return hash.digest('hex')
}

export function encodeManifest ({ meta, bytes, sha256 }: Manifest): Uint8Array {
  const to = new ByteWriter().u8(formatVersion)
  writeSnapshotMeta(to, meta)
  to.varint(bytes).text(sha256)
  return to.u32(crc32c(to.done())).done()
}

export function decodeManifest (encoded: Uint8Array): Manifest | undefined {
  if (encoded.length < 5) return undefined
  const body = encoded.subarray(0, -4)
  if (new ByteReader(encoded, encoded.length - 4).u32() !== crc32c(body)) return undefined
  const from = new ByteReader(body)
  const version = from.u8()
  if (version !== formatVersion) throw new MalformedError(`a snapshot of format ${version}, written by a newer version of this program`)
  return { meta: readSnapshotMeta(from), bytes: from.varint(), sha256: from.text() }
}

function encodeKept ({ head, sessions }: Loaded): Uint8Array {
  const rows = [...sessions]
  const to = new ByteWriter().bytes(head).varint(rows.length)
  for (const [id, row] of rows) to.varint(id).bytes(row)
  return to.done()
}

function decodeKept (bytes: Uint8Array): Loaded {
  const from = new ByteReader(bytes)
  const head = from.bytes()
  const count = from.varint()
  return { head, sessions: Array.from({ length: count }, () => [from.varint(), from.bytes()] as const) }
}
