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
import { readIdentity, writeIdentity } from './identity-file.ts'
import { createFirstSegment, openLogFile } from './log-file.ts'
import type { GroupPart, LogFile } from './log-file.ts'
import { decodeAppend, emptyBase, emptyHardState, encodeAppend, encodeBase, replayLog } from './log-replay.ts'
import type { ReplayedLog } from './log-replay.ts'
import type { LogTail, RecordPlace } from './log-tail.ts'
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
  readonly mustSync: boolean
  readonly durable: (place: RecordPlace) => void
  readonly done: PromiseWithResolvers<void>
}

const groupBytesMax = 8 * 1_024 * 1_024

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

/** A folder becomes somebody's with its identity, the last step; whatever an interrupted attempt left is made again. */
async function prepareNewFolder ({ disk, folder }: LogStorageOptions, segmentBytes: number, load: (index: Index, place: RecordPlace) => Entry, heldBytesMax: number): Promise<void> {
  const leftover = await replayLog(disk, folder, heldBytesMax, load)
  if (leftover === undefined) {
    await createFirstSegment(disk, folder, segmentBytes, { hard: emptyHardState, base: emptyBase, lastIndex: 0, lastTerm: 0 })
  } else if (leftover.hard.term > 0 || leftover.tail.lastIndex > 0) {
    throw new LogDamagedError(folder, 0, leftover.tail.lastIndex, 'there is a log, but the file `identity` that says whose it is has gone')
  }
}

class LogStorage implements RaftStorage {
  readonly #options: LogStorageOptions
  readonly #file: LogFile
  readonly #owned: AsyncDisposable
  readonly #tail: LogTail
  #identity: Identity
  #hard: ReplayedLog['hard']
  #base: SnapshotMeta
  #snapshot: Snapshot | 'pending' = 'pending'
  #hint: ReplayedLog['hard'] | undefined
  #queue: Waiting[] = []
  #writing: Promise<void> | undefined
  #failed: StorageFailedError | undefined
  #closed = false
  #syncs = 0
  #lastSyncMs = 0
  #wakeForSpace: (() => void) | undefined

  constructor (options: LogStorageOptions, identity: Identity, replayed: ReplayedLog, file: LogFile, owned: AsyncDisposable) {
    this.#options = options
    this.#identity = identity
    this.#file = file
    this.#owned = owned
    this.#tail = replayed.tail
    this.#hard = replayed.hard
    this.#base = replayed.base
  }

  get identity (): Identity { return this.#identity }
  get base (): SnapshotMeta { return this.#base }

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
      return this.#enqueue(undefined, false, () => {})
    }
    const to = new ByteWriter(64 + entries.reduce((sum, entry) => sum + entry.data.length + 24, 0))
    writeEntries(to, entries)
    const written = hard ?? this.#hint
    this.#hint = undefined
    return this.#enqueue({ kind: 'append', payload: encodeAppend(written, to.done()) }, mustSync, place => {
      this.#tail.append(entries, place)
      if (written !== undefined) this.#hard = written
    })
  }

  async setBase (meta: SnapshotMeta): Promise<void> {
    if (meta.index < this.#base.index) return
    // What follows may only be judged once everything queued before it is in the log.
    await this.#drained()
    const keepsSuffix = this.#tail.holds(meta)
    await this.#enqueue({ kind: 'base', payload: encodeBase(meta, keepsSuffix) }, true, () => {
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
      syncs: this.#syncs,
      lastSyncMs: this.#lastSyncMs,
      waitingForSpace: this.#wakeForSpace !== undefined
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#hint !== undefined && this.#failed === undefined) await this.append({ hard: this.#hint, entries: [], mustSync: true }).catch(() => {})
    this.#closed = true
    this.#wakeForSpace?.()
    await this.#writing
    await this.#owned[Symbol.asyncDispose]()
  }

  #enqueue (part: GroupPart | undefined, mustSync: boolean, durable: (place: RecordPlace) => void): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (this.#closed) return Promise.reject(new StorageFailedError('the log is closed'))
    const done = Promise.withResolvers<void>()
    if (part === undefined && this.#writing === undefined) return Promise.resolve()
    this.#queue.push({ part, mustSync, durable, done })
    this.#writing ??= this.#writeAll()
    return done.promise
  }

  async #drained (): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async #writeAll (): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup()
      try {
        const places = await this.#writeGroup(group)
        let next = 0
        for (const { part, durable, done } of group) {
          if (part !== undefined) durable(places[next++]!)
          done.resolve()
        }
      } catch (cause) {
        this.#failed = new StorageFailedError(`the raft log cannot be written any more: ${(cause as Error).message}`, { cause })
        for (const { done } of [...group, ...this.#queue.splice(0)]) done.reject(this.#failed)
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
    const places = await this.#whenThereIsRoom(() => this.#file.write(parts, () => this.#head()))
    if (!group.some(({ mustSync }) => mustSync)) return places
    const begunMs = performance.now()
    await this.#file.sync()
    this.#lastSyncMs = performance.now() - begunMs
    this.#syncs++
    return places
  }

  /** Only a write may be repeated: it goes to the same place with the same bytes. */
  async #whenThereIsRoom<T> (write: () => Promise<T>): Promise<T> {
    while (true) {
      try {
        return await write()
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code !== 'ENOSPC' || this.#closed) throw err
        const retry = Promise.withResolvers<void>()
        this.#wakeForSpace = retry.resolve
        using _timer = this.#options.clock.after(this.#options.fullDiskRetryMs ?? 1_000, retry.resolve)
        await retry.promise
        this.#wakeForSpace = undefined
      }
    }
  }

  #head (): Parameters<typeof createFirstSegment>[3] {
    const lastTerm = this.#tail.term(this.#tail.lastIndex)
    return { hard: this.#hard, base: this.#base, lastIndex: this.#tail.lastIndex, lastTerm: typeof lastTerm === 'number' ? lastTerm : 0 }
  }
}
