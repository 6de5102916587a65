import { assert, unreachable } from './assert.ts'
import { Inflights } from './inflights.ts'
import { Progress } from './progress.ts'
import type { Membership } from './tracker.ts'
import type { RaftLimits } from './limits.ts'
import type { ConfChange, ConfChangeSingle, Index, NodeId } from './types.ts'

export type ConfChangeErrorCode =
  | 'already-joint' | 'no-voters-to-join' | 'not-joint' | 'joint-needs-leaving' | 'several-voters' | 'no-voters-left'
  | 'too-many-members' | 'inconsistent'

/** A change that does not fit the membership it meets. Nothing has been changed. */
export class ConfChangeError extends Error {
  readonly code: ConfChangeErrorCode

  constructor (code: ConfChangeErrorCode, claim: string) {
    super(claim)
    this.code = code
  }

  override get name (): string { return 'ConfChangeError' }
}

export interface ConfChangeBase {
  readonly membership: Membership
  readonly progress: ReadonlyMap<NodeId, Progress>
  /** Where a new member is probed first. */
  readonly lastIndex: Index
  readonly limits: Pick<RaftLimits, 'inflightMessagesMax' | 'inflightBytesMax' | 'votersMax' | 'learnersMax'>
}

export interface ConfChangeOutcome {
  readonly membership: Membership
  readonly progress: ReadonlyMap<NodeId, Progress>
}

/** What applying `change` makes of the membership; the base is left as it is. */
export function changeMembership (base: ConfChangeBase, change: ConfChange): ConfChangeOutcome {
  if (leavesJoint(change)) return leaveJoint(base)
  if (entersJoint(change)) return enterJoint(base, change.transition !== 'explicit', change.changes)
  return changeSimply(base, change.changes)
}

export function leavesJoint ({ transition, changes }: ConfChange): boolean {
  return transition === 'auto' && changes.length === 0
}

export function entersJoint ({ transition, changes }: ConfChange): boolean {
  return transition !== 'auto' || changes.length > 1
}

/** From (a b c) to (…)&&(a b c), the changes being made to the incoming half. Until it is left both halves decide. */
export function enterJoint (base: ConfChangeBase, autoLeave: boolean, changes: readonly ConfChangeSingle[]): ConfChangeOutcome {
  const draft = new Draft(base)
  if (draft.outgoing.size > 0) throw new ConfChangeError('already-joint', 'the membership is joint already')
  if (draft.incoming.size === 0) throw new ConfChangeError('no-voters-to-join', 'without voters there is nothing to be joint with')

  draft.outgoing = new Set(draft.incoming)
  draft.apply(changes)
  return draft.finish(autoLeave)
}

/** The incoming half decides alone from now on; voters that were to become learners do. */
export function leaveJoint (base: ConfChangeBase): ConfChangeOutcome {
  const draft = new Draft(base)
  if (draft.outgoing.size === 0) throw new ConfChangeError('not-joint', 'the membership is not joint')

  for (const id of draft.learnersNext) draft.makeLearnerNow(id)
  draft.learnersNext.clear()
  for (const id of draft.outgoing) {
    if (!draft.incoming.has(id) && !draft.learners.has(id)) draft.progress.delete(id)
  }
  draft.outgoing.clear()
  return draft.finish(false)
}

/** Without a joint state: at most one voter comes or goes, so that old and new majorities share a member. */
export function changeSimply (base: ConfChangeBase, changes: readonly ConfChangeSingle[]): ConfChangeOutcome {
  const draft = new Draft(base)
  if (draft.outgoing.size > 0) throw new ConfChangeError('joint-needs-leaving', 'a joint membership must be left first')

  const before = new Set(draft.incoming)
  draft.apply(changes)
  if (before.symmetricDifference(draft.incoming).size > 1) {
    throw new ConfChangeError('several-voters', 'more than one voter comes or goes')
  }
  return draft.finish(false)
}

/** Sets being edited, with copies of the progress, so that a refused change leaves no trace. */
class Draft {
  readonly incoming: Set<NodeId>
  outgoing: Set<NodeId>
  readonly learners: Set<NodeId>
  readonly learnersNext: Set<NodeId>
  readonly progress: Map<NodeId, Progress>
  readonly #base: ConfChangeBase

