/** What a member of a group is made of, and what the rest of the program asks of it. */
import type { Clock } from '../../clock.ts'
import type { Bookkeeping } from './applier.ts'
import type { RaftLimits } from './core/limits.ts'
import type { Index, NodeId, Role } from './core/types.ts'
import type { Disk } from './disk.ts'
import type { Recorder } from './mailbox-record.ts'
import type { Membership } from './membership.ts'
import type { Applied, ProposeOptions } from './proposals.ts'
import type { SnapshotPolicy } from './snapshotter.ts'
import type { Standing } from './standing.ts'
import type { StateMachine } from './state-machine.ts'
import type { NodeStatus } from './status.ts'
import type { RaftStorage } from './storage.ts'
import type { RaftTransport } from './transport.ts'

export interface RaftNodeComponents {
  readonly storage: RaftStorage
  readonly machine: StateMachine
  readonly transport: RaftTransport
  /** Where snapshots are kept. */
  readonly folder: string
  readonly disk?: Disk
  readonly clock?: Clock
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Writes down all that the core is told. */
  readonly recorder?: Recorder
  /** Who may write and who only stores; without it the log alone says so. */
  readonly standing?: Standing
}

export interface RaftNodeConfig {
  readonly tickMs?: number
  readonly electionTicks?: number
  readonly heartbeatTicks?: number
  /**
   * Whom to prefer as leader: 0 first (the default), up to `priorityMax`. A peer of priority p stands for election p election timeouts later.
   * What cannot be a priority is refused by `start`.
   */
  readonly priority?: number
  readonly snapshots?: SnapshotPolicy
  readonly limits?: Partial<RaftLimits>
  readonly pendingMax?: number
  readonly waitingMax?: number
  /** Without a leader for so long, a request fails. Otherwise it waits as long as its caller does. */
  readonly leaderWaitTicks?: number
  /** For tests that must repeat. */
  readonly seed?: number
}

export interface NodeEvents {
  readonly leader?: (leader: NodeId | undefined, role: Role) => void
  readonly membership?: (bookkeeping: Bookkeeping) => void
  readonly applied?: (index: Index) => void
}

export interface RaftNode extends AsyncDisposable {
  readonly id: NodeId
  readonly membership: Membership
  /** Resolves when it has stopped: with the reason, if it had to (its disk failed, its state went astray). */
  readonly ended: Promise<unknown>
  start (): Promise<void>
  /** Resolves when it is applied here. A retry with the same `id` is applied once. */
  propose (data: Uint8Array, options: ProposeOptions): Promise<Applied>
  openSession (options: { readonly signal: AbortSignal }): Promise<number>
  /** Resolves once whatever was acknowledged anywhere before the call is applied here. */
  readBarrier (options: { readonly signal: AbortSignal }): Promise<Index>
  /** Raises what entries may need; refused by peers too old for it by stopping. */
  raiseFeatureLevel (level: number): Promise<void>
  /** For as long as there is a reason; whoever waits for what was sent is told that its outcome is not known. */
  refuseProposals (reason: Error | undefined): void
  transferLeadership (to: NodeId | undefined, options: { readonly signal: AbortSignal }): Promise<void>
  campaign (): void
  leader (): NodeId | undefined
  bookkeeping (): Bookkeeping
  /** How far a peer acknowledged our log to us, while we lead. */
  acknowledged (id: NodeId): Index
  status (): NodeStatus
}
