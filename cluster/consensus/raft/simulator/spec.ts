import { hashEntry, decodeCommand, takesEffect } from './machine.ts'
import { LeaderClaims } from './spec-leader.ts'
import { confText, isQuorum, isVoter, sameConf } from './spec-membership.ts'
import { covers, lastIndexOf } from './log-image.ts'
import { require } from './violation.ts'
import type { ConfState, Entry, Index, Message, MessageType, NodeId, Ready, Role, Snapshot, Status, Term } from '../core/types.ts'
import type { LogImage } from './log-image.ts'
import type { MachineState } from './machine.ts'
import type { Settings } from './settings.ts'

/** What can be seen of a peer from outside at the moment it hands out work. */
export interface Seen {
  readonly term: Term
  readonly role: Role
  readonly commit: Index
}

/** One peer as the specification sees it. The log is the one it *said* it has: handed out, not yet durable. */
interface SpecPeer {
  readonly id: NodeId
  readonly votes: Map<Term, NodeId>
  term: Term
  commit: Index
  conf: ConfState
  base: Index
  baseTerm: Term
  terms: Term[]
}

interface Identity {
  readonly term: Term
  readonly previousTerm: Term
  readonly hash: number
}

interface Canonical {
  readonly term: Term
  readonly hash: number
  readonly digest: number
  readonly conf: ConfState
}

/** Kinds that promise something, or claim a leadership, in the name of the sender's term (D1, D2, D4, D5). */
const bindsTerm: ReadonlySet<MessageType> = new Set(
  ['MsgVote', 'MsgVoteResp', 'MsgApp', 'MsgAppResp', 'MsgHeartbeat', 'MsgSnap', 'MsgTimeoutNow'])

/**
 * Raft as an executable specification: plain arrays of who led, who voted, what was committed. It is told of every
 * step and throws a `SpecViolation` at the first that Raft does not allow. It trusts nothing the engine says about
 * quorums or memberships: those it works out itself, from the disks.
 */
export class Spec {
  readonly #durable: (id: NodeId) => Readonly<LogImage>
  readonly #settings: Settings
  readonly #peers = new Map<NodeId, SpecPeer>()
  readonly #leaders = new Map<Term, NodeId>()
  /** By index: all entries that ever stood there. Two with one term are one entry with one predecessor. */
  readonly #identities: Identity[][] = []
  readonly #committed: Term[] = []
  readonly #commitOfTerm = new Map<Term, Index>()
  readonly #canonical: Array<Canonical | undefined> = []
  readonly #effects = new Set<string>()
  readonly #reads = new Map<number, Index>()
  #claims: LeaderClaims
  #newestTerm: Term = 0
  commit: Index = 0
  elections = 0
  /** The highest number of a read that was answered. */
  lastReadAnswered = 0

  constructor (settings: Settings, durable: (id: NodeId) => Readonly<LogImage>) {
    this.#settings = settings
    this.#durable = durable
    this.#claims = new LeaderClaims(settings)
  }

