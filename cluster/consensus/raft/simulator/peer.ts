import { RaftCore } from '../core/raft.ts'
import { createPrng } from '../core/prng.ts'
import { decodeConfChange } from '../core/conf-codec.ts'
import { AsyncLanes } from './async-lanes.ts'
import { SyncLane } from './sync-lane.ts'
import { applied, fromSnapshot, toSnapshot } from './machine.ts'
import { changed, confText, sameConf } from './spec-membership.ts'
import { require } from './violation.ts'
import type { SimDisk } from './disk.ts'
import type { MachineState } from './machine.ts'
import type { Random } from './random.ts'
import type { Settings } from './settings.ts'
import type { Spec } from './spec.ts'
import type { ConfChange, ConfState, Entry, Message, NodeId, RaftCoreConfig, Ready, Snapshot, Status } from '../core/types.ts'
import type { Trace } from './trace.ts'

/** What a peer needs of the world around it. */
export interface PeerSurroundings {
  readonly settings: Settings
  readonly spec: Spec
  readonly random: Random
  readonly trace: Trace
  readonly round: () => number
  readonly send: (from: NodeId, message: Message) => void
  /** `entry` has taken effect on `id`: time to answer whoever waits there. */
  readonly applied: (id: NodeId, entry: Entry) => void
  /** Everything under fire is over: disks are quick from now on. */
  readonly isCalm: () => boolean
  /** What a scenario wants otherwise than the settings have it. */
  readonly core?: Partial<RaftCoreConfig>
}

/** How a peer carries out what the core hands out: one thing after the other, or by lanes that may be behind. */
export interface Lane {
  /** Goes on with what is under way, and takes more if there is. */
  work: () => void
}

/** Thrown through a peer's own steps and caught at its edge: the instruction at which the power goes. */
const powerCut = Symbol('power cut')

const inboxMax = 64
const snapshotRounds = 6

/** A simulated process: the real core, a disk that forgets, and the owner's duties done step by step. */
export class SimPeer {
  readonly id: NodeId
  readonly disk: SimDisk
  readonly surroundings: PeerSurroundings
  #core: RaftCore | undefined
  #lane: Lane | undefined
  #machine: MachineState
  #machineOnDisk: MachineState
  #crashIn = 0
  #snapshotDue: { readonly state: MachineState, readonly round: number } | undefined
  #inbox: Message[] = []
  #starts = 0
  isPaused = false
  isUp = false

  constructor (id: NodeId, disk: SimDisk, surroundings: PeerSurroundings) {
    this.id = id
    this.disk = disk
    this.surroundings = surroundings
    this.#machine = fromSnapshot(disk.durable.snapshot)
    this.#machineOnDisk = this.#machine
    disk.isCold = () => !surroundings.isCalm() && surroundings.random.chance(surroundings.settings.coldReads)
  }

