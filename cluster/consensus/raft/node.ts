/** One member of a Raft group with everything around the core: what the rest of the program talks to. */
import { randomInt } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { Applier } from './applier.ts'
import type { Bookkeeping } from './applier.ts'
import type { RequestId } from './command.ts'
import { encodeInstruction } from './command.ts'
import type { CoreInput } from './core-inputs.ts'
import { defaultLimits } from './core/limits.ts'
import type { RaftLimits } from './core/limits.ts'
import { createPrng } from './core/prng.ts'
import type { Index, NodeId, Role } from './core/types.ts'
import { realDisk } from './disk.ts'
import type { Disk } from './disk.ts'
import { Driver } from './driver.ts'
import { DroppedError, StoppedError } from './errors.ts'
import { AppendLane, ApplyLane } from './lanes.ts'
import { Membership, mostUpToDate } from './membership.ts'
import { monotonicClock } from './monotonic-clock.ts'
import { pendingMaxDefault, Proposals } from './proposals.ts'
import type { Applied } from './proposals.ts'
import { Reads } from './reads.ts'
import { recoverState } from './recovery.ts'
import { Snapshotter } from './snapshotter.ts'
import type { SnapshotPolicy } from './snapshotter.ts'
import { nodeStatus } from './status.ts'
import type { NodeStatus } from './status.ts'
import type { RaftStorage } from './storage.ts'
import type { StateMachine } from './state-machine.ts'
import type { RaftTransport } from './transport.ts'

export interface RaftNodeComponents {
  readonly storage: RaftStorage
  readonly machine: StateMachine
  readonly transport: RaftTransport
  /** Where snapshots are kept. */
  readonly folder: string
  readonly disk?: Disk
  readonly clock?: Clock
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void
  readonly record?: (input: CoreInput) => void
}

export interface RaftNodeConfig {
  readonly tickMs?: number
  readonly electionTicks?: number
  readonly heartbeatTicks?: number
  readonly snapshots?: SnapshotPolicy
  readonly limits?: Partial<RaftLimits>
  readonly pendingMax?: number
  readonly waitingMax?: number
  /** For tests that must repeat. */
  readonly seed?: number
}

export interface NodeEvents {
  readonly leader?: (leader: NodeId | undefined, role: Role) => void
  readonly membership?: (bookkeeping: Bookkeeping) => void
  readonly applied?: (index: Index) => void
}

export interface RaftNode extends AsyncDisposable {
  readonly id: NodeId
  readonly membership: Membership
  /** Resolves when it has stopped: with the reason, if it had to (its disk failed, its state went astray). */
  readonly ended: Promise<unknown>
  start (): Promise<void>
  /** Resolves when it is applied here. A retry with the same `id` is applied once. */
  propose (data: Uint8Array, options: { readonly signal: AbortSignal, readonly id?: RequestId }): Promise<Applied>
  openSession (options: { readonly signal: AbortSignal }): Promise<number>
  /** Resolves once whatever was acknowledged anywhere before the call is applied here. */
  readBarrier (options: { readonly signal: AbortSignal }): Promise<Index>
  /** Raises what entries may need; refused by peers too old for it by stopping. */
  raiseFeatureLevel (level: number): Promise<void>
  transferLeadership (to: NodeId | undefined, options: { readonly signal: AbortSignal }): Promise<void>
  campaign (): void
  leader (): NodeId | undefined
  bookkeeping (): Bookkeeping
  /** How far a peer acknowledged our log to us, while we lead. */
  acknowledged (id: NodeId): Index
  status (): NodeStatus
}

const defaultSnapshots: SnapshotPolicy = { thresholdEntries: 8_192, trailingEntries: 10_240 }

