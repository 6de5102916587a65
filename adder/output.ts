import type { CID } from 'multiformats/cid'
import type { EntryMetadata } from './entries.ts'

/** What an add tells as it goes, in the order Kubo tells it. The metadata is that of the top-level entry it belongs to. */
export type AddedOutput =
  | { readonly kind: 'progress', readonly name: string, readonly bytes: number, readonly metadata: EntryMetadata }
  | { readonly kind: 'added', readonly name: string, readonly cid: CID, readonly size: bigint, readonly metadata: EntryMetadata }
  /** A root is held as was asked for; behind its line, if it has one. Kubo has no line for this. */
  | { readonly kind: 'pinned', readonly cid: CID }

/** What the import of CARs tells: each root, pinned when `pinError` is empty, then how much came in. */
export type ImportOutput =
  | { readonly kind: 'root', readonly cid: CID, readonly pinError: string }
  | { readonly kind: 'stats', readonly blockCount: number, readonly blockBytes: number }

/** A step of an add: something to tell, a root to pin, or both. A root's line is held back until it is pinned. */
export interface Built {
  readonly output?: AddedOutput
  /** Not all roots have a line: `silent` leaves out those of single files. */
  readonly root?: CID
}

/** Takes the steps in order; a promise means wait before making the next. */
export type TellBuilt = (built: Built) => void | Promise<void>
