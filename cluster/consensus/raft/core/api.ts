import type { ConfChange, ConfState, EntryInput, Message, NodeId, ProposeResult, Ready, Status, StepResult } from './types.ts'

/** The engine: synchronous, total, without clock, chance, disk or network of its own. `new RaftCore(config)` in raft.ts. */
export interface RaftCoreApi {
  tick (): void
  /** A message of another peer, or a response of a storage lane. */
  step (message: Message): StepResult
  propose (entries: readonly EntryInput[]): ProposeResult
  /** `version` 1 writes the legacy entry, for a single change with no transition. */
  proposeConfChange (change: ConfChange, version?: 1 | 2): ProposeResult
  /** To be called when the entry that carries it is applied, before the next entry. */
  applyConfChange (change: ConfChange): ConfState
  /** The answer arrives in `Ready.readStates` with the same `context`, or never: then ask again with another. */
  readIndex (context: number): StepResult
  transferLeader (to: NodeId): StepResult
  campaign (): void
  forgetLeader (): void
  reportUnreachable (id: NodeId): void
  /** How sending the snapshot to `id` ended. */
  reportSnapshot (id: NodeId, ok: boolean): void
  /** Time was lost (a pause, a jump of the clock): leases are not trusted until a majority has answered anew. */
  voidLease (): void
  /** What `LogReader.entries` called 'pending' can be read now. */
  entriesFetched (): void
  hasReady (): boolean
  /** Hands out the work and counts it as begun. */
  ready (): Ready
  /** The work of the last Ready is done. Never with asynchronous storage writes. */
  advance (): void
  status (): Status
  /** For tests: the number of quiet ticks until this peer stands for election; chosen anew on every change of role. */
  setRandomizedElectionTicks (ticks: number): void
}
