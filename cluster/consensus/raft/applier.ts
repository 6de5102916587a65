/**
 * Carries out committed entries on the state machine: filters retries by session, keeps the bookkeeping in the machine's
 * own transaction, compares digests, and stops this peer before an entry it does not understand.
 */
import assert from 'node:assert/strict'
import { ByteReader, ByteWriter } from './bytes.ts'
import { decodeInstruction, encodeInstruction, featureLevelKnown } from './command.ts'
import type { Instruction, RequestId } from './command.ts'
import { decodeConfChange } from './core/conf-codec.ts'
import { readConfState, writeConfState } from './entry-codec.ts'
import { FatalError } from './errors.ts'
import { decodeRoster, membersAfter, readRoster, writeRoster } from './members.ts'
import type { Member } from './members.ts'
import { SessionTable } from './sessions.ts'
import type { Command, Kept, Loaded, StateMachine } from './state-machine.ts'
import type { ConfChange, ConfState, Entry, Index, SnapshotMeta, Term } from './core/types.ts'

/** What the engine itself has to remember, as of `index`. */
export interface Bookkeeping {
  readonly index: Index
  readonly term: Term
  readonly conf: ConfState
  readonly members: readonly Member[]
  /** Names of those that may write; undefined when all members may. */
  readonly trusted?: readonly string[] | undefined
  /** The last entry that changed the membership: what a change may be made conditional on. */
  readonly confIndex: Index
  readonly featureLevel: number
}

export type RequestOutcome = { readonly kind: 'answer', readonly answer: Uint8Array } | { readonly kind: 'expired' }

export interface ApplierHooks {
  applyConfChange (change: ConfChange): ConfState
  /** What the data of an entry says, if it was proposed here. */
  readonly decodedOf?: (id: RequestId, entryData: Uint8Array) => unknown
  requestApplied (id: RequestId, index: Index, outcome: RequestOutcome): void
  sessionOpened (nonce: number, session: number): void
  entryApplied (index: Index, term: Term): void
  membershipApplied (bookkeeping: Bookkeeping): void
  /** Every so often; a leader proposes it. */
  digestTaken (proposal: Uint8Array): void
}

/** So often a digest is taken, and batches are cut there, because every peer must take it of the very same state. */
export const digestEvery = 4_096
const digestsKept = 8

export const noBookkeeping: Bookkeeping = {
  index: 0, term: 0, conf: { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }, members: [], confIndex: 0, featureLevel: 1
}

export class Applier {
  readonly #machine: StateMachine
  readonly #hooks: ApplierHooks
  readonly sessions = new SessionTable()
  readonly #digests = new Map<Index, bigint>()
  #at = noBookkeeping
  #isWaiting = false

  constructor (machine: StateMachine, hooks: ApplierHooks) {
    this.#machine = machine
    this.#hooks = hooks
  }

