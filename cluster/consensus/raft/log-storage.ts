/**
 * RaftStorage on log files. One lane writes: it takes everything that has queued up, writes it as one group, syncs once
 * (group commit), and only then shows it to the core and answers.
 *
 * After a failed write or sync nothing more is promised, ever (D13): the kernel may have dropped the pages and would report
 * the next sync as good. A full disk is different: nothing was written wrongly, so the group waits and is tried again.
 */
import { randomBytes, randomInt } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { ByteWriter } from './bytes.ts'
import type { Disk } from './disk.ts'
import { writeEntries } from './entry-codec.ts'
import { FullDisk } from './full-disk.ts'
import { readIdentity, writeIdentity } from './identity-file.ts'
import { openLogFile } from './log-file.ts'
import type { GroupPart, LogFile } from './log-file.ts'
import { LogFigures } from './log-figures.ts'
import { decodeAppend, encodeAppend, encodeBase, replayLog } from './log-replay.ts'
import type { ReplayedLog, SegmentHead } from './log-replay.ts'
import type { LogTail, RecordPlace } from './log-tail.ts'
import { prepareNewFolder } from './new-folder.ts'
import { LogDamagedError, StorageFailedError } from './storage.ts'
import type { AppendBatch, Identity, RaftStorage } from './storage.ts'
import type { Entry, Index, LogReader, Snapshot, SnapshotMeta } from './core/types.ts'

export interface LogStorageOptions {
  readonly folder: string
  readonly disk: Disk
  readonly clock: Clock
  /** For a new folder; drawn if not given. An old folder keeps its own. */
  readonly nodeId?: number
  readonly segmentBytes?: number
  /** Entries held in memory; older ones are read from the file when a slow follower needs them. */
  readonly heldBytesMax?: number
  readonly fullDiskRetryMs?: number
}

interface Waiting {
  /** Undefined: only waits for what is before it. */
  readonly part: GroupPart | undefined
  readonly entries: number
  readonly mustSync: boolean
  /** Nobody waits for it. */
  readonly isOwed: boolean
  readonly durable: (place: RecordPlace) => void
  readonly done: PromiseWithResolvers<void>
}

const groupBytesMax = 8 * 1_024 * 1_024
/** What may be owed to the file while the core goes on. */
const owedBytesMax = 512 * 1_024
/** So long that a busy peer has one write for many entries; what a crash loses of them is in the state. */
const owedMs = 100

/** @throws LogDamagedError rather than start with less than was acknowledged; Error when another process has the folder */
export async function openLogStorage (options: LogStorageOptions): Promise<RaftStorage> {
  const { folder, disk, segmentBytes = 16 * 1_024 * 1_024, heldBytesMax = 64 * 1_024 * 1_024 } = options
  await using opening = new AsyncDisposableStack()
  await disk.makeFolder(folder)
  opening.use(await disk.lock(folder))

  const late: { file?: LogFile } = {}
  const load = (index: Index, place: RecordPlace): Entry => {
    const found = decodeAppend(late.file!.read(place).payload).entries.find(entry => entry.index === index)
    if (found === undefined) throw new StorageFailedError(`entry ${index} is not where it was written`)
    return found
  }
  const before = await readIdentity(disk, folder)
  if (before === undefined) await prepareNewFolder(options, segmentBytes, load, heldBytesMax)
  const replayed = await replayLog(disk, folder, heldBytesMax, load)
  if (replayed === undefined) throw new LogDamagedError(folder, 0, 1, 'the folder belongs to a peer, but its log files are gone')

  const identity: Identity = before === undefined
    ? { nodeId: options.nodeId ?? randomInt(1, 2 ** 48 - 1), incarnation: randomBytes(6).readUIntBE(0, 6), clusterId: undefined, boot: 1 }
    : { ...before, boot: before.boot + 1 }
  await writeIdentity(disk, folder, identity)
  late.file = opening.use(await openLogFile(disk, folder, replayed, segmentBytes))
  return new LogStorage(options, identity, replayed, late.file, opening.move())
}

