import { assert } from './assert.ts'
import { entriesBytes } from './entries.ts'
import { message, noMessages } from './message.ts'
import { broadcastHeartbeat } from './replication.ts'
import { hardState } from './state.ts'
import type { RaftState } from './state.ts'
import { traceEvent } from './trace-event.ts'
import { appendThread, applyThread, none } from './types.ts'
import type { Entry, HardState, Message, Ready, ReadState, SoftState } from './types.ts'

const noReadStates: readonly ReadState[] = Object.freeze([])

/** Hands out work as Ready values, each piece once, and remembers what was handed out. */
export class ReadyQueue {
  readonly #raft: RaftState
  readonly #isAsync: boolean
  #soft: SoftState
  #hard: HardState
  /** What `advance` takes as answered: our own votes and copies, what is stable, what is applied. */
  #stepsOnAdvance: readonly Message[] = noMessages
  #isOut = false

  constructor (raft: RaftState) {
    this.#raft = raft
    this.#isAsync = raft.config.asyncStorageWrites
    this.#soft = { lead: raft.lead, role: raft.role }
    this.#hard = hardState(raft)
  }

  get has (): boolean {
    const { messages, messagesAfterAppend, readStates, reads, log } = this.#raft
    return messages.length > 0 || messagesAfterAppend.length > 0 || readStates.length > 0 || reads.needsRound ||
      log.unstable.hasNextEntries || log.unstable.nextSnapshot !== undefined || log.hasNextCommitted(!this.#isAsync) ||
      this.#softChanged() || this.#hardChanged()
  }

  take (): Ready {
    const raft = this.#raft
    assert(!this.#isOut, 'one Ready at a time')
    if (raft.reads.needsRound) broadcastHeartbeat(raft)

    const entries = raft.log.unstable.nextEntries()
    const hard = this.#hardChanged() ? hardState(raft) : undefined
    const ready: Ready = {
      softState: this.#softChanged() ? { lead: raft.lead, role: raft.role } : undefined,
      hardState: hard,
      readStates: raft.readStates.length > 0 ? raft.readStates : noReadStates,
      entries,
      snapshot: raft.log.unstable.nextSnapshot,
      committedEntries: raft.log.nextCommitted(!this.#isAsync),
      messages: raft.messages,
      mustSync: entries.length > 0 || (hard !== undefined && (hard.term !== this.#hard.term || hard.vote !== this.#hard.vote))
    }
    if (this.#isAsync) this.#addStorageMessages(ready, raft.messages)
    else this.#holdBack(ready, raft.messages)
    this.#accept(ready)
    traceEvent(raft, 'Ready')
    return ready
  }

  /** The last Ready is done: what rested on it may be counted. The caller steps these, in order. */
  advance (): readonly Message[] {
    assert(!this.#isAsync, 'storage answers by messages')
    assert(this.#isOut, 'only a Ready that was handed out is done')
    this.#isOut = false
    const steps = this.#stepsOnAdvance
    this.#stepsOnAdvance = noMessages
    return steps
  }

  #softChanged (): boolean {
    return this.#soft.lead !== this.#raft.lead || this.#soft.role !== this.#raft.role
  }

  #hardChanged (): boolean {
    const { term, vote, log } = this.#raft
    return this.#hard.commit !== log.committed || this.#hard.term !== term || this.#hard.vote !== vote
  }

  #addStorageMessages (ready: Ready, messages: Message[]): void {
    const { id, messagesAfterAppend } = this.#raft
    const { entries, hardState: hard, snapshot, committedEntries } = ready
    if (entries.length > 0 || hard !== undefined || snapshot !== undefined || messagesAfterAppend.length > 0) {
      // Our own acknowledgements come before the news that the entries are stable: counting them finds the terms here.
      const stable = this.#stableAnswer(ready)
      messages.push(message('MsgStorageAppend', {
        to: appendThread, from: id, entries, ...hard, snapshot,
        responses: stable === undefined ? messagesAfterAppend : [...messagesAfterAppend, stable]
      }))
    }
    if (committedEntries.length > 0) {
      messages.push(message('MsgStorageApply', {
        to: applyThread, from: id, entries: committedEntries, responses: [this.#appliedAnswer(committedEntries)]
      }))
    }
  }

  /** Everything in a Ready is durable before its messages are sent, so those to others need not wait any more. */
  #holdBack (ready: Ready, messages: Message[]): void {
    const { id, messagesAfterAppend } = this.#raft
    const steps: Message[] = []
    for (const m of messagesAfterAppend) (m.to === id ? steps : messages).push(m)
    const stable = this.#stableAnswer(ready)
    if (stable !== undefined) steps.push(stable)
    if (ready.committedEntries.length > 0) steps.push(this.#appliedAnswer(ready.committedEntries))
    this.#stepsOnAdvance = steps
    this.#isOut = true
  }

  /**
   * Says that all there is now is stable, even if this write adds nothing to it: the answer of an earlier write is
   * ignored if the term has changed since, and then this one must let go of the entries.
   */
  #stableAnswer ({ snapshot }: Ready): Message | undefined {
    const { id, term, log } = this.#raft
    const hasEntries = log.unstable.length > 0
    if (!hasEntries && snapshot === undefined) return undefined
    const last = hasEntries ? log.lastId() : { index: 0, term: 0 }
    return message('MsgStorageAppendResp', { to: id, from: appendThread, term, index: last.index, logTerm: last.term, snapshot })
  }

  #appliedAnswer (entries: readonly Entry[]): Message {
    return message('MsgStorageApplyResp', { to: this.#raft.id, from: applyThread, entries })
  }

  #accept ({ softState, hardState: hard, committedEntries }: Ready): void {
    const raft = this.#raft
    if (softState !== undefined) {
      if (softState.lead !== none && softState.lead !== this.#soft.lead) raft.leaderChanges++
      this.#soft = softState
    }
    if (hard !== undefined) this.#hard = hard
    if (raft.readStates.length > 0) raft.readStates = []
    raft.messages = []
    raft.messagesAfterAppend = []
    raft.log.unstable.acceptInProgress()

    const last = committedEntries.at(-1)
    if (last === undefined) return
    assert(committedEntries[0]!.index === raft.log.applying + 1, 'entries are applied without gaps', last.index)
    raft.log.acceptApplying(last.index, entriesBytes(committedEntries), !this.#isAsync)
  }
}
