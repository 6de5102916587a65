import type { CID } from 'multiformats/cid'
import type { AbortOptions } from '../../cluster/ports.ts'

/** Blocks by multihash: the codec is the asker's business, as in Kubo. Reads are synchronous because LMDB's are. */
export interface BlockStore {
  get (multihash: Uint8Array): Uint8Array | undefined
  has (multihash: Uint8Array): boolean
  /** Without reading it. */
  lengthOf (multihash: Uint8Array): number | undefined
  /** Resolves when it can be read by everybody. */
  put (multihash: Uint8Array, bytes: Uint8Array): Promise<void>
  delete (multihash: Uint8Array): Promise<void>
  /** What comes or goes meanwhile may or may not be among them. */
  multihashes (): Iterable<Uint8Array>
  /** Gives the space of deleted blocks back to the disk, as far as that is worth it. One at a time. */
  compact (options: AbortOptions): Promise<void>
  count (): number
}

export type PinMode = 'recursive' | 'direct'
export interface StoredPin { readonly cid: CID, readonly mode: PinMode, readonly name: string }

/** Pins by CID: version 0 and its version 1 form are two pins, as in Kubo. */
export interface PinStore {
  get (cid: CID): StoredPin | undefined
  put (pin: StoredPin): Promise<void>
  delete (cid: CID): Promise<void>
  /** Both or neither. */
  move (from: CID, to: StoredPin): Promise<void>
  /** By their CIDs. What is pinned or unpinned meanwhile may or may not be among them. */
  pins (mode: PinMode): Iterable<StoredPin>
}

/** What a daemon keeps. What is on a disk survives a crash once the promise of its change has resolved. */
export interface Stores extends AsyncDisposable {
  readonly blocks: BlockStore
  readonly pins: PinStore
  /** Small values of the daemon's own: its key, the version of its layout. */
  readonly own: { get (key: string): Uint8Array | undefined, put (key: string, value: Uint8Array): Promise<void> }
  sizeBytes (): number
  /** Where it lies, as `repo/stat` shows it. */
  readonly path: string
}
