/**
 * The two lanes beside the engine: one makes durable, one applies. Each takes its work in order, and hands back what is to
 * be said when a piece is done; the engine goes on sending meanwhile.
 */
import type { Applier } from './applier.ts'
import { entryBytes } from './core/entries.ts'
import { hardStateOf } from './core/message.ts'
import { StoppedError } from './errors.ts'
import { BusyTime } from './figures.ts'
import type { Snapshotter } from './snapshotter.ts'
import type { RaftStorage } from './storage.ts'
import type { Entry, HardState, Index, Message } from './core/types.ts'

interface LaneComponents {
  /** Work is done: deliver these, to ourselves or to others. */
  readonly deliver: (messages: readonly Message[]) => void
  readonly fail: (err: unknown) => void
}

interface AppendLaneComponents extends LaneComponents {
  readonly storage: RaftStorage
  readonly snapshotter: Snapshotter
  readonly apply: ApplyLane
  /**
   * Alone, with a state that is itself durable before anybody is answered: then the entries need no sync of their own. What
   * the log loses with the power the state still has, and nobody else was told. Not while a change of the membership, up to
   * entry `changesTo`, has not been applied: behind it there may be others.
   */
  readonly stateVouches: (changesTo: Index) => boolean
  /** State and membership are another peer's now. */
  readonly restored: () => void
  /** These are in the log now. */
  readonly written?: ((entries: readonly Entry[]) => void) | undefined
}
interface ApplyLaneComponents extends LaneComponents { readonly applier: Applier, readonly applied: () => void }

export class AppendLane {
  readonly #with: AppendLaneComponents
  #hard: HardState
  #installing: Promise<void> | undefined
  #pending = 0
  /** Up to here there may be entries that change the membership. */
  #changesTo: Index

  constructor (components: AppendLaneComponents, hard: HardState) {
    this.#with = components
    this.#hard = hard
    this.#changesTo = components.storage.log.lastIndex()
  }

  get pending (): number { return this.#pending }

  /**
   * `held` go out with the responses: messages that rest on this write although the core does not say so.
   *
   * @returns responses that are due at once; otherwise they are delivered when the write is done
   */
  take (m: Message, held: readonly Message[]): readonly Message[] {
    const { deliver, fail } = this.#with
    if (held.length === 0 && this.#appendBehind(m)) return m.responses
    this.#pending++
    this.#write(m).then(() => {
      this.#pending--
      if (m.entries.length > 0) this.#with.written?.(m.entries)
      deliver(held.length === 0 ? m.responses : [...m.responses, ...held])
    }).catch(fail)
    return []
  }

  /** Where the state vouches nobody waits for the file: it is written while the state's own transaction is. */
  #appendBehind (m: Message): boolean {
    const hard = hardStateOf(m)
    if (this.#pending > 0 || m.snapshot !== undefined || this.#isNews(hard) || !this.#vouchedFor(m)) return false
    const writing = this.#with.storage.appendBehind({ hard, entries: m.entries })
    if (writing === undefined) return false
    writing.catch(this.#with.fail)
    if (hard !== undefined) this.#hard = hard
    if (m.entries.length > 0) this.#with.written?.(m.entries)
    return true
  }

  #isNews (hard: HardState | undefined): boolean {
    return hard !== undefined && (hard.term !== this.#hard.term || hard.vote !== this.#hard.vote)
  }

  #vouchedFor ({ entries }: Message): boolean {
    return this.#with.stateVouches(this.#changesTo) && entries.every(isOrdinary)
  }

  #write (m: Message): Promise<void> {
    if (m.snapshot === undefined && this.#installing === undefined) return this.#append(m)
    const installed = (this.#installing ?? Promise.resolve()).then(async () => {
      if (m.snapshot !== undefined) await this.#install(m)
      else await this.#append(m)
    })
    const installing = installed.catch(() => {}).then(() => { if (this.#installing === installing) this.#installing = undefined })
    this.#installing = installing
    return installed
  }

  #append (m: Message): Promise<void> {
    const hard = hardStateOf(m)
    const changed = this.#isNews(hard)
    if (hard !== undefined) this.#hard = hard
    const needsSync = m.entries.length > 0 && !this.#vouchedFor(m)
    this.#changesTo = m.entries.findLast(entry => !isOrdinary(entry))?.index ?? this.#changesTo
    // Without anything to write it only waits for what was written before it: the lane is in order.
    return this.#with.storage.append({ hard, entries: m.entries, mustSync: changed || needsSync })
  }

  /**
   * The file is durable already (or the message would not have been let in); then term and vote, then the log's new
   * base, then the state. A crash between any two is repaired at the next start, from the file.
   */
  async #install (m: Message): Promise<void> {
    const { storage, snapshotter, apply } = this.#with
    const { meta } = m.snapshot!
    const hard = hardStateOf(m) ?? this.#hard
    this.#hard = hard
    await storage.append({ hard: { ...hard, commit: Math.min(hard.commit, storage.log.lastIndex()) }, entries: [], mustSync: true })
    await storage.setBase(meta)
    await apply.between(async () => {
      await snapshotter.restore(meta)
      this.#with.restored()
    })
    if (m.entries.length > 0) await storage.append({ hard, entries: m.entries, mustSync: true })
  }
}

