import type { CID } from 'multiformats/cid'

/** Blocks by multihash: the codec is the asker's business, as in Kubo. Reads are synchronous because LMDB's are. */
export interface BlockStore {
  get (multihash: Uint8Array): Uint8Array | undefined
  has (multihash: Uint8Array): boolean
  /** Resolves when it can be read by everybody and is on its way to the disk; `durable` says when it is there. */
  put (multihash: Uint8Array, bytes: Uint8Array): Promise<void>
  delete (multihash: Uint8Array): Promise<void>
  /** A consistent view as of the call. */
  multihashes (): Iterable<Uint8Array>
  count (): number
}

export type PinMode = 'recursive' | 'direct'
export interface StoredPin { readonly cid: CID, readonly mode: PinMode, readonly name: string }

/** Pins by CID: version 0 and its version 1 form are two pins, as in Kubo. */
export interface PinStore {
  get (cid: CID): StoredPin | undefined
  put (pin: StoredPin): Promise<void>
  delete (cid: CID): Promise<void>
  /** A consistent view as of the call. */
  pins (mode: PinMode): Iterable<StoredPin>
}

/** What a daemon keeps. */
export interface Stores extends AsyncDisposable {
  readonly blocks: BlockStore
  readonly pins: PinStore
  /** Small values of the daemon's own: its key, the version of its layout. */
  readonly own: { get (key: string): Uint8Array | undefined, put (key: string, value: Uint8Array): Promise<void> }
  /** Resolves when everything written before the call survives a crash. */
  durable (): Promise<void>
  sizeBytes (): number
  /** Where it lies, as `repo/stat` shows it. */
  readonly path: string
}
