/** One member of a Raft group with everything around the core: what the rest of the program talks to. */
import { randomInt } from 'node:crypto'
import { Applier } from './applier.ts'
import type { ApplierHooks, Bookkeeping } from './applier.ts'
import { encodeInstruction } from './command.ts'
import { defaultLimits } from './core/limits.ts'
import type { RaftLimits } from './core/limits.ts'
import { createPrng } from './core/prng.ts'
import type { HardState, Index, NodeId, Snapshot } from './core/types.ts'
import { realDisk } from './disk.ts'
import { Driver } from './driver.ts'
import type { DriverHooks } from './driver.ts'
import { DroppedError, StoppedError } from './errors.ts'
import { inboundHandlers } from './inbound.ts'
import { AppendLane, ApplyLane } from './lanes.ts'
import { isAlone, leadAtOnce } from './lone-start.ts'
import { isOnly, mayWrite } from './members.ts'
import { Membership, mostUpToDate } from './membership.ts'
import { monotonicClock } from './monotonic-clock.ts'
import { pendingMaxDefault, Proposals } from './proposals.ts'
import type { Applied, ProposeOptions } from './proposals.ts'
import type { NodeEvents, RaftNode, RaftNodeComponents, RaftNodeConfig } from './raft-node.ts'
import { Reads } from './reads.ts'
import { recordFrom } from './recording.ts'
import { recoverState } from './recovery.ts'
import { slowestOf, Snapshotter } from './snapshotter.ts'
import { tornText } from './storage.ts'
import type { SnapshotPolicy } from './snapshotter.ts'
import { nodeStatus } from './status.ts'
import type { NodeStatus } from './status.ts'
import { Ticks } from './ticks.ts'

const defaultSnapshots: SnapshotPolicy = { thresholdEntries: 8_192, trailingEntries: 10_240 }

/** Idle until `start`. Owns the storage and the transport from then on. */
export function createRaftNode (components: RaftNodeComponents, config: RaftNodeConfig = {}, events: NodeEvents = {}): RaftNode {
  return new Engine(components, config, events)
}

class Engine implements RaftNode {
  readonly id: NodeId
  readonly membership: Membership
  readonly #with: Required<Pick<RaftNodeComponents, 'disk' | 'clock' | 'log'>> & RaftNodeComponents
  readonly #config: RaftNodeConfig & Required<Pick<RaftNodeConfig, 'tickMs' | 'electionTicks' | 'heartbeatTicks'>>
  readonly #events: NodeEvents
  readonly #limits: RaftLimits
  readonly #ended = Promise.withResolvers<unknown>()
  readonly #ticks = new Ticks()
  readonly #proposals: Proposals
  readonly #reads: Reads
  readonly #applier: Applier
  readonly #apply: ApplyLane
  readonly #snapshotter: Snapshotter
  #driver: Driver | undefined
  #state: 'built' | 'running' | 'failed' | 'stopped' = 'built'
  #stalls = 0

