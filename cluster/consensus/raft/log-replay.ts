/** Reads the log's files into what they say, and refuses what cannot be true (`reference`: rules D14, torn tail). */
import { ByteReader, ByteWriter } from './bytes.ts'
import { crc32c } from './crc32c.ts'
import type { Disk } from './disk.ts'
import { readEntries, readHardState, readSnapshotMeta, writeHardState, writeSnapshotMeta } from './entry-codec.ts'
import { scanSegment } from './log-record.ts'
import type { LogRecord, Scan } from './log-record.ts'
import { LogTail } from './log-tail.ts'
import type { RecordPlace } from './log-tail.ts'
import { LogDamagedError } from './storage.ts'
import type { TornEnd } from './storage.ts'
import type { Entry, HardState, Index, SnapshotMeta, Term } from './core/types.ts'

export function encodeBase (meta: SnapshotMeta, keepsSuffix: boolean): Uint8Array {
  const to = new ByteWriter().u8(keepsSuffix ? 1 : 0)
  writeSnapshotMeta(to, meta)
  return to.done()
}

/** What a segment starts with, so that those before it can be deleted. */
export interface SegmentHead { readonly hard: HardState, readonly base: SnapshotMeta, readonly lastIndex: Index, readonly lastTerm: Term }

export interface SegmentInfo { readonly sequence: number, readonly path: string, readonly bytes: number }

export interface ReplayedLog {
  readonly hard: HardState
  readonly base: SnapshotMeta
  readonly tail: LogTail
  readonly segments: readonly SegmentInfo[]
  /** Where writing goes on. `torn`: what lies there must be erased first. */
  readonly end: { readonly at: number, readonly tail: Scan['tail'] }
  /** Of a torn tail. */
  readonly torn: TornEnd | undefined
}