  constructor (base: ConfChangeBase) {
    this.#base = base
    this.incoming = new Set(base.membership.voters.incoming)
    this.outgoing = new Set(base.membership.voters.outgoing)
    this.learners = new Set(base.membership.learners)
    this.learnersNext = new Set(base.membership.learnersNext)
    this.progress = new Map([...base.progress].map(([id, progress]) => [id, progress.withSharedWindow()]))
    this.#check(base.membership.autoLeave)
  }

  apply (changes: readonly ConfChangeSingle[]): void {
    for (const { type, nodeId } of changes) {
      // The application writes 0 over the id of a change it decided not to carry out.
      if (nodeId === 0) continue
      switch (type) {
        case 'ConfChangeAddNode': this.#makeVoter(nodeId); break
        case 'ConfChangeAddLearnerNode': this.#makeLearner(nodeId); break
        case 'ConfChangeRemoveNode': this.#remove(nodeId); break
        case 'ConfChangeUpdateNode': break
        default: unreachable(`a membership change of unknown type ${String(type)}`)
      }
    }
    if (this.incoming.size === 0) throw new ConfChangeError('no-voters-left', 'no voter would be left')
  }

  makeLearnerNow (id: NodeId): void {
    const progress = this.progress.get(id)
    assert(progress !== undefined, 'a learner is tracked', id)
    progress.isLearner = true
    this.learners.add(id)
  }

  finish (autoLeave: boolean): ConfChangeOutcome {
    this.#check(autoLeave)
    const { votersMax, learnersMax } = this.#base.limits
    if (Math.max(this.incoming.size, this.outgoing.size) > votersMax || this.learners.size > learnersMax) {
      throw new ConfChangeError('too-many-members', `at most ${votersMax} voters and ${learnersMax} learners`)
    }
    return {
      membership: {
        voters: { incoming: ascending(this.incoming), outgoing: ascending(this.outgoing) },
        learners: ascending(this.learners),
        learnersNext: ascending(this.learnersNext),
        autoLeave
      },
      progress: this.progress
    }
  }

  #makeVoter (id: NodeId): void {
    const progress = this.progress.get(id)
    this.incoming.add(id)
    if (progress === undefined) return this.#track(id, false)

    progress.isLearner = false
    this.learners.delete(id)
    this.learnersNext.delete(id)
  }

  /** A voter of the outgoing half stays one until the joint state is left: nobody is voter and learner at once. */
  #makeLearner (id: NodeId): void {
    const progress = this.progress.get(id)
    if (progress === undefined) {
      this.learners.add(id)
      return this.#track(id, true)
    }
    if (progress.isLearner) return

    this.#remove(id)
    this.progress.set(id, progress)
    if (this.outgoing.has(id)) this.learnersNext.add(id)
    else this.makeLearnerNow(id)
  }

  #remove (id: NodeId): void {
    if (!this.progress.has(id)) return
    this.incoming.delete(id)
    this.learners.delete(id)
    this.learnersNext.delete(id)
    if (!this.outgoing.has(id)) this.progress.delete(id)
  }

  #track (id: NodeId, isLearner: boolean): void {
    const { lastIndex, limits } = this.#base
    const inflights = new Inflights(limits.inflightMessagesMax, limits.inflightBytesMax)
    const progress = new Progress(id, Math.max(lastIndex, 1), isLearner, inflights)
    // Or the leader would step down, at the next check, for want of a member that had no time to answer.
    progress.recentActive = true
    this.progress.set(id, progress)
  }

  #check (autoLeave: boolean): void {
    const sound = (condition: boolean, claim: string): void => {
      if (!condition) throw new ConfChangeError('inconsistent', claim)
    }
    const ids = [...this.incoming, ...this.outgoing, ...this.learners, ...this.learnersNext]
    sound(ids.every(id => this.progress.has(id)), 'every member is tracked')
    for (const id of this.learnersNext) {
      sound(this.outgoing.has(id), 'who will be a learner is still an outgoing voter')
      sound(this.progress.get(id)?.isLearner === false, 'who will be a learner is not one yet')
    }
    for (const id of this.learners) {
      sound(!this.outgoing.has(id) && !this.incoming.has(id), 'nobody is voter and learner')
      sound(this.progress.get(id)?.isLearner === true, 'a learner is marked as one')
    }
    if (this.outgoing.size > 0) return
    sound(this.learnersNext.size === 0 && !autoLeave, 'only a joint membership has what follows it')
  }
}

function ascending (ids: ReadonlySet<NodeId>): readonly NodeId[] {
  return [...ids].sort((a, b) => a - b)
}
