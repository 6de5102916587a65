import type { CID } from 'multiformats/cid'
import type { Pin } from '../api/pin.ts'
import type { Announcing, IpfsPinStatus, PinProgress } from '../ports.ts'
import type { OperationPhase, OperationType } from './operation.ts'

export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed', readonly cause: unknown }
  | { readonly kind: 'replaced', readonly by: Operation }

/** How the daemon has a CID pinned. */
export interface PinFound { readonly status: IpfsPinStatus, readonly name: string }

/** One CID's work. Whoever waits for it waits for `ended`, and goes on to the one that replaced it. */
export interface Operation {
  readonly type: OperationType
  readonly cid: CID
  /** CID bytes as a string, see `cidKeyText`. */
  readonly key: string
  /** What to pin; of a `pin` only. */
  pin: Pin | undefined
  /** Of a `pin`: what the daemon was asked already; answers nothing when it has to be asked again. */
  readonly found: Promise<PinFound | undefined> | undefined
  /** Of a `pin`. */
  readonly announcing: Announcing
  /** Of an `unpin`: whether a user asked for it. */
  asked: boolean
  phase: OperationPhase
  /** Failures so far, and what the last one said. */
  attempts: number
  error: string
  sinceMs: number
  readonly isPriority: boolean
  /** Ends the work itself. */
  readonly cancelling: AbortController
  /** Resolves when the work before it on this CID no longer touches the daemon. */
  readonly previousStopped: Promise<void>
  readonly stopped: PromiseWithResolvers<void>
  readonly ended: PromiseWithResolvers<Outcome>
  progress: PinProgress | undefined
  readonly watchers: Set<(progress: PinProgress) => void>
}

export type OperationWish = Pick<Operation, 'type' | 'cid' | 'key' | 'pin' | 'found' | 'announcing' | 'asked' | 'attempts' | 'sinceMs' | 'isPriority'>

/** At most one operation per CID. The wish for another absorbs the one there is when it comes to the same, and cancels it when not. */
export class Operations {
  readonly #byKey = new Map<string, Operation>()

  get size (): number { return this.#byKey.size }

  get (key: string): Operation | undefined {
    return this.#byKey.get(key)
  }

  /** As they are when they are come to; may be changed meanwhile. */
  values (): Iterable<Operation> {
    return this.#byKey.values()
  }

  /**
   * @param onCancelled called with an operation that had to go, so that it leaves its queue
   * @returns the operation that stands for the wish now, and whether it is a new one
   */
  begin (wish: OperationWish, onCancelled: (operation: Operation) => void): { readonly operation: Operation, readonly isNew: boolean } {
    const existing = this.#byKey.get(wish.key)
    if (existing !== undefined && absorbs(existing, wish)) return { operation: existing, isNew: false }

    const operation: Operation = {
      ...wish,
      found: existing === undefined ? wish.found : undefined, // what was asked while another was at work may be true no longer
      phase: 'queued',
      error: '',
      cancelling: new AbortController(),
      previousStopped: existing?.stopped.promise ?? Promise.resolve(),
      stopped: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      progress: undefined,
      watchers: new Set()
    }
    this.#byKey.set(wish.key, operation)
    if (existing !== undefined) {
      if (existing.phase === 'queued') void existing.previousStopped.then(existing.stopped.resolve)
      existing.cancelling.abort(new Error(`replaced by ${wish.type}`))
      existing.ended.resolve({ kind: 'replaced', by: operation })
      onCancelled(existing)
    }
    return { operation, isNew: true }
  }

  /** Unless another has taken its place already. */
  remove (operation: Operation): void {
    if (this.isCurrent(operation)) this.#byKey.delete(operation.key)
  }

  /** Whether one is waiting or running, and not just being noted. */
  isBusy (key: string): boolean {
    const phase = this.#byKey.get(key)?.phase
    return phase === 'queued' || phase === 'in_progress'
  }

  isCurrent (operation: Operation): boolean {
    return this.#byKey.get(operation.key) === operation
  }
}

function absorbs (existing: Operation, wish: OperationWish): boolean {
  if (existing.type !== wish.type || existing.phase === 'error' || existing.phase === 'done') return false
  const isSameForDaemon = existing.asked === wish.asked && existing.pin?.name === wish.pin?.name && existing.pin?.mode === wish.pin?.mode
  if (existing.phase === 'in_progress' && !isSameForDaemon) return false
  existing.pin = wish.pin
  existing.asked ||= wish.asked
  return true
}
