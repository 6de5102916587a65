/**
 * Requests on their way into the log and back. Each is numbered within a session, so it can be sent again after a change of
 * leader or a lost message and is still applied once. It is answered when it has been applied *here*.
 */
import { encodeInstruction } from './command.ts'
import type { RequestId } from './command.ts'
import type { RequestOutcome } from './applier.ts'
import type { CoreInputs } from './core-inputs.ts'
import type { EntryInput, Index, NodeId, Term } from './core/types.ts'
import { DroppedError, NotLeaderError, SessionExpiredError, UnknownOutcomeError } from './errors.ts'
import { answersPerSessionMax } from './sessions.ts'
import { offAbort, onAbort } from './shared-signal.ts'

export interface Applied { readonly index: Index, readonly answer: Uint8Array }

export interface ProposeOptions {
  readonly signal: AbortSignal
  readonly id?: RequestId
  /** What `data` says. The machine here is given it along with the data, so that it need not read again what was just written. */
  readonly decoded?: unknown
  /** Who gives up once the request is under way is told how it went all the same; who gives up before, that it did not happen. */
  readonly staysOnceSent?: boolean
}

export interface ProposalsConfig {
  /** Under way at once; further ones wait, and beyond `waitingMax` are dropped at once. */
  readonly pendingMax: number
  readonly waitingMax: number
  readonly entryBytesMax: number
  /** Ticks without an answer after which a request is sent again. */
  readonly resendTicks: number
  /** Ticks without a leader after which a request is given up. */
  readonly leaderWaitTicks: number
}

interface Pending {
  readonly id: RequestId
  readonly entry: EntryInput
  readonly decoded: unknown
  readonly done: PromiseWithResolvers<Applied>
  readonly sinceTick: number
  /** 0: not sent yet. */
  sentInTerm: Term
  sentAtTick: number
  queued: boolean
}

/** Entries given to the core in one call: one message to each follower, one write. */
const batchBytesMax = 512 * 1_024
const batchEntriesMax = 2_048

export class Proposals {
  readonly #config: ProposalsConfig
  readonly #wake: () => void
  readonly #nonce: () => number
  readonly #pending = new Map<number, Map<number, Pending>>()
  readonly #openings = new Map<number, { readonly done: PromiseWithResolvers<number>, readonly sinceTick: number, sentAtTick: number | undefined }>()
  #queue: Pending[] = []
  #waiting: Array<() => void> = []
  #count = 0
  #own: number | undefined
  #opening: Promise<number> | undefined
  readonly #life = new AbortController()
  #nextSequence = 0
  #tick = 0
  #blocked: 'full' | 'no-leader' | undefined
  #leader: NodeId | undefined
  #leaderlessSince: number | undefined = 0
  #refusal: Error | undefined

  constructor (config: ProposalsConfig, wake: () => void, nonce: () => number) {
    this.#config = config
    this.#wake = wake
    this.#nonce = nonce
  }

