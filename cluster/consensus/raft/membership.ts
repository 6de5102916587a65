/**
 * Changes of who belongs to the group, step by step: a new peer first learns, and votes only once it has caught up, so
 * that taking in a slow or dead one never costs the others their majority.
 */
import { emptyData } from './core/entries.ts'
import type { ConfChange, ConfChangeSingle, ConfState, Index, NodeId, ProposeResult, Status, Term } from './core/types.ts'
import { DroppedError, NotLeaderError, UnknownOutcomeError } from './errors.ts'
import { encodeRoster } from './members.ts'
import type { Member, Roster } from './members.ts'

export interface MembershipComponents {
  readonly status: () => Status
  /** Undefined, and nothing done, when the membership is not the one that entry `ifConfIndex` brought about. */
  readonly propose: (change: ConfChange, ifConfIndex: Index | undefined) => Promise<ProposeResult | undefined>
  readonly transfer: (to: NodeId, options: { readonly signal: AbortSignal }) => Promise<void>
  /** Resolves after the next tick. */
  readonly nextTick: (signal: AbortSignal) => Promise<void>
}

export interface ChangeOptions {
  readonly signal: AbortSignal
  /** Only if the membership is still the one this entry brought about. */
  readonly ifConfIndex?: Index
}

/** What is noted along with a change, in the same entry: of these members, and of who is trusted. */
export interface NotedChange extends ChangeOptions { readonly noted?: Partial<Roster> }

const nothing: Partial<Roster> = {}

/**
 * A learner votes once it has received, within so many ticks, all that was committed when they began (the last of the rounds of Raft's
 * dissertation, 4.2.1): about so long the others may have to wait for it. How many entries it lacks says nothing, for they may be large.
 */
const roundTicksMax = 10

export class Membership {
  readonly #with: MembershipComponents
  readonly #waiting = new Map<Index, { readonly term: Term, readonly done: PromiseWithResolvers<void> }>()

  constructor (components: MembershipComponents) { this.#with = components }

  /** As a learner first; when it has caught up, as a voter, unless it is to stay a learner. */
  async add (member: Member, { asLearner = false, ...options }: ChangeOptions & { readonly asLearner?: boolean }): Promise<void> {
    const { conf } = this.#with.status()
    if (!conf.learners.includes(member.id) && !conf.voters.includes(member.id)) {
      await this.#change([{ type: 'ConfChangeAddLearnerNode', nodeId: member.id }], { ...options, noted: { members: [member] } })
    }
    if (!asLearner) await this.promote(member.id, { signal: options.signal })
  }

  /** Waits until the learner has caught up. It is refused nothing but time: the caller's signal ends the wait. */
  async promote (id: NodeId, options: NotedChange): Promise<void> {
    while (!this.#with.status().conf.voters.includes(id)) {
      await this.caughtUp(id, options)
      if (!this.#with.status().conf.voters.includes(id)) await this.#change([{ type: 'ConfChangeAddNode', nodeId: id }], options)
    }
  }

  /** What is noted of a member changes, where it is reached, say. Whether it votes does not. */
  async amend (member: Member, options: ChangeOptions): Promise<void> {
    await this.note({ members: [member] }, options)
  }

  /** What is noted changes, of members or of who is trusted, and nothing else. */
  async note (noted: Partial<Roster>, options: ChangeOptions): Promise<void> {
    await this.#change([{ type: 'ConfChangeUpdateNode', nodeId: this.#with.status().id }], { ...options, noted })
  }

  /** A voter learns from now on. A leader hands over first, see `remove`. */
  async demote (id: NodeId, options: NotedChange): Promise<void> {
    await this.#spare(id, options)
    await this.#change([{ type: 'ConfChangeAddLearnerNode', nodeId: id }], options)
  }

  /** A leader that is to go hands over first, so that nobody waits for an election. */
  async remove (id: NodeId, options: ChangeOptions): Promise<void> {
    await this.#spare(id, options)
    await this.#change([{ type: 'ConfChangeRemoveNode', nodeId: id }], options)
  }

  /** Sees to it that the others can decide without `id`. @throws NotLeaderError when this peer was it, and hands over; DroppedError when too few of them are there */
  async #spare (id: NodeId, options: ChangeOptions): Promise<void> {
    const { id: self, conf, role, lead, progress } = this.#with.status()
    if (role !== 'leader') throw new NotLeaderError(lead === 0 ? undefined : lead) // it hears of nobody
    if (id === self && conf.voters.length > 1) {
      await this.#with.transfer(mostUpToDate(progress.filter(peer => !peer.learner && peer.id !== self)), options)
      throw new NotLeaderError(undefined)
    }
    const others = conf.voters.filter(voter => voter !== id)
    const alive = progress.filter(peer => others.includes(peer.id) && (peer.recentActive || peer.id === self)).length
    // Two of which one is dead: without it the other alone decides, but it cannot decide that.
    if (conf.voters.includes(id) && others.length > 0 && alive < Math.floor(others.length / 2) + 1) throw new DroppedError('no-leader')
  }

  /** `added` learns first; then one joint change puts it in the place of `removed`. */
  async replace (removed: NodeId, added: Member, options: ChangeOptions): Promise<void> {
    await this.add(added, { ...options, asLearner: true })
    await this.caughtUp(added.id, options)
    await this.#change([
      { type: 'ConfChangeAddNode', nodeId: added.id },
      { type: 'ConfChangeRemoveNode', nodeId: removed }
    ], { signal: options.signal })
    while (this.#with.status().conf.votersOutgoing.length > 0) await this.#with.nextTick(options.signal)
  }

