/**
 * The core, with every input it is given passed by a recorder first. The core has no other inputs, so such a record, played
 * to a fresh core on the same log, repeats what happened to the letter (`mailbox-record.ts`).
 */
import { RaftCore } from './core/raft.ts'
import type { ConfChange, ConfState, EntryInput, Message, NodeId, ProposeResult, RaftCoreConfig, Ready, Status, StepResult } from './core/types.ts'

export type CoreInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'step', readonly message: Message }
  | { readonly kind: 'propose', readonly entries: readonly EntryInput[] }
  | { readonly kind: 'propose-change' | 'apply-change', readonly change: ConfChange }
  | { readonly kind: 'read-index', readonly context: number }
  | { readonly kind: 'transfer' | 'unreachable', readonly id: NodeId }
  | { readonly kind: 'report-snapshot', readonly id: NodeId, readonly ok: boolean }
  | { readonly kind: 'campaign' | 'ready' | 'void-lease' }

export class CoreInputs {
  readonly #core: RaftCore
  readonly #record: ((input: CoreInput) => void) | undefined

  constructor (config: RaftCoreConfig, record?: (input: CoreInput) => void) {
    this.#core = new RaftCore(config)
    this.#record = record
  }

  tick (): void {
    this.#record?.({ kind: 'tick' })
    this.#core.tick()
  }

  step (message: Message): StepResult {
    this.#record?.({ kind: 'step', message })
    return this.#core.step(message)
  }

  propose (entries: readonly EntryInput[]): ProposeResult {
    this.#record?.({ kind: 'propose', entries })
    return this.#core.propose(entries)
  }

  proposeConfChange (change: ConfChange): ProposeResult {
    this.#record?.({ kind: 'propose-change', change })
    return this.#core.proposeConfChange(change)
  }

  applyConfChange (change: ConfChange): ConfState {
    this.#record?.({ kind: 'apply-change', change })
    return this.#core.applyConfChange(change)
  }

  readIndex (context: number): StepResult {
    this.#record?.({ kind: 'read-index', context })
    return this.#core.readIndex(context)
  }

  transferLeader (id: NodeId): StepResult {
    this.#record?.({ kind: 'transfer', id })
    return this.#core.transferLeader(id)
  }

  reportUnreachable (id: NodeId): void {
    this.#record?.({ kind: 'unreachable', id })
    this.#core.reportUnreachable(id)
  }

  reportSnapshot (id: NodeId, ok: boolean): void {
    this.#record?.({ kind: 'report-snapshot', id, ok })
    this.#core.reportSnapshot(id, ok)
  }

  campaign (): void {
    this.#record?.({ kind: 'campaign' })
    this.#core.campaign()
  }

  voidLease (): void {
    this.#record?.({ kind: 'void-lease' })
    this.#core.voidLease()
  }

  hasReady (): boolean { return this.#core.hasReady() }

  ready (): Ready {
    this.#record?.({ kind: 'ready' })
    return this.#core.ready()
  }

  status (): Status { return this.#core.status() }
}