class LogStorage implements RaftStorage {
  readonly #options: LogStorageOptions
  readonly #file: LogFile
  readonly #owned: AsyncDisposable
  readonly #fullDisk: FullDisk
  readonly #tail: LogTail
  readonly #figures: LogFigures
  #identity: Identity
  #hard: ReplayedLog['hard']
  #base: SnapshotMeta
  #snapshot: Snapshot | 'pending' = 'pending'
  #hint: ReplayedLog['hard'] | undefined
  #queue: Waiting[] = []
  #owed: Disposable | undefined
  #owedBytes = 0
  /** The first entry that the core sees and the file does not have yet. */
  #owedFrom: Index | undefined
  #writing: Promise<void> | undefined
  #failed: StorageFailedError | undefined
  #closed = false

  constructor (options: LogStorageOptions, identity: Identity, replayed: ReplayedLog, file: LogFile, owned: AsyncDisposable) {
    this.#options = options
    this.#identity = identity
    this.#file = file
    this.#owned = owned
    this.#fullDisk = new FullDisk(options.clock, options.fullDiskRetryMs ?? 1_000)
    this.#tail = replayed.tail
    this.#figures = new LogFigures(replayed.tail.lastIndex)
    this.#hard = replayed.hard
    this.#base = replayed.base
    this.torn = replayed.torn
  }