  get pending (): number { return this.#count }
  get waiting (): number { return this.#waiting.length }

  /** @throws DroppedError, NotLeaderError: not applied. UnknownOutcomeError, SessionExpiredError: see there */
  async propose (data: Uint8Array, { signal, id, decoded, staysOnceSent = false }: ProposeOptions): Promise<Applied> {
    signal.throwIfAborted()
    if (data.length + 32 > this.#config.entryBytesMax) throw new DroppedError('entry-too-large')
    if (this.#count >= this.#config.pendingMax) await this.#room(signal)
    if (this.#refusal !== undefined) throw this.#refusal
    const own = id === undefined ? this.#own ?? await this.#openOwn(signal) : undefined
    // No waiting between numbering a request and noting it as under way: the next number says that all before are answered.
    const pending = this.#admit(data, id ?? this.#nextId(own!), decoded)
    const abandon = (): void => { if (!staysOnceSent || pending.sentInTerm === 0) this.#abandon(pending, signal.reason) }
    onAbort(signal, abandon)
    try {
      return await pending.done.promise
    } finally {
      offAbort(signal, abandon)
    }
  }

  /** A session of the caller's own: with it a request can be repeated at any peer. */
  async openSession ({ signal }: { readonly signal: AbortSignal }): Promise<number> {
    signal.throwIfAborted()
    if (this.#refusal !== undefined) throw this.#refusal
    const nonce = this.#nonce()
    const done = Promise.withResolvers<number>()
    this.#openings.set(nonce, { done, sinceTick: this.#tick, sentAtTick: undefined })
    this.#wake()
    const abandon = (): void => { done.reject(new NotLeaderError(this.#leader)) }
    onAbort(signal, abandon)
    return await done.promise.finally(() => {
      offAbort(signal, abandon)
      this.#openings.delete(nonce)
    })
  }

  /** Within a turn: gives the core what waits, in batches. */
  flush (core: CoreInputs): void {
    if (this.#blocked !== undefined) return
    for (const [nonce, opening] of this.#openings) {
      if (opening.sentAtTick !== undefined) continue
      const outcome = core.propose([{ type: 'EntryNormal', data: encodeInstruction({ kind: 'open-session', nonce }) }])
      if (outcome.kind === 'dropped') { this.#blocked = 'no-leader'; return }
      opening.sentAtTick = this.#tick
    }
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch()
      if (batch.length === 0) continue
      const outcome = core.propose(batch.map(({ entry }) => entry))
      if (outcome.kind === 'dropped') {
        this.#blocked = outcome.reason === 'uncommitted-full' ? 'full' : 'no-leader'
        this.#queue = [...batch, ...this.#queue]
        return
      }
      for (const pending of batch) {
        pending.queued = false
        pending.sentAtTick = this.#tick
        pending.sentInTerm = outcome.kind === 'appended' ? outcome.term : Infinity
      }
    }
  }

  /** Only of the very bytes that were proposed here. */
  decodedOf ({ session, sequence }: RequestId, data: Uint8Array): unknown {
    const pending = this.#pending.get(session)?.get(sequence)
    return pending?.entry.data === data ? pending.decoded : undefined
  }

  applied ({ session, sequence }: RequestId, index: Index, outcome: RequestOutcome): void {
    if (this.#blocked === 'full') { this.#blocked = undefined; this.#wake() }
    const pending = this.#pending.get(session)?.get(sequence)
    if (pending === undefined) return
    this.#forget(pending)
    if (outcome.kind === 'answer') pending.done.resolve({ index, answer: outcome.answer })
    else {
      if (session === this.#own) this.#own = undefined // the next request opens another
      pending.done.reject(new SessionExpiredError(session))
    }
  }

  sessionOpened (nonce: number, session: number): void { this.#openings.get(nonce)?.done.resolve(session) }

  /** What an earlier leader was given may be lost. Sending it again does no harm. */
  leaderChanged (leader: NodeId | undefined, term: Term): void {
    this.#leader = leader
    this.#leaderlessSince = leader !== undefined ? undefined : this.#leaderlessSince ?? this.#tick
    if (leader === undefined) return
    this.#blocked = undefined
    for (const opening of this.#openings.values()) opening.sentAtTick = undefined
    this.#requeue(pending => pending.sentInTerm !== term)
  }

  ticked (): void {
    this.#tick++
    if (this.#count === 0 && this.#openings.size === 0) return
    this.#giveUpWaiting()
    const overdue = this.#tick - this.#config.resendTicks
    for (const opening of this.#openings.values()) if ((opening.sentAtTick ?? Infinity) <= overdue) opening.sentAtTick = undefined
    if (this.#tick % 4 === 0) this.#requeue(pending => pending.sentAtTick <= overdue)
    if (this.#blocked !== undefined) { this.#blocked = undefined; this.#wake() }
  }

  /** From now on, for as long as there is a reason; whoever waits is told. */
  refuse (reason: Error | undefined): void {
    this.#refusal = reason
    if (reason === undefined) return
    for (const pending of [...this.#pending.values()].flatMap(session => [...session.values()])) {
      this.#forget(pending)
      pending.done.reject(pending.sentInTerm === 0 ? reason : new UnknownOutcomeError(pending.id.session, pending.id.sequence, { cause: reason }))
    }
    for (const { done } of this.#openings.values()) done.reject(reason)
    for (const go of this.#waiting.splice(0)) go()
  }

  #nextId (session: number): RequestId {
    const underWay = this.#pending.get(session)?.keys().next().value
    const sequence = this.#nextSequence++
    return { session, sequence, answeredBelow: underWay ?? sequence }
  }

  /** One for all requests of this peer; whoever waits for it may give up without the others losing it. */
  async #openOwn (signal: AbortSignal): Promise<number> {
    this.#opening ??= this.openSession({ signal: this.#life.signal })
      .then(session => { this.#own = session; return session })
      .finally(() => { this.#opening = undefined })
    const { promise, reject } = Promise.withResolvers<never>()
    const abandon = (): void => { reject(new NotLeaderError(this.#leader)) }
    onAbort(signal, abandon)
    try {
      return await Promise.race([this.#opening, promise])
    } finally {
      offAbort(signal, abandon)
    }
  }

  #admit (data: Uint8Array, id: RequestId, decoded: unknown): Pending {
    const { session, sequence } = id
    const ofSession = this.#pending.get(session) ?? new Map<number, Pending>()
    const same = ofSession.get(sequence)
    if (same !== undefined) return same
    const entry = { type: 'EntryNormal', data: encodeInstruction({ kind: 'command', id, data }) } as const
    const pending: Pending = { id, entry, decoded, done: Promise.withResolvers(), sinceTick: this.#tick, sentInTerm: 0, sentAtTick: 0, queued: true }
    this.#pending.set(session, ofSession.set(sequence, pending))
    this.#count++
    this.#queue.push(pending)
    this.#wake()
    return pending
  }

  #abandon (pending: Pending, cause: unknown): void {
    if (this.#pending.get(pending.id.session)?.get(pending.id.sequence) !== pending) return
    this.#forget(pending)
    const { session, sequence } = pending.id
    if (pending.sentInTerm !== 0) pending.done.reject(new UnknownOutcomeError(session, sequence, { cause }))
    else pending.done.reject(this.#blocked === 'full' ? new DroppedError('overloaded') : new NotLeaderError(this.#leader))
  }

  #giveUpWaiting (): void {
    const overdue = this.#tick - this.#config.leaderWaitTicks
    if ((this.#leaderlessSince ?? Infinity) > overdue) return
    for (const { done, sinceTick } of this.#openings.values()) if (sinceTick <= overdue) done.reject(new NotLeaderError(undefined))
    for (const session of [...this.#pending.values()]) {
      for (const pending of [...session.values()]) if (pending.sinceTick <= overdue) this.#abandon(pending, new NotLeaderError(undefined))
    }
  }

  #forget (pending: Pending): void {
    const { session, sequence } = pending.id
    const ofSession = this.#pending.get(session)!
    ofSession.delete(sequence)
    if (ofSession.size === 0) this.#pending.delete(session)
    this.#count--
    this.#waiting.shift()?.()
  }

  #takeBatch (): readonly Pending[] {
    const batch: Pending[] = []
    let bytes = 0
    let taken = 0
    for (const pending of this.#queue) {
      if (batch.length >= batchEntriesMax || (bytes > 0 && bytes + pending.entry.data.length > batchBytesMax)) break
      taken++
      if (this.#pending.get(pending.id.session)?.get(pending.id.sequence) !== pending) continue // given up meanwhile
      batch.push(pending)
      bytes += pending.entry.data.length
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    return batch
  }

  #requeue (which: (pending: Pending) => boolean): void {
    let any = false
    for (const session of this.#pending.values()) {
      for (const pending of session.values()) {
        if (pending.queued || pending.sentInTerm === 0 || !which(pending)) continue
        pending.queued = any = true
        this.#queue.push(pending)
      }
    }
    if (any || this.#openings.size > 0 || this.#queue.length > 0) this.#wake()
  }

  async #room (signal: AbortSignal): Promise<void> {
    while (this.#count >= this.#config.pendingMax && this.#refusal === undefined) {
      if (this.#waiting.length >= this.#config.waitingMax) throw new DroppedError('overloaded')
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      const abandon = (): void => { resolve() }
      onAbort(signal, abandon)
      await promise
      offAbort(signal, abandon)
      if (signal.aborted) {
        this.#waiting = this.#waiting.filter(waiter => waiter !== resolve)
        throw new DroppedError('overloaded')
      }
    }
  }
}

/** More requests of one session under way than answers are kept for could not be told apart any more. */
export const pendingMaxDefault = answersPerSessionMax
