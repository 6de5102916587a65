/** The seam to what the log is about: the pinset in production, a few counters in the process harness. */
import type { Index } from './core/types.ts'

export interface Command {
  readonly index: Index
  readonly data: Uint8Array
  /** What `data` says, handed in where it was proposed; elsewhere undefined. */
  readonly decoded: unknown
}

/**
 * The engine's own bookkeeping, to be kept in the same transaction as the state: then no crash can apply an entry twice or
 * skip it. `head` replaces the last one; `sessions` says which rows changed (undefined: gone).
 */
export interface Kept {
  head (): Uint8Array
  sessions (): Iterable<readonly [id: number, row: Uint8Array | undefined]>
}

export interface Loaded {
  readonly head: Uint8Array
  readonly sessions: Iterable<readonly [id: number, row: Uint8Array]>
}

export interface StateMachine {
  /** It keeps its state itself. Otherwise it starts from the newest snapshot file and the log behind it. */
  readonly durable: boolean
  /** What was last kept. Undefined when it has never applied anything. */
  load (): Promise<Loaded | undefined>
  /**
   * In one transaction: the commands in order and what `keep` says, which is called exactly once, with their answers if they
   * are known by then. Deterministic, and never throws for what a command says: a bad one has an answer that says so. The
   * answers are small; they are kept for retries.
   */
  apply (commands: readonly Command[], keep: (answers: readonly Uint8Array[]) => Kept): Promise<readonly Uint8Array[]>
  /** What was applied survives the machine from here on. Asked before the log behind it is dropped. */
  flush (): Promise<void>
  /** The state as of now, at once; reading it later, chunk by chunk, disturbs nothing. */
  snapshot (): StateSnapshot
  /** All or nothing. */
  restore (chunks: AsyncIterable<Uint8Array>, kept: Kept): Promise<void>
  /** Of the state, the same on every peer for the same commands. Cheap: asked between two batches. */
  digest (): bigint
}

export interface StateSnapshot extends Disposable {
  chunks (): AsyncIterable<Uint8Array>
}
