import { assert } from './assert.ts'
import { jointCommittedIndex } from './joint.ts'
import type { JointVoters } from './joint.ts'
import type { Index, Message, NodeId } from './types.ts'

export interface PendingRead {
  readonly request: Message
  /** The commit index when it was asked for. */
  readonly index: Index
  /** The heartbeat round that confirms it: the first one sent after it was asked for. */
  readonly round: number
}

/**
 * Reads that wait until a majority has answered a heartbeat sent after them, which proves that nobody else led in
 * between. Rounds are numbered within one leadership; an answer confirms its round and all before. Reads that come
 * before the leader's first commit are parked: until then its commit index may be behind.
 */
export class ReadQueue {
  readonly #max: number
  #pending: PendingRead[] = []
  #parked: Message[] = []
  #round = 0
  readonly #acked = new Map<NodeId, number>()
  readonly #ackedBy = (id: NodeId): number | undefined => this.#acked.get(id)
  /** When the rounds were sent whose answers could still extend the lease, oldest first. */
  #sent: Array<{ readonly round: number, readonly tick: number }> = []
  #leaseTick = -Infinity
  #leaseRoundMin = 0

  constructor (max: number) {
    this.#max = max
  }

  get size (): number { return this.#pending.length + this.#parked.length }
  get full (): boolean { return this.size >= this.#max }
  /** Reads were added since the last round was sent. */
  get needsRound (): boolean { return (this.#pending.at(-1)?.round ?? 0) > this.#round }
  get waitsForRound (): boolean { return this.#pending.length > 0 }

  park (request: Message): void {
    assert(!this.full, 'waiting reads are bounded', this.size)
    this.#parked.push(request)
  }

  takeParked (): readonly Message[] {
    const parked = this.#parked
    if (parked.length > 0) this.#parked = []
    return parked
  }

  add (request: Message, index: Index): void {
    assert(!this.full, 'waiting reads are bounded', this.size)
    assert(index >= (this.#pending.at(-1)?.index ?? 0), 'the commit index never falls', index)
    this.#pending.push({ request, index, round: this.#round + 1 })
  }

  /** The number to send with the heartbeats that go out now. */
  startRound (tick: number, electionTicks: number): number {
    this.#round++
    this.#sent = this.#sent.filter(sent => sent.tick > tick - electionTicks)
    this.#sent.push({ round: this.#round, tick })
    return this.#round
  }

  /** Takes an answer and returns the reads it confirms. */
  acknowledge (from: NodeId, round: number, voters: JointVoters): readonly PendingRead[] {
    if (round > this.#round) return []
    this.#acked.set(from, Math.max(this.#acked.get(from) ?? 0, round))

    const confirmed = jointCommittedIndex(voters, this.#ackedBy)
    this.#extendLease(confirmed)
    let count = 0
    while (count < this.#pending.length && this.#pending[count]!.round <= confirmed) count++
    return count === 0 ? [] : this.#pending.splice(0, count)
  }

  /** The tick until which no other leader can have been elected, if clocks run alike. */
  leaseUntil (electionTicks: number): number {
    const drift = Math.max(1, Math.ceil(electionTicks / 10))
    return this.#leaseTick + electionTicks - drift
  }

  /** Only rounds that start from now on count. */
  voidLease (): void {
    this.#leaseTick = -Infinity
    this.#leaseRoundMin = this.#round + 1
  }

  /** A transfer may make its target stand at any later time in this term: no lease any more. */
  endLease (): void {
    this.#leaseTick = -Infinity
    this.#leaseRoundMin = Infinity
  }

  reset (): void {
    this.#pending = []
    this.#parked = []
    this.#round = 0
    this.#acked.clear()
    this.#sent = []
    this.#leaseTick = -Infinity
    this.#leaseRoundMin = 0
  }

  #extendLease (confirmed: number): void {
    const sent = this.#sent.findLast(({ round }) => round <= confirmed)
    if (sent === undefined || sent.round < this.#leaseRoundMin) return
    this.#leaseTick = Math.max(this.#leaseTick, sent.tick)
  }
}
