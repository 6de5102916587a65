/**
 * The one impure loop: everything that happens to the core goes through one mailbox, in one order, a bounded piece a turn;
 * what the core then wants goes to three lanes (append, send, apply), which work beside the turns.
 */
import type { Clock } from '../../clock.ts'
import { CoreInputs } from './core-inputs.ts'
import type { CoreInput } from './core-inputs.ts'
import { appendThread, applyThread } from './core/types.ts'
import type { Message, NodeId, RaftCoreConfig, Ready, SoftState, Term } from './core/types.ts'
import { BusyTime } from './figures.ts'

export interface DriverHooks {
  /** In the turn, before the core's work is taken: what has gathered outside is put in. */
  beforeReady (core: CoreInputs): void
  ready (ready: Ready): void
  ticked (): void
  leaderChanged (soft: SoftState, term: Term): void
  /** Answers the responses that are due at once. */
  append (message: Message, held: readonly Message[]): readonly Message[]
  apply (message: Message): void
  send (to: NodeId, messages: readonly Message[]): void
  sendSnapshot (to: NodeId, message: Message): void
  stalled (ms: number): void
  failed (err: unknown): void
}

export interface DriverConfig {
  readonly tickMs: number
  readonly core: RaftCoreConfig
  /** Monotonic. */
  readonly clock: Clock
  readonly record?: ((input: CoreInput) => void) | undefined
  /** There is nobody whose messages would be worth waiting for, and nothing under way during which callers could gather. */
  readonly isEager: () => boolean
}

type Input = (core: CoreInputs) => void

/** A turn ends here, however much waits: sockets and timers come first again. */
const turnInputsMax = 4_096
const turnMs = 5
/** Inputs waiting beyond which senders are asked to pause. */
const mailboxMax = 8_192

export class Driver {
  readonly core: CoreInputs
  /** Of its turns. */
  readonly busy = new BusyTime(performance.now())
  readonly #config: DriverConfig
  readonly #hooks: DriverHooks
  readonly #id: NodeId
  #mailbox: Input[] = []
  #resume: Array<() => void> = []
  readonly #outgoing = new Map<NodeId, Message[]>()
  #scheduled = false
  #ended = false
  #dueTicks = 0
  #timer: Disposable | undefined
  #lastTickMs = 0
  soft: SoftState = { lead: 0, role: 'follower' }
  term: Term

  constructor (config: DriverConfig, hooks: DriverHooks) {
    this.#config = config
    this.#hooks = hooks
    this.#id = config.core.id
    this.core = new CoreInputs(config.core, config.record)
    this.term = config.core.log.initialState().hard.term
  }