/** Handed to the machine at once, however many wait: nothing else runs meanwhile, heartbeats neither. Between two pieces the loop gets its turn if they took long. */
const pieceEntries = 512
const pieceBytes = 256 * 1_024
const pieceMs = 5

/**
 * Turns in which what was just answered may come back with the next change, before entries that wait are applied without it: one to
 * append it, one to commit it. Otherwise callers that were parted once would take turns for good, each half with syncs of its own.
 */
const gatherTurns = 2

interface Task { readonly run: () => Promise<void>, readonly drop: () => void }
interface Batch { readonly entries: readonly Entry[], readonly responses: readonly Message[] }

export class ApplyLane {
  /** While it applies or a task runs; not while it waits for more to apply. */
  readonly busy = new BusyTime(performance.now())
  readonly #with: ApplyLaneComponents
  readonly #queue: Array<Task | Batch> = []
  #running: Promise<void> | undefined
  #stopped = false

  constructor (components: ApplyLaneComponents) { this.#with = components }

  get queued (): number { return this.#queue.length }

  take ({ entries, responses }: Message): void { this.#enqueue({ entries, responses }) }

  /** Runs `task` when no batch is half applied. @throws StoppedError when there is no such moment any more */
  async between<T> (task: () => T | Promise<T>): Promise<T> {
    const done = Promise.withResolvers<T>()
    this.#enqueue({
      run: async () => { try { done.resolve(await task()) } catch (err) { done.reject(err) } },
      drop: () => { done.reject(new StoppedError()) }
    })
    return await done.promise
  }

  /** After the piece at hand. */
  async stop (): Promise<void> {
    this.#stopped = true
    await this.#running
    for (const waiting of this.#queue.splice(0)) drop(waiting)
  }

  async #apply (entries: readonly Entry[]): Promise<void> {
    let begunMs = performance.now()
    for (let from = 0, to = 0; from < entries.length && !this.#stopped; from = to) {
      to = endOfPiece(entries, from)
      await this.#with.applier.apply(entries.slice(from, to))
      if (performance.now() - begunMs < pieceMs) continue
      await new Promise(resolve => setImmediate(resolve))
      begunMs = performance.now()
    }
  }

  #enqueue (work: Task | Batch): void {
    if (this.#stopped) { drop(work); return }
    this.#queue.push(work)
    this.#running ??= this.#run()
  }

  async #run (): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopped) {
      this.busy.begin(performance.now())
      try {
        if ('run' in this.#queue[0]!) await (this.#queue.shift() as Task).run()
        else await this.#applyWaiting()
      } catch (err) {
        this.#stopped = true // nothing may be applied behind an entry that was not
        this.#with.fail(err)
      } finally {
        this.busy.end(performance.now())
      }
    }
    this.#running = undefined
  }

  /** Everything up to the next task, as one: it shares transactions. */
  async #applyWaiting (): Promise<void> {
    const { deliver, applied } = this.#with
    const nextTask = this.#queue.findIndex(work => 'run' in work)
    const batches = this.#queue.splice(0, nextTask === -1 ? this.#queue.length : nextTask) as Batch[]
    await this.#apply(batches.flatMap(({ entries }) => entries))
    deliver(batches.flatMap(({ responses }) => responses))
    applied()
    this.busy.end(performance.now())
    for (let turn = 0; turn < gatherTurns && this.#queue.length > 0; turn++) await new Promise(resolve => setImmediate(resolve))
  }
}

/** At least one entry, however large. */
function endOfPiece (entries: readonly Entry[], from: number): number {
  let to = from
  let bytes = 0
  do bytes += entryBytes(entries[to++]!)
  while (to < entries.length && to - from < pieceEntries && bytes + entryBytes(entries[to]!) <= pieceBytes)
  return to
}

function isOrdinary ({ type }: Entry): boolean { return type === 'EntryNormal' }

function drop (work: Task | Batch): void {
  if ('drop' in work) work.drop()
}
