/**
 * Which requests have been applied, and what was answered, so that a retried one is applied once. Part of the replicated
 * state: every peer makes the same decisions from the same entries, so nothing here may depend on anything else.
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import type { RequestId } from './command.ts'
import type { Index } from './core/types.ts'

/** A session that has not been used for longest is forgotten first, in log order. */
export const sessionsMax = 8_192
/** Answers kept for one session; beyond, the oldest is forgotten and can no longer be asked for. */
export const answersPerSessionMax = 4_096

interface Session {
  readonly id: number
  lastUsed: Index
  /** Requests below it are answered for good. */
  floor: number
  readonly answers: Map<number, Uint8Array>
}

/** `new`: to be applied. `answered`: was applied before (the answer may still be due, from earlier in the same batch). */
export type Admission = 'new' | 'answered' | 'expired'

export class SessionTable {
  /** In order of use: the first is the next to be forgotten. */
  readonly #sessions = new Map<number, Session>()
  #changed = new Set<number>()
  /** The one that was used last is where it belongs already. */
  #newest: Session | undefined

  get size (): number { return this.#sessions.size }

  open (index: Index): void {
    if (this.#sessions.size >= sessionsMax) {
      const [oldest] = this.#sessions.keys()
      this.#sessions.delete(oldest!)
      this.#changed.add(oldest!)
    }
    this.#newest = { id: index, lastUsed: index, floor: 0, answers: new Map() }
    this.#sessions.set(index, this.#newest)
    this.#changed.add(index)
  }

  /** Decides what becomes of a request at `index` of the log, and notes which answers it says have arrived. */
  admit ({ session: id, sequence, answeredBelow }: RequestId, index: Index): Admission {
    const session = this.#sessions.get(id)
    if (session === undefined) return 'expired'
    if (session !== this.#newest) {
      this.#sessions.delete(id)
      this.#sessions.set(id, session)
      this.#newest = session
    }
    this.#changed.add(id)
    session.lastUsed = index
    if (answeredBelow > session.floor) this.#forgetBelow(session, answeredBelow)
    if (session.answers.has(sequence)) return 'answered'
    if (sequence < session.floor) return 'expired'
    session.answers.set(sequence, empty)
    if (session.answers.size > answersPerSessionMax) this.#forgetBelow(session, Math.min(...session.answers.keys()) + 1)
    return 'new'
  }

  settle ({ session, sequence }: RequestId, answer: Uint8Array): void {
    const answers = this.#sessions.get(session)?.answers
    if (answers?.has(sequence) === true) answers.set(sequence, answer)
  }

  answer ({ session, sequence }: RequestId): Uint8Array | undefined {
    return this.#sessions.get(session)?.answers.get(sequence)
  }

  /** Rows that changed since the last call; undefined for a session that is gone. */
  takeChanged (): ReadonlyArray<readonly [number, Uint8Array | undefined]> {
    const changed = [...this.#changed].map(id => {
      const session = this.#sessions.get(id)
      return [id, session === undefined ? undefined : encode(session)] as const
    })
    this.#changed = new Set()
    return changed
  }

  forgetChanges (): void { if (this.#changed.size > 0) this.#changed = new Set() }

  rows (): ReadonlyArray<readonly [number, Uint8Array]> {
    return [...this.#sessions.values()].map(session => [session.id, encode(session)] as const)
  }

  load (rows: Iterable<readonly [number, Uint8Array]>): void {
    const sessions = Array.from(rows, ([id, row]) => decode(id, row)).sort((a, b) => a.lastUsed - b.lastUsed)
    this.#sessions.clear()
    this.#newest = undefined
    for (const session of sessions) this.#sessions.set(session.id, session)
    this.#changed = new Set()
  }

  #forgetBelow (session: Session, floor: number): void {
    session.floor = floor
    for (const sequence of session.answers.keys()) if (sequence < floor) session.answers.delete(sequence)
  }
}

const empty = new Uint8Array(0)

function encode ({ lastUsed, floor, answers }: Session): Uint8Array {
  const to = new ByteWriter(24 + 8 * answers.size).varint(lastUsed).varint(floor).varint(answers.size)
  for (const [sequence, answer] of answers) to.varint(sequence).bytes(answer)
  return to.done()
}

function decode (id: number, row: Uint8Array): Session {
  const from = new ByteReader(row)
  const session: Session = { id, lastUsed: from.varint(), floor: from.varint(), answers: new Map() }
  const count = from.varint()
  for (let i = 0; i < count; i++) session.answers.set(from.varint(), from.bytes().slice())
  return session
}
