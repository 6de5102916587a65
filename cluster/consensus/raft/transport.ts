/** The seam to the other peers. Nothing here waits for them or fails: what cannot be sent is dropped, and Raft sends again. */
import type { Message, NodeId } from './core/types.ts'
import type { Member } from './members.ts'
import type { Manifest } from './snapshot-files.ts'

export interface TransportHandlers {
  /**
   * In order per sender and lane. A promise asks the transport to read no more from this sender until it resolves. `name`: who its connection has
   * proven to be, where it proves that.
   */
  received (from: NodeId, messages: readonly Message[], name?: string): Promise<void> | undefined
  /** A message to it was dropped, or the connection broke. */
  unreachable (to: NodeId): void
  /** Where to go on with this snapshot; the whole of it if there is no use for it here. @throws Error when this peer takes none of it */
  snapshotOffered (from: NodeId, manifest: Manifest, name?: string): Promise<number>
  /** Resolves when all of it is durable here. */
  snapshotArrives (from: NodeId, manifest: Manifest, pieces: AsyncIterable<Uint8Array>): Promise<void>
}

export interface RaftTransport extends AsyncDisposable {
  start (handlers: TransportHandlers): Promise<void>
  /** Whom to talk to, and whom to listen to: nobody else's frames get in. */
  useMembers (members: readonly Member[]): void
  /** Heartbeats and votes go in a lane of their own, so that no queue of entries delays them. */
  send (to: NodeId, messages: readonly Message[]): void
  /** Resolves when the other side has all of it, durably. */
  sendSnapshot (to: NodeId, manifest: Manifest, read: (from: number) => AsyncIterable<Uint8Array>, options: { readonly signal: AbortSignal }): Promise<void>
  status (): readonly LinkStatus[]
}

export interface LinkStatus {
  readonly id: NodeId
  readonly connected: boolean
  readonly queuedBytes: number
  /** Why it does not listen to us, if it said so. */
  readonly refused: string | undefined
  /** How long it took to answer when it was last asked, in milliseconds; undefined before. */
  readonly roundTripMs: number | undefined
}