  constructor (components: RaftNodeComponents, config: RaftNodeConfig, events: NodeEvents) {
    this.#with = { disk: realDisk, clock: monotonicClock, log: () => {}, ...components }
    this.#config = { tickMs: 100, electionTicks: 10, heartbeatTicks: 1, ...config }
    this.#events = events
    this.#limits = { ...defaultLimits, ...config.limits }
    const { storage, machine, transport, folder, disk } = this.#with
    const { electionTicks, pendingMax = pendingMaxDefault, waitingMax = 65_536, leaderWaitTicks = Infinity, snapshots = defaultSnapshots } = this.#config
    this.id = storage.identity.nodeId

    const wake = (): void => this.#driver?.wake()
    const fail = (err: unknown): void => { this.#fail(err) }
    this.#proposals = new Proposals({ pendingMax, waitingMax, entryBytesMax: this.#limits.entryBytesMax, resendTicks: 3 * electionTicks, leaderWaitTicks }, wake, () => randomInt(2 ** 47))
    this.#reads = new Reads({ pendingMax: this.#limits.pendingReadsMax, repeatTicks: electionTicks, boot: storage.identity.boot }, wake)
    this.#applier = new Applier(machine, this.#applierHooks())
    this.#apply = new ApplyLane({ applier: this.#applier, deliver: messages => this.#driver?.deliver(messages), fail, applied: () => { this.#applied() } })
    this.#snapshotter = new Snapshotter({
      folder: `${folder}/snapshots`, disk, storage, machine, transport, applier: this.#applier, between: async task => await this.#apply.between(task), fail,
      slowest: () => slowestOf(this.#running.core.status().progress, this.id)
    }, snapshots)
    this.membership = new Membership({
      status: () => this.#running.core.status(),
      propose: async (change, ifConfIndex) => await this.#running.ask(core => ifConfIndex !== undefined && ifConfIndex !== this.#applier.at.confIndex ? undefined : core.proposeConfChange(change)),
      transfer: async (to, options) => { await this.transferLeadership(to, options) },
      nextTick: async signal => { await this.#ticks.next(signal) }
    })
  }

  get ended (): Promise<unknown> { return this.#ended.promise }

  get #running (): Driver {
    if (this.#driver === undefined) throw new StoppedError()
    return this.#driver
  }

  async start (): Promise<void> {
    const { storage, machine, transport } = this.#with
    await recoverState({ storage, machine, applier: this.#applier, snapshotter: this.#snapshotter })
    this.#tellTornEnd()
    const driver = this.#createDriver()
    this.#driver = driver
    this.#reads.applied(this.#applier.at.index)
    transport.useMembers(this.#applier.at.members)
    const { standing = { mayWrite: name => mayWrite(name, this.#applier.at), doubt () {} } } = this.#with
    await transport.start(inboundHandlers({ driver, applier: this.#applier, snapshotter: this.#snapshotter, standing }))
    this.#state = 'running'
    driver.start()
    if (isAlone(this.id, this.#applier.at, storage)) void leadAtOnce({ driver, storage, ticks: this.#ticks, applied: () => this.#applier.at.index })
  }

  #tellTornEnd (): void {
    const { storage: { torn }, log } = this.#with
    if (torn === undefined) return
    const { index } = this.#applier.at
    log('warn', index < torn.index ? tornText(torn) : `${tornText(torn)}. The state here holds all up to entry ${index}: nothing is lost`)
  }

  propose (data: Uint8Array, options: ProposeOptions): Promise<Applied> { return this.#proposals.propose(data, options) }

  async openSession (options: { readonly signal: AbortSignal }): Promise<number> { return await this.#proposals.openSession(options) }

  async readBarrier (options: { readonly signal: AbortSignal }): Promise<Index> { return await this.#reads.read(options) }

  refuseProposals (reason: Error | undefined): void { if (this.#state === 'built' || this.#state === 'running') this.#proposals.refuse(reason) }

  async raiseFeatureLevel (level: number): Promise<void> {
    await this.#running.ask(core => core.propose([{ type: 'EntryNormal', data: encodeInstruction({ kind: 'feature-level', level }) }]))
  }

  async transferLeadership (to: NodeId | undefined, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const driver = this.#running
    const { progress, conf } = driver.core.status()
    if (driver.soft.role !== 'leader') return
    const target = to ?? mostUpToDate(progress.filter(peer => !peer.learner && peer.id !== this.id))
    if (!conf.voters.includes(target)) throw new DroppedError('not-member')
    const begun = await driver.ask(core => { core.transferLeader(target); return driver.term })
    for (let ticks = 0; ticks < 2 * this.#config.electionTicks; ticks++) {
      if (driver.soft.role !== 'leader' || driver.term !== begun) return
      await this.#ticks.next(signal)
    }
    throw new DroppedError('transferring')
  }

  campaign (): void { void this.#running.post(core => { core.campaign() }) }

  leader (): NodeId | undefined { return this.#driver === undefined || this.#driver.soft.lead === 0 ? undefined : this.#driver.soft.lead }

  bookkeeping (): Bookkeeping { return this.#applier.at }

  acknowledged (peer: NodeId): Index {
    if (this.#driver?.soft.role !== 'leader') return 0
    return this.#driver.core.status().progress.find(({ id }) => id === peer)?.match ?? 0
  }

  status (): NodeStatus {
    const { storage, machine, transport } = this.#with
    return nodeStatus({
      driver: this.#running, storage, machine, transport, applier: this.#applier, apply: this.#apply, snapshotter: this.#snapshotter,
      proposals: this.#proposals, reads: this.#reads, stalls: this.#stalls
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#state === 'stopped') return
    const { electionTicks, tickMs } = this.#config
    if (this.#state === 'running' && this.#running.soft.role === 'leader' && this.#applier.at.conf.voters.length > 1) {
      // Nobody is to wait for an election because somebody goes home.
      await this.transferLeadership(undefined, { signal: AbortSignal.timeout(2 * electionTicks * tickMs) }).catch(() => {})
    }
    this.#state = 'stopped'
    this.#stopWork(new StoppedError())
    await this.#apply.stop()
    await this.#snapshotter[Symbol.asyncDispose]()
    await this.#with.transport[Symbol.asyncDispose]()
    await this.#with.storage[Symbol.asyncDispose]()
    this.#ended.resolve(undefined)
  }

  /** Nothing more is promised to anybody from here on. The owner sees `ended` and ends the process. */
  #fail (err: unknown): void {
    if (this.#state === 'failed' || this.#state === 'stopped') return
    this.#state = 'failed'
    this.#with.log('error', `the engine stops: ${(err as Error).stack ?? String(err)}`)
    this.#stopWork(err instanceof Error ? err : new Error(String(err)))
    this.#ended.resolve(err)
  }

  #stopWork (reason: Error): void {
    this.#driver?.stop()
    this.#proposals.refuse(reason)
    this.#reads.stop(reason)
    this.membership.stop(reason)
    this.#ticks.stop()
  }

  #applied (): void {
    this.#reads.applied(this.#applier.at.index)
    this.#snapshotter.applied()
    this.#events.applied?.(this.#applier.at.index)
  }

  #useMembership (): void {
    this.#with.transport.useMembers(this.#applier.at.members)
    this.#events.membership?.(this.#applier.at)
  }

  #applierHooks (): ApplierHooks {
    return {
      applyConfChange: change => this.#running.core.applyConfChange(change),
      decodedOf: (request, data) => this.#proposals.decodedOf(request, data),
      requestApplied: (request, index, outcome) => { this.#proposals.applied(request, index, outcome) },
      sessionOpened: (nonce, session) => { this.#proposals.sessionOpened(nonce, session) },
      entryApplied: (index, term) => { this.membership.entryApplied(index, term) },
      membershipApplied: () => { this.#useMembership() },
      digestTaken: digest => {
        if (this.#driver?.soft.role === 'leader') void this.#driver.post(core => { core.propose([{ type: 'EntryNormal', data: digest }]) })
      }
    }
  }

  #createDriver (): Driver {
    const { storage, clock, recorder } = this.#with
    const { tickMs, electionTicks, heartbeatTicks, priority = 0, seed = randomInt(2 ** 32) } = this.#config
    const { index: applied, conf } = this.#applier.at
    const { hard: stored } = storage.log.initialState()
    const hard = { ...stored, commit: Math.max(stored.commit, applied) } // the hint may be old; what is applied was committed
    const record = recorder && recordFrom(recorder, storage, { seed, id: this.id, electionTicks, heartbeatTicks, priority, applied, hard, conf })
    const snapshot = (): Snapshot | 'pending' => {
      const found = this.#snapshotter.current()
      recorder?.answered(found)
      return found
    }
    return new Driver({
      tickMs,
      clock,
      isEager: () => !this.#applier.isWaiting && isOnly(this.id, this.#applier.at.conf),
      record: record && (input => { record(input, this.#driver) }),
      core: {
        id: this.id, electionTicks, heartbeatTicks, priority, applied, limits: this.#limits, asyncStorageWrites: true, preVote: true, checkQuorum: true,
        log: { ...storage.log, initialState: () => ({ hard, conf }), snapshot }, random: createPrng(seed)
      }
    }, this.#driverHooks(stored))
  }

  #driverHooks (stored: HardState): DriverHooks {
    const { storage, machine, transport, log, recorder } = this.#with
    const append = new AppendLane({
      storage, snapshotter: this.#snapshotter, apply: this.#apply, written: recorder?.written, restored: () => { this.#useMembership(); this.#applied() },
      stateVouches: changesTo => machine.durable && this.#applier.at.index >= changesTo && isOnly(this.id, this.#applier.at.conf),
      deliver: messages => this.#driver?.deliver(messages), fail: err => { this.#fail(err) }
    }, stored)
    return {
      beforeReady: core => { this.#proposals.flush(core); this.#reads.flush(core) },
      ready: ({ readStates }) => { if (readStates.length > 0) this.#reads.confirmed(readStates) },
      ticked: () => {
        this.#proposals.ticked()
        this.#reads.ticked()
        this.#ticks.ticked()
      },
      leaderChanged: ({ lead, role }, term) => {
        const leader = lead === 0 ? undefined : lead
        if (leader !== undefined || role === 'follower') log('info', leader === undefined ? `no leader in term ${term}` : `${role} in term ${term}, node ${leader} leads`)
        this.#proposals.leaderChanged(leader, term)
        this.#reads.leaderChanged(leader)
        this.#events.leader?.(leader, role)
      },
      append: (message, held) => append.take(message, held),
      apply: message => { this.#apply.take(message) },
      send: (to, messages) => { transport.send(to, messages) },
      sendSnapshot: (to, message) => {
        this.#snapshotter.send(to, message, ok => { void this.#driver?.post(core => { core.reportSnapshot(to, ok) }) })
      },
      stalled: ms => { this.#stalls++; log('warn', `event loop stalled ${Math.round(ms)} ms`) },
      failed: err => { this.#fail(err) }
    }
  }
}
