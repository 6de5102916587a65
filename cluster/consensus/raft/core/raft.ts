import type { RaftCoreApi } from './api.ts'
import { assert } from './assert.ts'
import { encodeConfChange } from './conf-codec.ts'
import { describeIds, describeMembership } from './describe.ts'
import { tickFollower } from './follower.ts'
import { jointIds } from './joint.ts'
import { tickLeader } from './leader.ts'
import { indexMax, termMax } from './limits.ts'
import { applyConfChange } from './membership.ts'
import { hasTerm, isLocal, isResponse, isStorageLane, message } from './message.ts'
import { propose } from './propose.ts'
import { ReadyQueue } from './ready.ts'
import { resumeAppends } from './replication.ts'
import { becomeFollower } from './roles.ts'
import { createState, hex } from './state.ts'
import type { RaftState } from './state.ts'
import { statusOf } from './status.ts'
import { step } from './step.ts'
import { traceEvent } from './trace-event.ts'
import { none } from './types.ts'
import type {
  ConfChange, ConfState, EntryInput, Message, NodeId, ProposeResult, RaftCoreConfig, Ready, Status, StepResult
} from './types.ts'

/**
 * One member of a Raft group, without anything around it: messages, ticks and requests go in, a Ready with what is to
 * be done comes out. The same inputs in the same order always give the same outputs.
 *
 * @throws RaftInvariantError from any method when its state cannot be true: the peer must then stop
 * @see etcd-io/raft, whose design this follows
 */
export class RaftCore implements RaftCoreApi {
  readonly #raft: RaftState
  readonly #queue: ReadyQueue

  constructor (config: RaftCoreConfig) {
    const raft = createState(config)
    this.#raft = raft
    const { tracker, log } = raft
    raft.trace?.('info', 'membership in force', [hex(raft.id), describeMembership(tracker.membership)])
    traceEvent(raft, 'InitState')
    becomeFollower(raft, raft.term, none)
    this.#queue = new ReadyQueue(raft)
    const last = log.lastId()
    raft.trace?.('info', 'started', [
      hex(raft.id), describeIds(jointIds(tracker.voters)), raft.term, log.committed, log.applied, last.index, last.term
    ])
  }

  get id (): NodeId { return this.#raft.id }

  tick (): void {
    this.#raft.ticks++
    if (this.#raft.role === 'leader') tickLeader(this.#raft)
    else tickFollower(this.#raft)
  }

  step (m: Message): StepResult {
    if (isLocal(m.type) && !isStorageLane(m.from)) return 'local-message'
    if (isResponse(m.type) && !isStorageLane(m.from) && this.#raft.tracker.get(m.from) === undefined) return 'peer-not-found'
    if (!isWellFormed(m) || (m.term === 0 && hasTerm(m.type) && !this.#raft.config.asEtcd)) return 'malformed'
    return step(this.#raft, m)
  }

  propose (entries: readonly EntryInput[]): ProposeResult {
    const raft = this.#raft
    if (raft.role === 'leader') return propose(raft, entries)
    assert(entries.length > 0, 'a proposal proposes something')
    if (entries.some(({ data }) => data.length > raft.config.limits.entryBytesMax)) return { kind: 'dropped', reason: 'entry-too-large' }

    const { lead } = raft
    const proposal = message('MsgProp', { from: raft.id, entries: entries.map(({ type, data }) => ({ term: 0, index: 0, type, data })) })
    if (step(raft, proposal) === 'accepted') return { kind: 'forwarded', to: lead }
    return { kind: 'dropped', reason: lead === none ? 'no-leader' : 'forwarding-disabled' }
  }

  proposeConfChange (change: ConfChange, version: 1 | 2 = 2): ProposeResult {
    return this.propose([encodeConfChange(change, version)])
  }

  applyConfChange (change: ConfChange): ConfState {
    return applyConfChange(this.#raft, change)
  }

  readIndex (context: number): StepResult {
    return step(this.#raft, message('MsgReadIndex', { context }))
  }

  transferLeader (to: NodeId): StepResult {
    return step(this.#raft, message('MsgTransferLeader', { from: to }))
  }

  campaign (): void {
    step(this.#raft, message('MsgHup', {}))
  }

  forgetLeader (): void {
    step(this.#raft, message('MsgForgetLeader', {}))
  }

  reportUnreachable (id: NodeId): void {
    step(this.#raft, message('MsgUnreachable', { from: id }))
  }

  reportSnapshot (id: NodeId, ok: boolean): void {
    step(this.#raft, message('MsgSnapStatus', { from: id, reject: !ok }))
  }

  voidLease (): void {
    this.#raft.reads.voidLease()
  }

  entriesFetched (): void {
    this.#raft.log.entriesFetched()
    if (this.#raft.role === 'leader') resumeAppends(this.#raft)
  }

  hasReady (): boolean {
    return this.#queue.has
  }

  ready (): Ready {
    return this.#queue.take()
  }

  advance (): void {
    for (const m of this.#queue.advance()) step(this.#raft, m)
  }

  status (): Status {
    return statusOf(this.#raft)
  }

  setRandomizedElectionTicks (ticks: number): void {
    assert(ticks > 0, 'an election waits at least a tick', ticks)
    this.#raft.randomizedElectionTicks = ticks
  }
}

/** Entries must follow the one their message names, in order and of its leader's time: storage and log rely on it. */
function isWellFormed (m: Message): boolean {
  if (m.term > termMax) return false
  if (m.type === 'MsgProp') return m.entries.length > 0
  if (m.type === 'MsgSnap') return m.snapshot !== undefined
  if (m.type !== 'MsgApp') return true
  let { index, logTerm } = m
  for (const entry of m.entries) {
    if (entry.index !== index + 1 || entry.term < logTerm) return false
    index = entry.index
    logTerm = entry.term
  }
  return logTerm <= m.term && index <= indexMax
}