const formatVersion = 1
export const emptyHardState: HardState = { term: 0, vote: 0, commit: 0 }
export const emptyBase: SnapshotMeta = {
  index: 0, term: 0, confState: { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
}

export const segmentName = (sequence: number): string => `${sequence.toString(16).padStart(8, '0')}.log`

export function encodeSegmentHead (head: SegmentHead): Uint8Array {
  const to = new ByteWriter().u8(formatVersion)
  writeHardState(to, head.hard)
  writeSnapshotMeta(to, head.base)
  return to.varint(head.lastIndex).varint(head.lastTerm).done()
}

export function encodeAppend (hard: HardState | undefined, entries: Uint8Array): Uint8Array {
  const to = new ByteWriter(entries.length + 64).u8(hard === undefined ? 0 : 1)
  if (hard !== undefined) writeHardState(to, hard)
  return to.raw(entries).done()
}

export function decodeAppend (payload: Uint8Array): { readonly hard: HardState | undefined, readonly entries: readonly Entry[] } {
  const from = new ByteReader(payload)
  const hard = from.u8() === 1 ? readHardState(from) : undefined
  return { hard, entries: readEntries(from) }
}

export async function replayLog (disk: Disk, folder: string, heldBytesMax: number, load: (index: Index, place: RecordPlace) => Entry): Promise<ReplayedLog | undefined> {
  const names = (await disk.list(folder)).filter(name => /^[0-9a-f]{8}\.log$/.test(name))
  if (names.length === 0) return undefined
  const mark = await readSyncMark(disk, folder)
  const replay = new Replay(heldBytesMax, load)
  const segments: SegmentInfo[] = []
  let end: ReplayedLog['end'] = { at: 0, tail: 'clean' }
  let torn: TornEnd | undefined

  for (const [place, name] of names.entries()) {
    const sequence = Number.parseInt(name, 16)
    const path = `${folder}/${name}`
    const before = segments.at(-1)
    if (before !== undefined && sequence !== before.sequence + 1) throw new LogDamagedError(path, 0, replay.nextIndex, `the segment before it is missing (${segmentName(sequence - 1)})`)
    using file = await disk.open(path, 'read')
    const scan = scanSegment(file.read(0, file.size), sequence, mark?.sequence === sequence ? mark.at : 0)
    const isLast = place === names.length - 1
    replay.segment(path, sequence, scan)
    if (scan.tail === 'damaged' || (!isLast && scan.tail === 'torn')) {
      throw new LogDamagedError(path, scan.end, replay.nextIndex, 'bytes that had been written safely are no longer what was written')
    }
    if (isLast && mark !== undefined && mark.sequence > sequence) {
      throw new LogDamagedError(`${folder}/${segmentName(mark.sequence)}`, 0, replay.nextIndex, 'the file is missing')
    }
    segments.push({ sequence, path, bytes: file.size })
    end = { at: scan.end, tail: scan.tail }
    if (scan.tail === 'torn') torn = { file: path, byte: scan.end, index: replay.nextIndex, survivors: scan.survivors }
  }
  return { ...replay.finished(segments.at(-1)!.path, end.at), segments, end, torn }
}

class Replay {
  readonly #heldBytesMax: number
  readonly #load: (index: Index, place: RecordPlace) => Entry
  #hard = emptyHardState
  #base = emptyBase
  #tail: LogTail | undefined

  constructor (heldBytesMax: number, load: (index: Index, place: RecordPlace) => Entry) {
    this.#heldBytesMax = heldBytesMax
    this.#load = load
  }

  get nextIndex (): Index { return (this.#tail?.lastIndex ?? 0) + 1 }

  segment (path: string, sequence: number, scan: Scan): void {
    const [head, ...records] = scan.records
    // A segment gets its name once its head is durable.
    if (head === undefined) throw new LogDamagedError(path, 0, this.nextIndex, 'the file has no beginning')
    this.#head(path, head)
    for (const record of records) this.#record(path, sequence, record)
  }

  finished (path: string, at: number): Pick<ReplayedLog, 'hard' | 'base' | 'tail'> {
    const tail = this.#tail
    if (tail === undefined) throw new LogDamagedError(path, at, 1, 'nothing in it can be read')
    if (tail.firstIndex !== this.#base.index + 1) throw new LogDamagedError(path, at, this.#base.index + 1, `the entries before ${tail.firstIndex} are missing`)
    if (this.#hard.commit > tail.lastIndex) throw new LogDamagedError(path, at, tail.lastIndex + 1, `it ends before the entry ${this.#hard.commit}, which is known to be committed`)
    const lastTerm = tail.term(tail.lastIndex)
    if (typeof lastTerm === 'number' && this.#hard.term < lastTerm) throw new LogDamagedError(path, at, tail.lastIndex, `its term ${lastTerm} is newer than the peer's own, ${this.#hard.term}`)
    return { hard: this.#hard, base: this.#base, tail }
  }

  #head (path: string, record: LogRecord): void {
    if (record.kind !== 'segment') throw new LogDamagedError(path, record.at, this.nextIndex, 'the file begins with something else than its head')
    const from = new ByteReader(record.payload)
    const version = from.u8()
    if (version !== formatVersion) throw new Error(`${path} was written by a newer version of this program (format ${version})`)
    const head: SegmentHead = { hard: readHardState(from), base: readSnapshotMeta(from), lastIndex: from.varint(), lastTerm: from.varint() }
    if (this.#tail === undefined) {
      this.#hard = head.hard
      this.#base = head.base
      // What lies between the base and here was in segments that are gone; a later base must cover it.
      this.#tail = new LogTail({ index: head.lastIndex, term: head.lastTerm }, this.#heldBytesMax, this.#load)
    } else if (this.#tail.lastIndex !== head.lastIndex) {
      throw new LogDamagedError(path, record.at, this.nextIndex, `it continues a log that ended at ${head.lastIndex}, but the file before ends at ${this.#tail.lastIndex}`)
    }
  }

  #record (path: string, sequence: number, record: LogRecord): void {
    const tail = this.#tail!
    if (record.kind === 'base') {
      const from = new ByteReader(record.payload)
      const keepsSuffix = from.u8() === 1
      this.#base = readSnapshotMeta(from)
      if (keepsSuffix) tail.setBase(this.#base)
      else this.#tail = new LogTail(this.#base, this.#heldBytesMax, this.#load)
      if (this.#hard.commit < this.#base.index) this.#hard = { ...this.#hard, commit: this.#base.index }
      return
    }
    if (record.kind !== 'append') throw new LogDamagedError(path, record.at, this.nextIndex, 'a second head')
    const { hard, entries } = decodeAppend(record.payload)
    if (hard !== undefined) {
      if (hard.term < this.#hard.term) throw new LogDamagedError(path, record.at, this.nextIndex, `the term went back from ${this.#hard.term} to ${hard.term}`)
      this.#hard = hard
    }
    const first = entries[0]
    if (first === undefined) return
    if (first.index > tail.lastIndex + 1) throw new LogDamagedError(path, record.at, this.nextIndex, `the entries ${this.nextIndex} to ${first.index - 1} are missing`)
    if (first.index < tail.firstIndex) {
      // It overwrites what was in a segment that is gone: from here on the log is what follows.
      this.#tail = new LogTail({ index: first.index - 1, term: 0 }, this.#heldBytesMax, this.#load)
    }
    this.#tail!.append(entries, { segment: sequence, at: record.at })
  }
}

/**
 * How far the last finished sync had got, written after it and never synced itself: so it never claims too much. It is
 * what tells a rotten last group, which was acknowledged, from one that was cut off while being written.
 */
export interface SyncMark { readonly sequence: number, readonly at: number }
export const syncMarkName = 'synced'
const slotBytes = 512

export function encodeSyncMark ({ sequence, at }: SyncMark): Uint8Array {
  const to = new ByteWriter(16).u32(sequence).u32(at)
  return to.u32(crc32c(to.done())).done()
}

/** Two slots take turns, so that one is whole when the other was being written. */
export const syncMarkSlot = (turn: number): number => turn % 2 * slotBytes

async function readSyncMark (disk: Disk, folder: string): Promise<SyncMark | undefined> {
  const bytes = await disk.readFile(`${folder}/${syncMarkName}`)
  if (bytes === undefined) return undefined
  const marks = [0, slotBytes].flatMap(at => {
    if (bytes.length < at + 12) return []
    const from = new ByteReader(bytes.subarray(at, at + 12))
    const mark = { sequence: from.u32(), at: from.u32() }
    return from.u32() === crc32c(bytes.subarray(at, at + 8)) ? [mark] : []
  })
  return marks.sort((a, b) => a.sequence - b.sequence || a.at - b.at).at(-1)
}
