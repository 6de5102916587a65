/**
 * Linearizable reads: the leader is asked how far the log is committed and proves with a round of heartbeats that it still
 * leads; then the answer is good as soon as this peer has applied that far. All reads of a turn share one question.
 */
import type { CoreInputs } from './core-inputs.ts'
import type { Index, NodeId, ReadState } from './core/types.ts'
import { DroppedError, NotLeaderError } from './errors.ts'
import { Histogram, secondsBounds } from './figures.ts'

interface Reader { readonly done: PromiseWithResolvers<Index>, readonly begunMs: number }
interface Question { readonly readers: readonly Reader[], readonly askedAtTick: number }

export class Reads {
  /** From the question to its answer, of reads that were answered. */
  readonly seconds = new Histogram(secondsBounds)
  readonly #max: number
  readonly #wake: () => void
  readonly #repeatTicks: number
  #context: number
  #waiting: Reader[] = []
  readonly #asked = new Map<number, Question>()
  /** Confirmed, and waiting until this index is applied here. */
  #confirmed: Array<{ readonly index: Index, readonly readers: readonly Reader[] }> = []
  #applied: Index = 0
  #tick = 0
  #count = 0
  #leader: NodeId | undefined
  #stopped: Error | undefined

  /** `boot` makes the numbers of this start differ from those of the last: a late answer to an old question is none. */
  constructor (config: { readonly pendingMax: number, readonly repeatTicks: number, readonly boot: number }, wake: () => void) {
    this.#max = config.pendingMax
    this.#repeatTicks = config.repeatTicks
    this.#context = config.boot % 2 ** 20 * 2 ** 32
    this.#wake = wake
  }

  get pending (): number { return this.#count }

  /** The index that was applied here when the read became safe. @throws NotLeaderError, DroppedError */
  async read ({ signal }: { readonly signal: AbortSignal }): Promise<Index> {
    signal.throwIfAborted()
    if (this.#stopped !== undefined) throw this.#stopped
    if (this.#count >= this.#max) throw new DroppedError('overloaded')
    const reader: Reader = { done: Promise.withResolvers(), begunMs: performance.now() }
    this.#waiting.push(reader)
    this.#count++
    this.#wake()
    const abandon = (): void => { reader.done.reject(new NotLeaderError(this.#leader)) }
    signal.addEventListener('abort', abandon, { once: true })
    try {
      return await reader.done.promise
    } finally {
      this.#count--
      signal.removeEventListener('abort', abandon)
    }
  }

  flush (core: CoreInputs): void {
    if (this.#waiting.length === 0) return
    const context = ++this.#context
    if (core.readIndex(context) === 'dropped') return // asked again with the next tick
    this.#asked.set(context, { readers: this.#waiting, askedAtTick: this.#tick })
    this.#waiting = []
  }

  confirmed (states: readonly ReadState[]): void {
    for (const { index, context } of states) {
      const question = this.#asked.get(context)
      if (question === undefined) continue
      this.#asked.delete(context)
      this.#confirmed.push({ index, readers: question.readers })
    }
    this.applied(this.#applied)
  }

  applied (index: Index): void {
    this.#applied = index
    if (this.#confirmed.length === 0) return
    const due = this.#confirmed.filter(each => each.index <= index)
    if (due.length === 0) return
    this.#confirmed = this.#confirmed.filter(each => each.index > index)
    const nowMs = performance.now()
    for (const { readers } of due) {
      for (const { done, begunMs } of readers) {
        this.seconds.add((nowMs - begunMs) / 1_000)
        done.resolve(index)
      }
    }
  }

  leaderChanged (leader: NodeId | undefined): void {
    this.#leader = leader
    if (leader !== undefined) this.#askAgain(() => true)
  }

  ticked (): void {
    this.#tick++
    this.#askAgain(({ askedAtTick }) => this.#tick - askedAtTick >= this.#repeatTicks)
    if (this.#waiting.length > 0) this.#wake()
  }

  stop (reason: Error): void {
    this.#stopped = reason
    const all = [...this.#waiting, ...[...this.#asked.values(), ...this.#confirmed].flatMap(({ readers }) => readers)]
    for (const { done } of all) done.reject(reason)
  }

  #askAgain (which: (question: Question) => boolean): void {
    for (const [context, question] of this.#asked) {
      if (!which(question)) continue
      this.#asked.delete(context)
      this.#waiting.push(...question.readers)
    }
    if (this.#waiting.length > 0) this.#wake()
  }
}
