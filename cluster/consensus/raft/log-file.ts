/**
 * The log's segments as they are written: preallocated files, so that a sync has no metadata to write (half the time of a
 * growing file, measured), one group of records and one sync at a time. The next segment is filled with zeroes while the
 * current one is in use.
 */
import type { Disk, DiskFile } from './disk.ts'
import { encodeSegmentHead, encodeSyncMark, segmentName, syncMarkName, syncMarkSlot } from './log-replay.ts'
import type { ReplayedLog, SegmentHead, SegmentInfo } from './log-replay.ts'
import { headerBytes, readRecord, recordBytes, writeRecord } from './log-record.ts'
import type { LogRecord, RecordKind } from './log-record.ts'
import type { RecordPlace } from './log-tail.ts'

export interface GroupPart { readonly kind: RecordKind, readonly payload: Uint8Array }

export interface LogFile extends AsyncDisposable {
  readonly segments: readonly SegmentInfo[]
  /** Puts the records behind one another, into a new segment if they do not fit. Returns where each lies. Not synced. */
  write (parts: readonly GroupPart[], head: () => SegmentHead, hasTime: boolean): Promise<readonly RecordPlace[]>
  sync (): Promise<void>
  read (place: RecordPlace): LogRecord
  /** Deletes the segments before this one. */
  dropBefore (sequence: number): Promise<void>
}

const zeroes = new Uint8Array(1_024 * 1_024)
/** Of one or a few entries: the peer is not busy. */
const littleBytes = 4_096
const nextName = 'next.tmp'

export async function createFirstSegment (disk: Disk, folder: string, segmentBytes: number, head: SegmentHead): Promise<void> {
  await makeSegment(disk, folder, 1, segmentBytes, head)
}

/** Goes on where the replayed log ends. What was torn there is erased first: its remains must never look like a record. */
export async function openLogFile (disk: Disk, folder: string, { segments, end }: Pick<ReplayedLog, 'segments' | 'end'>, segmentBytes: number): Promise<LogFile> {
  await disk.remove(`${folder}/${nextName}`) // it may hold the head of a segment that never got its name
  const mark = await openSyncMark(disk, folder)
  const open = new Map<number, DiskFile>()
  for (const { sequence, path } of segments) open.set(sequence, await disk.open(path, 'read-write'))
  let all = [...segments]
  let current = all.at(-1)!
  let file = open.get(current.sequence)!
  let end_ = end.at
  let syncedTo = end.at
  let markTurn = 0
  /** Of the next segment: begun once, and again if it failed. */
  let preparing: Promise<void> | undefined
  if (end.tail === 'torn') await erase(file, end.at)

  async function roll (needed: number, head: SegmentHead): Promise<void> {
    await preparing
    preparing = undefined
    if (end_ > syncedTo) await file.sync() // a segment that has a successor is whole
    const sequence = current.sequence + 1
    const bytes = Math.max(segmentBytes, needed + recordBytes(encodeSegmentHead(head).length))
    current = await makeSegment(disk, folder, sequence, bytes, head)
    file = await disk.open(current.path, 'read-write')
    open.set(sequence, file)
    all = [...all, current]
    end_ = syncedTo = recordBytes(encodeSegmentHead(head).length)
  }

  return {
    get segments () { return all },
    async write (parts, head, hasTime) {
      const needed = parts.reduce((sum, { payload }) => sum + recordBytes(payload.length), 0)
      if (end_ + needed > current.bytes) await roll(needed, head())
      const group = Buffer.allocUnsafe(needed)
      const places: RecordPlace[] = []
      let offset = 0
      for (const { kind, payload } of parts) {
        places.push({ segment: current.sequence, at: end_ + offset })
        offset += writeRecord(group, offset, { segment: current.sequence, at: end_ + offset, groupStart: syncedTo }, kind, payload)
      }
      await file.write(group, end_, hasTime)
      end_ += needed
      if (end_ > current.bytes / 2 && preparing === undefined) {
        preparing = prepareNext(disk, folder, segmentBytes).catch(() => { preparing = undefined })
      }
      return places
    },
    async sync () {
      const upTo = end_
      await file.sync(upTo - syncedTo <= littleBytes)
      syncedTo = upTo
      await mark.write(encodeSyncMark({ sequence: current.sequence, at: upTo }), syncMarkSlot(markTurn++))
    },
    read ({ segment, at }) {
      const from = open.get(segment)!
      const header = from.read(at, headerBytes)
      const length = new DataView(header.buffer, header.byteOffset).getUint32(4, true)
      const record = readRecord(from.read(at, recordBytes(length)), segment, 0, at)
      if (record === undefined) throw new Error(`${folder}/${segmentName(segment)}, byte ${at}: the record can no longer be read`)
      return record
    },
    async dropBefore (sequence) {
      const dropped = all.filter(info => info.sequence < sequence)
      if (dropped.length === 0) return
      all = all.filter(info => info.sequence >= sequence)
      // In order, oldest first: a crash in between leaves no hole.
      for (const { sequence, path } of dropped) {
        open.get(sequence)?.[Symbol.dispose]()
        open.delete(sequence)
        await disk.remove(path)
        await disk.syncFolder(folder)
      }
    },
    async [Symbol.asyncDispose] () {
      await preparing
      for (const file of open.values()) file[Symbol.dispose]()
      mark[Symbol.dispose]()
    }
  }
}

/** It gets its name once its zeroes and its head are durable. */
async function makeSegment (disk: Disk, folder: string, sequence: number, bytes: number, head: SegmentHead): Promise<SegmentInfo> {
  const temporary = `${folder}/${nextName}`
  const path = `${folder}/${segmentName(sequence)}`
  const payload = encodeSegmentHead(head)
  const record = Buffer.alloc(recordBytes(payload.length))
  writeRecord(record, 0, { segment: sequence, at: 0, groupStart: 0 }, 'segment', payload)
  await prepareNext(disk, folder, bytes)
  try {
    using file = await disk.open(temporary, 'read-write')
    await file.write(record, 0)
    await file.sync()
  } catch (err) {
    await disk.remove(temporary) // half a head in it must not be taken for zeroes by the next try
    throw err
  }
  await disk.rename(temporary, path)
  await disk.syncFolder(folder)
  return { sequence, path, bytes }
}

/** Leaves `next.tmp` with at least `bytes` zeroes, all allocated and synced. */
async function prepareNext (disk: Disk, folder: string, bytes: number): Promise<void> {
  const path = `${folder}/${nextName}`
  if ((await disk.list(folder)).includes(nextName)) {
    using made = await disk.open(path, 'read')
    if (made.size === bytes) return
    await disk.remove(path)
  }
  const staging = `${path}.new`
  await disk.remove(staging)
  {
    using file = await disk.open(staging, 'create')
    for (let at = 0; at < bytes; at += zeroes.length) await file.write(zeroes.subarray(0, Math.min(zeroes.length, bytes - at)), at)
    await file.sync()
  }
  await disk.rename(staging, path)
}

async function erase (file: DiskFile, from: number): Promise<void> {
  for (let at = from; at < file.size; at += zeroes.length) await file.write(zeroes.subarray(0, Math.min(zeroes.length, file.size - at)), at)
  await file.sync()
}

async function openSyncMark (disk: Disk, folder: string): Promise<DiskFile> {
  const path = `${folder}/${syncMarkName}`
  const there = (await disk.list(folder)).includes(syncMarkName)
  return await disk.open(path, there ? 'read-write' : 'create')
}
