import type { PeerId } from './pin.ts'

/** `repo/stat` of one daemon, or summed over several. Counts are `bigint`: an unset StorageMax is 2^64-1. */
export interface RepoStat {
  readonly repoSize: bigint
  readonly storageMax: bigint
  readonly numObjects: bigint
  readonly repoPath: string
  readonly version: string
}

/** One line of a garbage collection: a key that went, or an error that came up. */
export interface RepoGcLine {
  readonly peer: PeerId
  /** CID text as the daemon gave it; empty when `error` is set. */
  readonly key: string
  readonly error: string
  /** Whether it is the peer that failed, with all that it had still to collect. */
  readonly isOfPeer?: true
}