  entryApplied (index: Index, term: Term): void {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting.get(index)
    if (waiting === undefined) return
    this.#waiting.delete(index)
    if (waiting.term === term) waiting.done.resolve()
    else waiting.done.reject(new DroppedError('overwritten'))
  }

  stop (reason: Error): void {
    for (const { done } of this.#waiting.values()) done.reject(new UnknownOutcomeError(0, 0, { cause: reason }))
  }

  /** Resolves when a learner has all that was committed a moment ago. */
  async caughtUp (id: NodeId, { signal }: ChangeOptions): Promise<void> {
    let round = { commit: this.#with.status().commit, ticks: 0 }
    while (true) {
      const { role, lead, commit, progress } = this.#with.status()
      if (role !== 'leader') throw new NotLeaderError(lead === 0 ? undefined : lead)
      const peer = progress.find(peer => peer.id === id)
      if (peer === undefined) throw new DroppedError('not-member')
      const hasAll = peer.recentActive && peer.state === 'replicate' && peer.match >= round.commit
      if (hasAll && round.ticks <= roundTicksMax) return
      round = hasAll ? { commit, ticks: 0 } : { ...round, ticks: round.ticks + 1 }
      await this.#with.nextTick(signal)
    }
  }

  async #change (changes: readonly ConfChangeSingle[], { signal, ifConfIndex, noted = nothing }: NotedChange): Promise<void> {
    const context = noted === nothing ? emptyData : encodeRoster({ members: [], ...noted })
    while (true) {
      signal.throwIfAborted()
      const { role, lead } = this.#with.status()
      if (role !== 'leader') throw new NotLeaderError(lead === 0 ? undefined : lead)
      const outcome = await this.#with.propose({ transition: 'auto', changes, context }, ifConfIndex)
      if (outcome === undefined) throw new DroppedError('outdated')
      if (outcome.kind === 'appended' && outcome.refusal === undefined) {
        await this.#applied(outcome.index, outcome.term, signal)
        return
      }
      const reason = outcome.kind === 'appended' ? outcome.refusal! : outcome.kind === 'dropped' ? outcome.reason : 'not-member'
      // These pass by themselves, in a moment.
      if (reason !== 'change-pending' && reason !== 'still-joint' && reason !== 'transferring') throw new DroppedError(reason)
      await this.#with.nextTick(signal)
    }
  }

  async #applied (index: Index, term: Term, signal: AbortSignal): Promise<void> {
    const done = Promise.withResolvers<void>()
    this.#waiting.set(index, { term, done })
    const abandon = (): void => { done.reject(new UnknownOutcomeError(0, 0, { cause: signal.reason })) }
    signal.addEventListener('abort', abandon, { once: true })
    try {
      await done.promise
    } finally {
      signal.removeEventListener('abort', abandon)
      this.#waiting.delete(index)
    }
  }
}

export function mostUpToDate (peers: Status['progress']): NodeId {
  const [best] = peers.toSorted((a, b) => Number(b.recentActive) - Number(a.recentActive) || b.match - a.match || a.id - b.id)
  if (best === undefined) throw new DroppedError('no-leader')
  return best.id
}

/** So the state of a membership reads in a log line. */
export function describeConf ({ voters, votersOutgoing, learners }: ConfState): string {
  return `voters ${voters.join(' ')}${votersOutgoing.length > 0 ? ` leaving ${votersOutgoing.join(' ')}` : ''}${learners.length > 0 ? ` learners ${learners.join(' ')}` : ''}`
}