export function createRaftNode (components: RaftNodeComponents, config: RaftNodeConfig = {}, events: NodeEvents = {}): RaftNode {
  const { storage, machine, transport, folder, disk = realDisk, clock = monotonicClock, log = () => {}, record } = components
  const { tickMs = 100, electionTicks = 10, heartbeatTicks = 1 } = config
  const limits = { ...defaultLimits, ...config.limits }
  const id = storage.identity.nodeId
  const ended = Promise.withResolvers<unknown>()
  let driver: Driver | undefined
  let hasFailed = false
  let state: 'built' | 'running' | 'stopped' = 'built'
  let tickWaiters: Array<() => void> = []
  let stalls = 0

  /** Nothing more is promised to anybody from here on. The owner sees `ended` and ends the process. */
  function fail (err: unknown): void {
    if (hasFailed || state === 'stopped') return
    hasFailed = true
    log('error', `the engine stops: ${(err as Error).stack ?? String(err)}`)
    stopWork(err instanceof Error ? err : new Error(String(err)))
    ended.resolve(err)
  }

  const wake = (): void => driver?.wake()
  const proposals = new Proposals({
    pendingMax: config.pendingMax ?? pendingMaxDefault, waitingMax: config.waitingMax ?? 65_536, entryBytesMax: limits.entryBytesMax, resendTicks: 3 * electionTicks
  }, wake, () => randomInt(2 ** 47))
  const reads = new Reads({ pendingMax: limits.pendingReadsMax, repeatTicks: electionTicks, boot: storage.identity.boot }, wake)
  const applier = new Applier(machine, {
    applyConfChange: change => driver!.core.applyConfChange(change),
    requestApplied: (request, index, outcome) => { proposals.applied(request, index, outcome) },
    sessionOpened: (nonce, session) => { proposals.sessionOpened(nonce, session) },
    entryApplied: (index, term) => { membership.entryApplied(index, term) },
    membershipApplied: bookkeeping => {
      transport.useMembers(bookkeeping.members)
      events.membership?.(bookkeeping)
    },
    digestTaken: digest => {
      if (driver?.soft.role === 'leader') void driver.post(core => { core.propose([{ type: 'EntryNormal', data: digest }]) })
    }
  })
  const deliver = (messages: Parameters<Driver['deliver']>[0]): void => driver?.deliver(messages)
  const apply = new ApplyLane({
    applier,
    deliver,
    fail,
    applied () {
      reads.applied(applier.at.index)
      snapshotter.applied()
      events.applied?.(applier.at.index)
    }
  })
  const snapshotter = new Snapshotter({
    folder: `${folder}/snapshots`, disk, storage, machine, applier, transport, between: async task => await apply.between(task), fail
  }, config.snapshots ?? defaultSnapshots)
  const membership = new Membership({
    status: () => driver!.core.status(),
    confIndex: () => applier.at.confIndex,
    propose: async change => await driver!.ask(core => core.proposeConfChange(change)),
    transfer: transferLeadership,
    nextTick
  })

  async function start (): Promise<void> {
    await recoverState({ storage, machine, applier, snapshotter })
    const { index: applied, conf } = applier.at
    const initial = (): ReturnType<RaftStorage['log']['initialState']> => {
      const { hard } = storage.log.initialState()
      return { hard: { ...hard, commit: Math.max(hard.commit, applied) }, conf }
    }
    const append = new AppendLane({ storage, snapshotter, apply, deliver, fail }, storage.log.initialState().hard)
    driver = new Driver({
      tickMs,
      clock,
      record,
      core: {
        id, electionTicks, heartbeatTicks, limits, applied, asyncStorageWrites: true, preVote: true, checkQuorum: true,
        log: { ...storage.log, initialState: initial, snapshot: () => snapshotter.current() },
        random: createPrng(config.seed ?? randomInt(2 ** 32))
      }
    }, {
      beforeReady (core) { proposals.flush(core); reads.flush(core) },
      ready: ({ readStates }) => { if (readStates.length > 0) reads.confirmed(readStates) },
      ticked () {
        proposals.ticked()
        reads.ticked()
        for (const resume of tickWaiters.splice(0)) resume()
      },
      leaderChanged ({ lead, role }, term) {
        const leader = lead === 0 ? undefined : lead
        log('info', leader === undefined ? `${role} in term ${term}, no leader` : `${role} in term ${term}, node ${leader} leads`)
        proposals.leaderChanged(leader, term)
        reads.leaderChanged(leader)
        events.leader?.(leader, role)
      },
      append: (message, held) => { append.take(message, held) },
      apply: message => { apply.take(message) },
      send: (to, messages) => { transport.send(to, messages) },
      sendSnapshot: (to, message) => {
        snapshotter.send(to, message, ok => { void driver!.post(core => { core.reportSnapshot(to, ok) }) })
      },
      stalled: ms => { stalls++; log('warn', `event loop stalled ${Math.round(ms)} ms`) },
      failed: fail
    })
    reads.applied(applied)
    transport.useMembers(applier.at.members)
    await transport.start({
      received (from, messages) {
        return driver!.post(core => {
          for (const m of messages) {
            // One hop: who is asked to lead and does not must not pass it on, or a proposal could go round for ever.
            if (m.from !== from || (m.type === 'MsgProp' && driver!.soft.role !== 'leader')) continue
            if (m.type === 'MsgSnap' && !snapshotter.has(m.snapshot!.meta) && m.snapshot!.meta.index > applier.at.index) continue
            core.step(m)
          }
        })
      },
      unreachable: to => { void driver!.post(core => { core.reportUnreachable(to) }) },
      snapshotOffered: async (_from, manifest) => await snapshotter.offered(manifest),
      snapshotArrives: async (_from, manifest, pieces) => { await snapshotter.arrives(manifest, pieces) }
    })
    state = 'running'
    driver.start()
    const { voters, votersOutgoing } = conf
    // Alone there is nobody to wait for. A newly founded group has its membership in its first entry.
    if (votersOutgoing.length === 0 && (voters.length === 1 ? voters[0] === id : voters.length === 0 && storage.log.firstIndex() === applied + 1 && storage.log.lastIndex() === applied + 1)) {
      void whenApplied(storage.log.initialState().hard.commit).then(() => driver!.post(core => { if (core.status().role === 'follower') core.campaign() }))
    }
  }

  async function whenApplied (index: Index): Promise<void> {
    while (applier.at.index < index && state === 'running') await new Promise<void>(resolve => { tickWaiters.push(resolve) })
  }

  async function nextTick (signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (state !== 'running' || hasFailed) throw new StoppedError()
    const ticked = Promise.withResolvers<void>()
    tickWaiters.push(ticked.resolve)
    const abandon = (): void => { ticked.reject(signal.reason) }
    signal.addEventListener('abort', abandon, { once: true })
    try { await ticked.promise } finally { signal.removeEventListener('abort', abandon) }
  }

  async function transferLeadership (to: NodeId | undefined, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { progress, conf } = driver!.core.status()
    if (driver!.soft.role !== 'leader') return
    const target = to ?? mostUpToDate(progress.filter(peer => !peer.learner && peer.id !== id))
    if (!conf.voters.includes(target)) throw new DroppedError('not-member')
    const begun = await driver!.ask(core => { core.transferLeader(target); return driver!.term })
    for (let ticks = 0; ticks < 2 * electionTicks; ticks++) {
      if (driver!.soft.role !== 'leader' || driver!.term !== begun) return
      await nextTick(signal)
    }
    throw new DroppedError('transferring')
  }

  function stopWork (reason: Error): void {
    driver?.stop()
    proposals.stop(reason)
    reads.stop(reason)
    membership.stop(reason)
    for (const resume of tickWaiters.splice(0)) resume()
  }

  return {
    id,
    membership,
    ended: ended.promise,
    start,
    propose: async (data, options) => await proposals.propose(data, options),
    openSession: async options => await proposals.openSession(options),
    readBarrier: async options => await reads.read(options),
    async raiseFeatureLevel (level) {
      await driver!.ask(core => core.propose([{ type: 'EntryNormal', data: encodeInstruction({ kind: 'feature-level', level }) }]))
    },
    transferLeadership,
    campaign () { void driver!.post(core => { core.campaign() }) },
    leader: () => driver === undefined || driver.soft.lead === 0 ? undefined : driver.soft.lead,
    bookkeeping: () => applier.at,
    acknowledged: peer => driver?.soft.role === 'leader' ? driver.core.status().progress.find(({ id }) => id === peer)?.match ?? 0 : 0,
    status: () => nodeStatus({ driver: driver!, storage, applier, apply, snapshotter, proposals, reads, transport, machine, stalls }),
    async [Symbol.asyncDispose] () {
      if (state === 'stopped') return
      if (state === 'running' && !hasFailed && driver!.soft.role === 'leader' && applier.at.conf.voters.length > 1) {
        await transferLeadership(undefined, { signal: AbortSignal.timeout(2 * electionTicks * tickMs) }).catch(() => {})
      }
      state = 'stopped'
      stopWork(new StoppedError())
      await apply.stop()
      await snapshotter[Symbol.asyncDispose]()
      await transport[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
      ended.resolve(undefined)
    }
  }
}
