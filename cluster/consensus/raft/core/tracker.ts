import { assert } from './assert.ts'
import { jointCommittedIndex, jointIds, jointVoteResult } from './joint.ts'
import type { JointVoters } from './joint.ts'
import { Progress } from './progress.ts'
import type { VoteResult } from './quorum.ts'
import type { ConfState, Index, NodeId } from './types.ts'

/** The membership in force. Learners and voters of either half never overlap. All lists ascend. */
export interface Membership {
  readonly voters: JointVoters
  readonly learners: readonly NodeId[]
  readonly learnersNext: readonly NodeId[]
  readonly autoLeave: boolean
}

export const emptyMembership: Membership = {
  voters: { incoming: [], outgoing: [] }, learners: [], learnersNext: [], autoLeave: false
}

export interface Tally {
  readonly granted: number
  readonly rejected: number
  readonly result: VoteResult
}

/** The membership, what is known of each member, and the votes of the running election. */
export class Tracker {
  #membership: Membership = emptyMembership
  #progress: ReadonlyMap<NodeId, Progress> = new Map()
  /** Ascending by id: the order in which peers are visited is part of what must be reproducible. */
  #members: readonly Progress[] = []
  readonly #votes = new Map<NodeId, boolean>()
  readonly #matchOf = (id: NodeId): Index | undefined => this.#progress.get(id)?.match
  readonly #voteOf = (id: NodeId): boolean | undefined => this.#votes.get(id)

  get membership (): Membership { return this.#membership }
  get voters (): JointVoters { return this.#membership.voters }
  get members (): readonly Progress[] { return this.#members }
  get progress (): ReadonlyMap<NodeId, Progress> { return this.#progress }
  get isJoint (): boolean { return this.voters.outgoing.length > 0 }
  get isSingleVoter (): boolean { return this.voters.incoming.length === 1 && !this.isJoint }

  use (membership: Membership, progress: ReadonlyMap<NodeId, Progress>): void {
    for (const id of jointIds(membership.voters)) assert(progress.has(id), 'every voter is tracked', id)
    for (const id of membership.learners) assert(progress.get(id)?.isLearner === true, 'every learner is tracked as one', id)
    this.#membership = membership
    this.#progress = progress
    this.#members = [...progress.values()].sort((a, b) => a.id - b.id)
  }

  get (id: NodeId): Progress | undefined {
    return this.#progress.get(id)
  }

  isVoter (id: NodeId): boolean {
    return this.voters.incoming.includes(id) || this.voters.outgoing.includes(id)
  }

  confState (): ConfState {
    const { voters, learners, learnersNext, autoLeave } = this.#membership
    return { voters: voters.incoming, votersOutgoing: voters.outgoing, learners, learnersNext, autoLeave }
  }

  /** The highest index that both majorities hold. */
  committed (): Index {
    return jointCommittedIndex(this.voters, this.#matchOf)
  }

  quorumActive (): boolean {
    const heard = (id: NodeId): boolean => this.#progress.get(id)?.recentActive ?? false
    return jointVoteResult(this.voters, heard) === 'won'
  }

  resetVotes (): void {
    this.#votes.clear()
  }

  /** The first answer counts; a repeated one changes nothing. */
  recordVote (id: NodeId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted)
  }

  tally (): Tally {
    let granted = 0
    let rejected = 0
    for (const { id, isLearner } of this.#members) {
      const vote = this.#votes.get(id)
      if (isLearner || vote === undefined) continue
      if (vote) granted++
      else rejected++
    }
    return { granted, rejected, result: jointVoteResult(this.voters, this.#voteOf) }
  }
}
