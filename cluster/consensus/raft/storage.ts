/** The seam between the engine and its disk. The real one is `log-storage.ts`, its twin `memory-storage.ts`. */
import type { Entry, HardState, Index, LogReader, NodeId, Snapshot, SnapshotMeta } from './core/types.ts'
import type { HistogramStatus } from './figures.ts'

/** Who a folder belongs to. A folder that is wiped gets a new incarnation, so the old one's votes are never repeated. */
export interface Identity {
  readonly nodeId: NodeId
  /** Drawn when the folder was made. */
  readonly incarnation: number
  /** Undefined until a cluster was founded here or took this peer in. */
  readonly clusterId: string | undefined
  /** How often this folder has been opened, this time included: it can only grow, unless an old copy was put back. */
  readonly boot: number
}

export interface AppendBatch {
  readonly hard?: HardState | undefined
  /** Replace whatever the log has from the first one's index on. */
  readonly entries: readonly Entry[]
  /** False when only the commit hint changed: it may wait for the next sync. */
  readonly mustSync: boolean
}

export interface StorageStatus {
  readonly firstIndex: Index
  readonly lastIndex: Index
  readonly logBytes: number
  readonly segments: number
  readonly queuedBatches: number
  readonly syncs: number
  /** Milliseconds of the last sync. */
  readonly lastSyncMs: number
  readonly syncSeconds: HistogramStatus
  /** How many entries were written together. */
  readonly groupEntries: HistogramStatus
  /** Share of the time, from 0 to 1, in which something was being written or synced. */
  readonly busy: number
  /** The first entry of the log is at least so old; undefined when it is empty. */
  readonly oldestSeconds: number | undefined
  /** The disk is full: batches wait, nothing is acknowledged, until there is room. */
  readonly waitingForSpace: boolean
}

/** What lay at the log's end when it was opened: bytes that cannot be read. Nobody was promised them, for they were never synced. They are erased. */
export interface TornEnd {
  readonly file: string
  readonly byte: number
  /** The first entry that the log does not have. */
  readonly index: Index
  /** Records behind them that can be read, and are erased with them. */
  readonly survivors: number
}

export function tornText ({ file, byte, index, survivors }: TornEnd): string {
  const behind = survivors === 0 ? '' : `, but ${survivors} ${survivors === 1 ? 'record' : 'records'} behind it can`
  return `the end of the raft log cannot be read from entry ${index} on (${file}, byte ${byte})${behind}: it was being written when the process or the power went, or was damaged since. ` +
    'It had not been synced, so nobody was promised it; it is erased at the start. `node cluster/consensus/raft/tools/main.ts verify FOLDER` looks at a log before'
}

export interface RaftStorage extends AsyncDisposable {
  readonly identity: Identity
  /** Shows what is durable (and what waits for a sync only as a commit hint). */
  readonly log: LogReader
  /** The membership as of the base, for a state machine that starts from nothing. */
  readonly base: SnapshotMeta
  readonly torn: TornEnd | undefined
  /** In order. Resolves once durable; rejects once and for all after a failed sync: nothing may be acknowledged then. */
  append (batch: AppendBatch): Promise<void>
  /**
   * For a log whose state vouches for its entries: the core sees them at once, and they are written a little later, in order with
   * what else is appended, without a sync of their own. Resolves when they are written, rejects as `append` does. Undefined: not now,
   * because too much is owed already or something is wrong; `append` it.
   */
  appendBehind (batch: Omit<AppendBatch, 'mustSync'>): Promise<void> | undefined
  /**
   * The log begins after `meta.index`: what is before is dropped, and everything if the log does not hold that entry with
   * that term. The snapshot itself must be durable before.
   */
  setBase (meta: SnapshotMeta): Promise<void>
  /** The snapshot that `log.snapshot()` answers with. */
  announceSnapshot (snapshot: Snapshot): void
  /** Once only, by founding or joining. Durable when it resolves. */
  adoptCluster (clusterId: string): Promise<void>
  /** Only for `recover`: what stays behind must never be mistaken for the same cluster. */
  renameCluster (clusterId: string): Promise<void>
  status (): StorageStatus
}

/** A sync or a write failed. The kernel may have dropped what it could not write, so nothing later can be trusted. */
export class StorageFailedError extends Error {
  readonly code = 'ERR_RAFT_STORAGE_FAILED'
  override get name (): string { return 'StorageFailedError' }
}

/** The log was good once and is not any more. Says where, and what to run. */
export class LogDamagedError extends Error {
  readonly code = 'ERR_RAFT_LOG_DAMAGED'
  readonly file: string
  readonly position: number
  readonly index: Index

  constructor (file: string, position: number, index: Index, what: string) {
    super(`the raft log is damaged at index ${index}: ${file}, byte ${position}: ${what}. ` +
      'This peer will not start with less than it promised to keep. Look at it with `node cluster/consensus/raft/tools/main.ts verify FOLDER`; ' +
      'if the other peers are well, remove this peer from the cluster, move the folder away and let it join again')
    this.file = file
    this.position = position
    this.index = index
  }

  override get name (): string { return 'LogDamagedError' }
}