  /** A peer starts, for the first time or again, from what its disk kept and its machine remembers. */
  started (id: NodeId, image: Readonly<LogImage>, machine: MachineState): void {
    const before = this.#peers.get(id)
    if (before !== undefined) {
      require(machine.applied <= lastIndexOf(image), 'applied-is-committed', () => `peer ${id} restarts with ${machine.applied} applied and its log ending at ${lastIndexOf(image)}`)
    }
    this.#peers.set(id, {
      id,
      votes: before?.votes ?? new Map(),
      term: image.hard.term,
      commit: image.hard.commit,
      conf: machine.conf,
      base: image.base,
      baseTerm: image.baseTerm,
      terms: image.entries.map(entry => entry.term)
    })
    for (const { index, term } of before === undefined ? image.entries : []) if (index <= image.hard.commit) this.#committed[index] ??= term
    this.#compare(id, machine)
  }

  /** A peer hands out work: what it will write, and what it has become. */
  handedOut (id: NodeId, { snapshot, entries }: Ready, seen: Status): void {
    const peer = this.#peer(id)
    require(seen.term >= peer.term, 'monotone-term', () => `peer ${id} went from term ${peer.term} to ${seen.term}`)
    peer.term = seen.term
    if (snapshot !== undefined) this.#installed(peer, snapshot)
    this.#appended(peer, entries)
    this.committed(id, seen)
    if (seen.role !== 'leader') return
    if (this.#leaders.get(seen.term) !== id) this.#elected(peer)
    if (seen.term !== this.#newestTerm) return
    const termOf = (index: Index): Term | undefined => this.#termOf(peer, index)
    this.#claims.check(seen, peer.conf, { durable: this.#durable, termOf })
  }

  /** A peer's commit index may have moved. To be told before it applies a membership change, and at every Ready. */
  committed (id: NodeId, seen: Seen): void {
    const peer = this.#peer(id)
    const last = peer.base + peer.terms.length
    const commit = Math.min(seen.commit, last)
    require(commit >= peer.commit, 'monotone-commit', () => `peer ${id} went from commit ${peer.commit} to ${seen.commit}, its log ending at ${last}`)
    for (let index = peer.commit + 1; index <= commit; index++) {
      const term = this.#termOf(peer, index)
      if (term === undefined) continue // inside a snapshot: compared when it was made, and when it is restored
      this.#committed[index] ??= term
      require(this.#committed[index] === term, 'state-machine-safety', () => `index ${index} was committed in term ${this.#committed[index]}, and in term ${term} by peer ${id}`)
    }
    peer.commit = commit
    if (commit > this.commit) this.#newlyCommitted(peer, seen.role)
    if (commit > (this.#commitOfTerm.get(peer.term) ?? 0)) this.#commitOfTerm.set(peer.term, commit)
  }

  /** A message leaves a peer: what it promises must be on disk. */
  sent (id: NodeId, message: Message): void {
    if (!bindsTerm.has(message.type)) return
    const { hard, ...durable } = this.#durable(id)
    require(hard.term >= message.term, 'durable-before-said', () => `peer ${id} says ${message.type} in term ${message.term}; its disk says ${hard.term}`)
    if (message.reject) return

    if (message.type === 'MsgAppResp') {
      const last = durable.base + durable.entries.length
      // In a newer term another leader may have replaced, before this left, what it held when it was said: as if written twice.
      require(hard.term > message.term || last >= message.index, 'durable-before-said', () => `peer ${id} acknowledges ${message.index}; its disk ends at ${last}`)
    }
    if (message.type === 'MsgVoteResp') {
      require(hard.term > message.term || hard.vote === message.to, 'durable-before-said', () => `peer ${id} grants its vote of term ${message.term} to ${message.to}; its disk says ${hard.vote}`)
      this.#voted(this.#peer(id), message.term, message.to)
    }
  }

  /** An entry is about to be applied by a peer whose machine is at `before`, and makes it `after`. */
  appliedEntry (id: NodeId, entry: Entry, before: MachineState, after: MachineState): void {
    const peer = this.#peer(id)
    require(entry.index === before.applied + 1, 'applied-is-committed', () => `peer ${id} applies ${entry.index} after ${before.applied}`)
    require(entry.index <= peer.commit, 'applied-is-committed', () => `peer ${id} applies ${entry.index}; it has committed ${peer.commit}`)
    require(covers(this.#durable(id), entry.index, entry.term), 'durable-before-said', () => `peer ${id} applies ${entry.index} before its disk has it`)
    peer.conf = after.conf

    if (this.#canonical[entry.index] === undefined) this.#firstApplied(entry, before, after)
    const canonical = this.#canonical[entry.index] as Canonical
    require(canonical.term === entry.term && canonical.hash === hashEntry(entry), 'state-machine-safety', () => `peer ${id} applies another entry at ${entry.index}`)
    this.#compare(id, after)
  }

  /** A peer's machine was replaced by a snapshot. */
  restored (id: NodeId, machine: MachineState): void {
    this.#peer(id).conf = machine.conf
    this.#compare(id, machine)
  }

  readAsked (context: number): void {
    this.#reads.set(context, this.commit)
  }

  readAnswered (id: NodeId, context: number, index: Index): void {
    const least = this.#reads.get(context)
    this.lastReadAnswered = Math.max(this.lastReadAnswered, context)
    require(least !== undefined, 'read-index', () => `peer ${id} answers read ${context}, which nobody asked`)
    require(index >= least, 'read-index', () => `peer ${id} answers read ${context} with ${index}; ${least} was committed when it was asked`)
  }

  /** The newest membership anyone has applied. */
  conf (): ConfState | undefined {
    return this.#canonical.at(-1)?.conf
  }

  leads (id: NodeId, term: Term): boolean {
    return this.#leaders.get(term) === id
  }

  #installed (peer: SpecPeer, { meta }: Snapshot): void {
    require(meta.index > peer.commit, 'monotone-commit', () => `peer ${peer.id} replaces its log by a snapshot at ${meta.index}; it has committed ${peer.commit}`)
    require(this.#committed[meta.index] === undefined || this.#committed[meta.index] === meta.term, 'state-machine-safety', () => `peer ${peer.id} installs a snapshot of index ${meta.index}, term ${meta.term}`)
    peer.base = meta.index
    peer.baseTerm = meta.term
    peer.terms = []
    peer.commit = meta.index
  }

  #appended (peer: SpecPeer, entries: readonly Entry[]): void {
    const first = entries[0]
    if (first === undefined) return
    require(first.index > peer.commit, 'log-matching', () => `peer ${peer.id} overwrites ${first.index}; it has committed ${peer.commit}`)
    require(first.index <= peer.base + peer.terms.length + 1, 'log-matching', () => `peer ${peer.id} leaves a gap before ${first.index}`)
    peer.terms.length = first.index - peer.base - 1
    for (const entry of entries) {
      const previousTerm = peer.terms.at(-1) ?? peer.baseTerm
      require(entry.term >= previousTerm && entry.term <= peer.term, 'log-matching', () => `peer ${peer.id}, in term ${peer.term}, appends ${entry.index} of term ${entry.term} after term ${previousTerm}`)
      this.#identify(peer.id, entry, previousTerm)
      peer.terms.push(entry.term)
    }
  }

  #identify (id: NodeId, entry: Entry, previousTerm: Term): void {
    const here = this.#identities[entry.index] ??= []
    const hash = hashEntry(entry)
    const known = here.find(({ term }) => term === entry.term)
    if (known === undefined) here.push({ term: entry.term, previousTerm, hash })
    else require(known.hash === hash && known.previousTerm === previousTerm, 'log-matching', () => `peer ${id} has another entry at ${entry.index} in term ${entry.term}, or another one before it`)
  }

  #newlyCommitted (peer: SpecPeer, role: Role): void {
    const { id, commit, conf } = peer
    const term = this.#termOf(peer, commit) as Term
    this.commit = commit
    require(role !== 'leader' || term === peer.term, 'commit-own-term', () => `leader ${id} of term ${peer.term} commits ${commit} of term ${term} by counting`)
    require(isQuorum(conf, voter => covers(this.#durable(voter), commit, term)), 'committed-is-durable', () => `peer ${id} commits ${commit} of term ${term}, which no quorum of ${confText(conf)} has on disk`)
  }

  #elected (peer: SpecPeer): void {
    const { id, term } = peer
    const other = this.#leaders.get(term)
    require(other === undefined, 'election-safety', () => `${id} and ${other} both lead term ${term}`)
    this.#leaders.set(term, id)
    this.elections++
    if (term > this.#newestTerm) {
      this.#newestTerm = term
      this.#claims = new LeaderClaims(this.#settings)
    }
    this.#voted(peer, term, id)
    require(isVoter(peer.conf, id), 'membership', () => `${id} leads term ${term} and is no voter of ${confText(peer.conf)}`)
    for (const [earlier, index] of this.#commitOfTerm) {
      if (earlier >= term || index <= peer.base) continue
      require(this.#termOf(peer, index) === this.#committed[index], 'leader-completeness', () => `leader ${id} of term ${term} lacks ${index}, committed in term ${earlier}`)
    }
  }

  #voted (peer: SpecPeer, term: Term, candidate: NodeId): void {
    const before = peer.votes.get(term)
    require(before === undefined || before === candidate, 'one-vote-a-term', () => `peer ${peer.id} votes in term ${term} for ${before} and for ${candidate}`)
    peer.votes.set(term, candidate)
  }

  #firstApplied (entry: Entry, before: MachineState, after: MachineState): void {
    this.#canonical[entry.index] = { term: entry.term, hash: hashEntry(entry), digest: after.digest, conf: after.conf }
    const command = entry.type === 'EntryNormal' ? decodeCommand(entry.data) : undefined
    if (command === undefined || !takesEffect(before.sessions, command)) return
    const name = `${command.client}:${command.sequence}`
    require(!this.#effects.has(name) || command.client >= before.sessions.length, 'exactly-once', () => `operation ${name} takes effect again at ${entry.index}`)
    this.#effects.add(name)
  }

  #compare (id: NodeId, { applied, digest, conf }: MachineState): void {
    const canonical = this.#canonical[applied]
    if (canonical === undefined) return
    require(canonical.digest === digest, 'state-machine-safety', () => `peer ${id} has another state at ${applied}`)
    require(sameConf(canonical.conf, conf), 'membership', () => `peer ${id} has ${confText(conf)} at ${applied}; others ${confText(canonical.conf)}`)
  }

  #termOf (peer: SpecPeer, index: Index): Term | undefined {
    return index === peer.base ? peer.baseTerm : peer.terms[index - peer.base - 1]
  }

  #peer (id: NodeId): SpecPeer {
    const peer = this.#peers.get(id)
    require(peer !== undefined, 'membership', () => `peer ${id} acts and was never started`)
    return peer
  }
}