  get core (): RaftCore { return this.#core as RaftCore }
  get machine (): MachineState { return this.#machine }

  start (): void {
    const { settings, spec, random, trace } = this.surroundings
    const kept = this.disk.durable.snapshot
    this.#machine = kept.meta.index > this.#machineOnDisk.applied ? fromSnapshot(kept) : this.#machineOnDisk
    this.#machineOnDisk = this.#machine
    this.disk.conf = this.#machine.conf
    this.disk.raiseCommit(this.#machine.applied)
    spec.started(this.id, this.disk.durable, this.#machine)
    this.#core = new RaftCore({
      id: this.id,
      log: this.disk,
      random: createPrng(random.u32()),
      electionTicks: settings.electionTicks,
      heartbeatTicks: 1,
      applied: this.#machine.applied,
      limits: {
        messageBytesMax: settings.messageBytesMax,
        applyingBytesMax: settings.applyBytesMax,
        uncommittedBytesMax: settings.uncommittedBytesMax,
        inflightMessagesMax: settings.inflightMessagesMax,
        inflightBytesMax: settings.inflightBytesMax === 0 ? Number.MAX_SAFE_INTEGER : Math.max(settings.inflightBytesMax, settings.messageBytesMax)
      },
      asyncStorageWrites: settings.asyncStorage,
      preVote: settings.preVote !== (settings.mixedPreVote && this.id === 1),
      checkQuorum: settings.checkQuorum,
      disableProposalForwarding: settings.disableForwarding,
      stepDownOnRemoval: settings.stepDownOnRemoval,
      ...this.surroundings.core
    })
    this.#lane = (this.surroundings.core?.asyncStorageWrites ?? settings.asyncStorage) ? new AsyncLanes(this) : new SyncLane(this)
    this.isUp = true
    this.#starts++
    trace.add(1, this.id, this.#machine.applied, this.disk.durable.hard.term, this.disk.lastIndex())
  }

  /** The power goes now. */
  crash (): void {
    this.disk.crash()
    this.#core = undefined
    this.#lane = undefined
    this.#snapshotDue = undefined
    this.#inbox = []
    this.#crashIn = 0
    this.isUp = false
    this.isPaused = false
    this.surroundings.trace.add(2, this.id)
  }

  /** The power will go after so many more effects: between two writes, two messages, two applied entries. 0: never. */
  crashAfter (instructions: number): void {
    this.#crashIn = instructions
  }

  /** Runs something of this peer that may be cut off by the power going. Does nothing while it is down or stopped. */
  alive (work: (core: RaftCore) => void): void {
    if (this.#core === undefined || this.isPaused) return
    try {
      work(this.#core)
    } catch (err) {
      if (err !== powerCut) throw err
      this.crash()
    }
  }

  /** @returns whether it got in: a stopped process still has a socket buffer, a dead one has not */
  receive (message: Message): boolean {
    if (!this.isUp) return false
    if (this.isPaused) {
      if (this.#inbox.length >= inboxMax) return false
      this.#inbox.push(message)
      return true
    }
    this.alive(core => { core.step(message) })
    return true
  }

  tick (): void {
    this.alive(core => {
      core.tick()
      core.entriesFetched()
    })
  }

  /** One round of everything that goes on inside this process. */
  work (): void {
    this.alive(core => {
      const waiting = this.#inbox
      if (waiting.length > 0) {
        this.#inbox = []
        for (const message of waiting) core.step(message)
      }
      this.#lane?.work()
      this.#finishSnapshot()
    })
  }

  // What the lanes are made of. Each is one effect, and the power may go before it.

  instruction (): void {
    if (this.#crashIn > 0 && --this.#crashIn === 0) throw powerCut
  }

  failStop (): never {
    throw powerCut
  }

  seen (): Status {
    return this.core.status()
  }

  take (): Ready {
    const ready = this.core.ready()
    const { spec, trace } = this.surroundings
    const seen = this.seen()
    spec.handedOut(this.id, ready, seen)
    trace.add(3, this.id, seen.term, seen.commit, ready.entries.length)
    for (const { context, index } of ready.readStates) spec.readAnswered(this.id, context, index)
    return ready
  }

  send (message: Message): void {
    this.instruction()
    this.surroundings.spec.sent(this.id, message)
    this.surroundings.send(this.id, message)
  }

  restore (snapshot: Snapshot): void {
    this.instruction()
    this.#machine = fromSnapshot(snapshot)
    this.#machineOnDisk = this.#machine
    this.#snapshotDue = undefined
    this.disk.isMakingSnapshot = false
    this.surroundings.spec.restored(this.id, this.#machine)
  }

  apply (entry: Entry): void {
    if (entry.index <= this.#machine.applied) return // a snapshot has overtaken what the lane still had
    this.instruction()
    const { spec, random } = this.surroundings
    const before = this.#machine
    const after = applied(before, entry, this.#applyConf(entry, before.conf))
    spec.appliedEntry(this.id, entry, before, after)
    this.#machine = after
    this.surroundings.applied(this.id, entry)
    if (random.chance(0.3)) this.#machineOnDisk = after
    this.#maybeSnapshot()
  }

  #applyConf (entry: Entry, conf: ConfState): ConfState {
    const change = decodeConfChange(entry)
    if (change === undefined) return conf
    this.surroundings.spec.committed(this.id, this.seen())
    const wanted = withoutSuicide(conf, change)
    const expected = changed(conf, wanted)
    const actual = this.core.applyConfChange(wanted)
    require(sameConf(expected, actual), 'membership', () => `peer ${this.id} makes ${confText(actual)} of ${confText(conf)}; expected ${confText(expected)}`)
    return actual
  }

  #maybeSnapshot (): void {
    const { settings, random, round } = this.surroundings
    if (this.#snapshotDue !== undefined) return
    if (this.#machine.applied - this.disk.seen.snapshot.meta.index < settings.snapshotEvery) return
    this.#snapshotDue = { state: this.#machine, round: round() + random.below(snapshotRounds) }
    this.disk.isMakingSnapshot = random.chance(0.2)
  }

  #finishSnapshot (): void {
    if (this.#snapshotDue === undefined || this.#snapshotDue.round > this.surroundings.round()) return
    this.instruction()
    const { state } = this.#snapshotDue
    this.#snapshotDue = undefined
    this.disk.isMakingSnapshot = false
    this.disk.keepSnapshot(toSnapshot(state), state.applied - this.surroundings.settings.trailing)
  }
}

/** An owner never lets the last voter go: it turns such a change into one that changes nothing, on every peer alike. */
function withoutSuicide (conf: ConfState, change: ConfChange): ConfChange {
  if (changed(conf, change).voters.length > 0) return change
  return { ...change, changes: change.changes.map(({ type }) => ({ type, nodeId: 0 })) }
}