  get waiting (): number { return this.#mailbox.length }

  start (): void {
    this.#lastTickMs = this.#config.clock.now()
    this.#armTick()
    this.wake()
  }

  stop (): void {
    this.#ended = true
    this.#timer?.[Symbol.dispose]()
    for (const resume of this.#resume.splice(0)) resume()
  }

  /** Runs with the core in one of the next turns. A promise asks the sender to wait until there is room again. */
  post (input: Input): Promise<void> | undefined {
    if (this.#ended) return undefined
    this.#mailbox.push(input)
    this.wake()
    return this.#mailbox.length <= mailboxMax ? undefined : new Promise(resolve => { this.#resume.push(resolve) })
  }

  /** As `post`, with the answer. */
  async ask<T> (input: (core: CoreInputs) => T): Promise<T> {
    return await new Promise((resolve, reject) => {
      void this.post(core => { try { resolve(input(core)) } catch (err) { reject(err); throw err } })
      if (this.#ended) reject(new Error('the engine has stopped'))
    })
  }

  /** Responses of a lane: ours to ourselves, the others' to them, in order. */
  deliver (messages: readonly Message[]): void {
    if (messages.length === 0) return
    void this.post(() => { this.#respond(messages) })
  }

  #respond (messages: readonly Message[]): void {
    for (const m of messages) {
      if (m.to === this.#id) this.core.step(m)
      else this.#out(m)
    }
  }

  wake (): void {
    if (this.#scheduled || this.#ended) return
    if (!this.#config.isEager()) { this.#wakeLater(); return }
    this.#scheduled = true
    process.nextTick(this.#turn) // after what else is done in this breath, so that it is one batch
  }

  #wakeLater (): void {
    this.#scheduled = true
    setImmediate(this.#turn) // after what the sockets have for us now, so that it is one batch
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    if (this.#ended) return
    const begunMs = performance.now()
    this.busy.begin(begunMs)
    try {
      this.#takeInputs(begunMs)
      this.#hooks.beforeReady(this.core)
      while (!this.#ended && this.core.hasReady()) {
        this.#carryOut(this.core.ready())
        if (performance.now() - begunMs > turnMs) break
      }
      this.#flush()
      if (!this.#scheduled && (this.#mailbox.length > 0 || this.#dueTicks > 0 || this.core.hasReady())) this.#wakeLater()
    } catch (err) {
      this.#hooks.failed(err)
    } finally {
      this.busy.end(performance.now())
    }
  }

  #takeInputs (begunMs: number): void {
    let taken = 0
    for (const input of this.#mailbox) {
      if (taken === turnInputsMax || (taken % 64 === 63 && performance.now() - begunMs > turnMs)) break
      taken++
      input(this.core)
    }
    this.#mailbox = taken === this.#mailbox.length ? [] : this.#mailbox.slice(taken)
    if (this.#mailbox.length <= mailboxMax / 2) for (const resume of this.#resume.splice(0)) resume()
    if (this.#mailbox.length > 0) return
    // Time passes last: what arrived while we were away must be able to say that the leader lives.
    for (; this.#dueTicks > 0; this.#dueTicks--) {
      this.core.tick()
      this.#hooks.ticked()
    }
  }

  #carryOut (ready: Ready): void {
    if (ready.hardState !== undefined) this.term = ready.hardState.term
    if (ready.softState !== undefined) {
      this.soft = ready.softState
      this.#hooks.leaderChanged(ready.softState, this.term)
    }
    this.#hooks.ready(ready)
    const candidacies: Message[] = []
    let append: Message | undefined
    for (const m of ready.messages) {
      if (m.to === appendThread) append = m
      else if (m.to === applyThread) this.#hooks.apply(m)
      else if (m.type === 'MsgVote') candidacies.push(m)
      else if (m.type === 'MsgSnap') this.#hooks.sendSnapshot(m.to, m)
      else this.#out(m)
    }
    // A candidate asks for votes once its own term and vote are safe (D5): the core would let it ask before.
    if (append === undefined) for (const m of candidacies) this.#out(m)
    this.#flush() // first, so that the others' disks work while ours does
    if (append !== undefined) this.#respond(this.#hooks.append(append, candidacies))
  }

  #out (m: Message): void {
    const messages = this.#outgoing.get(m.to)
    if (messages === undefined) this.#outgoing.set(m.to, [m])
    else messages.push(m)
  }

  #flush (): void {
    if (this.#outgoing.size === 0) return
    for (const [to, messages] of this.#outgoing) this.#hooks.send(to, messages)
    this.#outgoing.clear()
  }

  #armTick (): void {
    const { clock, tickMs } = this.#config
    const nextMs = Math.max(0, this.#lastTickMs + tickMs - clock.now())
    this.#timer = clock.after(nextMs, () => {
      const lateMs = clock.now() - this.#lastTickMs - tickMs
      this.#tickAfter(lateMs)
      if (!this.#ended) this.#armTick()
    })
  }

  /** After a stall not all missed time is made up for: nobody is to lose an election timeout in one turn. */
  #tickAfter (lateMs: number): void {
    const { clock, tickMs, core: { electionTicks } } = this.#config
    const missed = Math.floor(Math.max(0, lateMs) / tickMs)
    this.#dueTicks = Math.min(this.#dueTicks + 1 + missed, Math.max(1, electionTicks >> 1))
    this.#lastTickMs = missed > 0 ? clock.now() : this.#lastTickMs + tickMs
    if (missed > electionTicks / 2) {
      this.#hooks.stalled(lateMs)
      void this.post(core => { core.voidLease() })
    }
    this.wake()
  }
}