  get at (): Bookkeeping { return this.#at }
  /** For the machine. */
  get isWaiting (): boolean { return this.#isWaiting }

  load ({ head, sessions }: Loaded): void {
    this.#at = decodeBookkeeping(head)
    this.sessions.load(sessions)
    this.#digests.clear()
  }

  /** Of a group founded on a state that was there before: its log begins behind it. */
  beginAfter ({ index, term, confState }: SnapshotMeta): void {
    this.#at = { ...noBookkeeping, index, term, conf: confState }
  }

  /** All of the bookkeeping, for a snapshot. */
  kept (): Loaded { return { head: encodeBookkeeping(this.#at), sessions: this.sessions.rows() } }

  async apply (entries: readonly Entry[]): Promise<void> {
    for (let from = 0; from < entries.length;) {
      const cut = entries.findIndex((entry, i) => i >= from && entry.index % digestEvery === 0)
      const to = cut === -1 ? entries.length : cut + 1
      await this.#applyPart(entries.slice(from, to))
      if (cut !== -1) this.#takeDigest()
      from = to
    }
  }

  async #applyPart (entries: readonly Entry[]): Promise<void> {
    const commands: Command[] = []
    const requests: Array<{ readonly id: RequestId, readonly index: Index, readonly admission: 'new' | 'answered' | 'expired' }> = []
    const later: Array<() => void> = []
    let last = this.#at.index
    for (const entry of entries) {
      if (entry.index !== last + 1) assert.fail(`entry ${entry.index} applied after ${last}`)
      last = entry.index
      const change = decodeConfChange(entry)
      if (change !== undefined) this.#applyChange(change, entry, later)
      const instruction = change === undefined ? this.#instruction(entry) : undefined
      if (instruction?.kind === 'command') {
        const admission = this.sessions.admit(instruction.id, entry.index)
        requests.push({ id: instruction.id, index: entry.index, admission })
        if (admission === 'new') commands.push({ index: entry.index, data: instruction.data, decoded: this.#hooks.decodedOf?.(instruction.id, entry.data) })
      } else if (instruction !== undefined) {
        this.#applyOwn(instruction, entry, later)
      }
    }
    this.#at = { ...this.#at, index: last, term: entries.at(-1)!.term }

    this.#isWaiting = true
    const answers = await this.#machine.apply(commands, answers => this.#keep(requests, answers))
    this.#isWaiting = false
    this.#settle(requests, answers)
    this.sessions.forgetChanges()
    for (const { id, index, admission } of requests) {
      const answer = admission === 'expired' ? undefined : this.sessions.answer(id)
      this.#hooks.requestApplied(id, index, answer === undefined ? { kind: 'expired' } : { kind: 'answer', answer })
    }
    for (const tell of later) tell()
    for (const { index, term } of entries) this.#hooks.entryApplied(index, term)
  }

  #instruction (entry: Entry): Instruction | undefined {
    if (entry.data.length === 0) return undefined
    const instruction = decodeInstruction(entry.data)
    if (instruction === undefined) {
      throw new FatalError(`entry ${entry.index} is of a kind this program does not know; it stops before it would misread it. Update this peer`)
    }
    return instruction
  }

  #applyOwn (instruction: Exclude<Instruction, { kind: 'command' }>, entry: Entry, later: Array<() => void>): void {
    switch (instruction.kind) {
      case 'open-session':
        this.sessions.open(entry.index)
        later.push(() => { this.#hooks.sessionOpened(instruction.nonce, entry.index) })
        return
      case 'feature-level':
        if (instruction.level > featureLevelKnown) throw new FatalError(`the cluster is raised to feature level ${instruction.level} at entry ${entry.index}; this program knows ${featureLevelKnown}. Update this peer`)
        this.#at = { ...this.#at, featureLevel: Math.max(this.#at.featureLevel, instruction.level) }
        return
      case 'digest': {
        const own = this.#digests.get(instruction.index)
        if (own !== undefined && own !== instruction.digest) {
          throw new FatalError(`the state here differs from the leader's as of entry ${instruction.index} (digest ${own.toString(16)}, not ${instruction.digest.toString(16)}). ` +
            'This peer stops: remove it from the cluster, move its folder away and let it join again')
        }
      }
    }
  }

  #applyChange (change: ConfChange, entry: Entry, later: Array<() => void>): void {
    const conf = this.#hooks.applyConfChange(change)
    const { members, trusted = this.#at.trusted } = decodeRoster(change.context)
    this.#at = { ...this.#at, conf, confIndex: entry.index, members: membersAfter(this.#at.members, members, conf), trusted }
    const now = { ...this.#at, index: entry.index, term: entry.term }
    later.push(() => { this.#hooks.membershipApplied(now) })
  }

  #keep (requests: ReadonlyArray<{ readonly id: RequestId, readonly admission: string }>, answers: readonly Uint8Array[]): Kept {
    this.#settle(requests, answers)
    return { head: () => encodeBookkeeping(this.#at), sessions: () => this.sessions.takeChanged() }
  }

  #settle (requests: ReadonlyArray<{ readonly id: RequestId, readonly admission: string }>, answers: readonly Uint8Array[]): void {
    let next = 0
    for (const { id, admission } of requests) if (admission === 'new') this.sessions.settle(id, answers[next++]!)
  }

  #takeDigest (): void {
    const digest = this.#machine.digest()
    this.#digests.set(this.#at.index, digest)
    if (this.#digests.size > digestsKept) this.#digests.delete(this.#digests.keys().next().value!)
    this.#hooks.digestTaken(encodeInstruction({ kind: 'digest', index: this.#at.index, digest }))
  }
}

const bookkeepingVersion = 1

export function encodeBookkeeping ({ index, term, conf, confIndex, featureLevel, ...roster }: Bookkeeping): Uint8Array {
  const to = new ByteWriter().u8(bookkeepingVersion).varint(index).varint(term).varint(confIndex).varint(featureLevel)
  writeConfState(to, conf)
  writeRoster(to, roster)
  return to.done()
}

export function decodeBookkeeping (bytes: Uint8Array): Bookkeeping {
  const from = new ByteReader(bytes)
  const version = from.u8()
  if (version !== bookkeepingVersion) throw new FatalError(`the state was kept by a newer version of this program (${version})`)
  const [index, term, confIndex, featureLevel] = [from.varint(), from.varint(), from.varint(), from.varint()] as const
  const conf = readConfState(from)
  return { index, term, confIndex, featureLevel, conf, ...readRoster(from) }
}