  get identity (): Identity { return this.#identity }
  get base (): SnapshotMeta { return this.#base }
  readonly torn: RaftStorage['torn']

  readonly log: LogReader = {
    initialState: () => ({ hard: this.#hard, conf: this.#base.confState }),
    firstIndex: () => this.#tail.firstIndex,
    lastIndex: () => this.#tail.lastIndex,
    term: index => this.#tail.term(index),
    entries: (lo, hi, maxBytes) => this.#tail.entries(lo, hi, maxBytes),
    snapshot: () => this.#snapshot
  }

  append ({ hard, entries, mustSync }: AppendBatch): Promise<void> {
    if (entries.length === 0 && !mustSync) {
      // A commit hint goes along with the next write; by itself it is not worth one.
      this.#hint = hard ?? this.#hint
      return this.#enqueue(undefined, 0, false, () => {})
    }
    const { payload, written } = this.#encode(hard, entries)
    return this.#enqueue({ kind: 'append', payload }, entries.length, mustSync, place => {
      this.#tail.append(entries, place)
      if (written !== undefined) this.#hard = written
    })
  }

  appendBehind ({ hard, entries }: Omit<AppendBatch, 'mustSync'>): Promise<void> | undefined {
    if (this.#failed !== undefined || this.#closed || this.#owedBytes > owedBytesMax) return undefined
    const first = entries[0]
    if (first === undefined) {
      this.#hint = hard ?? this.#hint
      return Promise.resolve()
    }
    if (first.index !== this.#tail.lastIndex + 1) return undefined
    const place = { segment: 0, at: 0 }
    this.#tail.append(entries, place)
    const next = this.#tail.lastIndex + 1
    this.#owedFrom ??= first.index
    const { payload, written } = this.#encode(hard, entries)
    this.#owedBytes += payload.length
    const done = Promise.withResolvers<void>()
    this.#queue.push({
      part: { kind: 'append', payload },
      entries: entries.length,
      mustSync: false,
      isOwed: true,
      durable: at => {
        Object.assign(place, at)
        this.#owedBytes -= payload.length
        this.#owedFrom = next > this.#tail.lastIndex ? undefined : next
        if (written !== undefined) this.#hard = written
      },
      done
    })
    if (this.#owedBytes > owedBytesMax / 2) this.#write()
    else if (this.#writing === undefined) this.#owed ??= this.#options.clock.after(owedMs, () => { this.#write() })
    return done.promise
  }

  #encode (hard: AppendBatch['hard'], entries: readonly Entry[]): { readonly payload: Uint8Array, readonly written: AppendBatch['hard'] } {
    const to = new ByteWriter(64 + entries.reduce((sum, entry) => sum + entry.data.length + 24, 0))
    writeEntries(to, entries)
    const written = hard ?? this.#hint
    this.#hint = undefined
    return { payload: encodeAppend(written, to.done()), written }
  }

  async setBase (meta: SnapshotMeta): Promise<void> {
    if (meta.index < this.#base.index) return
    // What follows may only be judged once everything queued before it is in the log.
    await this.#drained()
    const keepsSuffix = this.#tail.holds(meta)
    await this.#enqueue({ kind: 'base', payload: encodeBase(meta, keepsSuffix) }, 0, true, () => {
      if (keepsSuffix) this.#tail.setBase(meta)
      else this.#tail.reset(meta)
      this.#base = meta
      if (this.#hard.commit < meta.index) this.#hard = { ...this.#hard, commit: meta.index }
    })
    await this.#file.dropBefore(this.#tail.oldestSegment ?? this.#file.segments.at(-1)!.sequence)
  }

  announceSnapshot (snapshot: Snapshot): void { this.#snapshot = snapshot }

  async renameCluster (clusterId: string): Promise<void> {
    const renamed = { ...this.#identity, clusterId }
    await writeIdentity(this.#options.disk, this.#options.folder, renamed)
    this.#identity = renamed
  }

  async adoptCluster (clusterId: string): Promise<void> {
    if (this.#identity.clusterId === clusterId) return
    if (this.#identity.clusterId !== undefined) throw new Error(`this folder belongs to cluster ${this.#identity.clusterId}, not to ${clusterId}`)
    await this.renameCluster(clusterId)
  }

  status (): ReturnType<RaftStorage['status']> {
    return {
      firstIndex: this.#tail.firstIndex,
      lastIndex: this.#tail.lastIndex,
      logBytes: this.#file.segments.reduce((sum, { bytes }) => sum + bytes, 0),
      segments: this.#file.segments.length,
      queuedBatches: this.#queue.length,
      ...this.#figures.status(this.#tail.firstIndex, this.#tail.lastIndex),
      waitingForSpace: this.#fullDisk.isWaiting
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#hint !== undefined && this.#failed === undefined) await this.append({ hard: this.#hint, entries: [], mustSync: true }).catch(() => {})
    this.#closed = true
    this.#write()
    this.#fullDisk.close()
    await this.#writing
    await this.#owned[Symbol.asyncDispose]()
  }

  #enqueue (part: GroupPart | undefined, entries: number, mustSync: boolean, durable: (place: RecordPlace) => void): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (this.#closed) return Promise.reject(new StorageFailedError('the log is closed'))
    const done = Promise.withResolvers<void>()
    if (part === undefined && this.#writing === undefined) return Promise.resolve()
    this.#queue.push({ part, entries, mustSync, isOwed: false, durable, done })
    this.#write()
    return done.promise
  }

  #write (): void {
    this.#owed?.[Symbol.dispose]()
    this.#owed = undefined
    if (this.#queue.length > 0) this.#writing ??= this.#writeAll()
  }

  async #drained (): Promise<void> {
    this.#write()
    while (this.#writing !== undefined) await this.#writing
  }

  async #writeAll (): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup()
      try {
        this.#figures.begin()
        const places = await this.#writeGroup(group)
        let next = 0
        let count = 0
        for (const { part, entries, durable, done } of group) {
          if (part !== undefined) durable(places[next++]!)
          count += entries
          done.resolve()
        }
        this.#figures.written(count, this.#tail.lastIndex)
      } catch (cause) {
        this.#failed = new StorageFailedError(`the raft log cannot be written any more: ${(cause as Error).message}`, { cause })
        for (const { done } of [...group, ...this.#queue.splice(0)]) done.reject(this.#failed)
      } finally {
        this.#figures.end()
      }
    }
    this.#writing = undefined // in the same breath as the check above: whatever is queued next starts a new round
  }

  #takeGroup (): Waiting[] {
    let bytes = 0
    const count = this.#queue.findIndex(({ part }) => (bytes += part?.payload.length ?? 0) > groupBytesMax)
    return this.#queue.splice(0, count === -1 ? this.#queue.length : Math.max(1, count))
  }

  async #writeGroup (group: readonly Waiting[]): Promise<readonly RecordPlace[]> {
    const parts = group.flatMap(({ part }) => part ?? [])
    if (parts.length === 0) return []
    const places = await this.#fullDisk.whenThereIsRoom(() => this.#file.write(parts, () => this.#head(), group.every(({ isOwed }) => isOwed)))
    if (!group.some(({ mustSync }) => mustSync)) return places
    const begunMs = performance.now()
    await this.#file.sync()
    this.#figures.synced(performance.now() - begunMs)
    return places
  }

  #head (): SegmentHead {
    const lastIndex = this.#owedFrom === undefined ? this.#tail.lastIndex : this.#owedFrom - 1
    const lastTerm = this.#tail.term(lastIndex)
    return { hard: this.#hard, base: this.#base, lastIndex, lastTerm: typeof lastTerm === 'number' ? lastTerm : 0 }
  }
}
