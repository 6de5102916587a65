import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { JoinRequest, PeerRpc } from '../peer-ports.ts'
import type { AbortOptions, AppliedOps, StateStore } from '../ports.ts'
import type { Store } from '../store/store.ts'
import type { RaftConfig } from './config.ts'
import { foundOnPinset } from './founding.ts'
import { joiningMark } from './joining-mark.ts'
import { createPinsetMachine } from './pinset-machine.ts'
import { removedText } from './removed-text.ts'
import { createTrust } from './trust.ts'
import type { Trust } from './trust.ts'
import { noBookkeeping } from './raft/applier.ts'
import type { Bookkeeping } from './raft/applier.ts'
import type { Disk } from './raft/disk.ts'
import { openLogStorage } from './raft/log-storage.ts'
import type { Member } from './raft/members.ts'
import { createRaftNode } from './raft/node.ts'
import { openPeerMemory } from './raft/peer-memory.ts'
import type { PeerTransportComponents } from './raft/peer-transport.ts'
import type { NodeEvents, RaftNode } from './raft/raft-node.ts'
import type { RaftTransport } from './raft/transport.ts'

const segmentBytes = 4 << 20
/** A leader that is not heard so often in a row is not there. */
const heartbeatsPerTimeout = 10
/** Between two looks whether this peer has been taken in. */
const takenInRetryMs = 50

/** What there is to the other peers. */
export interface Others {
  readonly transport: (parts: Pick<PeerTransportComponents, 'storage' | 'memory' | 'confIndex' | 'acknowledged' | 'standing'>) => RaftTransport
  readonly rpc: Pick<PeerRpc, 'call'>
  /** Where this peer is reached. */
  readonly addresses: () => readonly string[]
  /** Asks peers that are members already to take this one in, and tries until one has. Each says first whom to believe. */
  readonly join: (request: Omit<JoinRequest, 'daemon'>, believe: Trust['believe'], options: AbortOptions) => Promise<void>
  /** This peer has learnt that it is no member any more. */
  readonly removed: () => void
}

export interface EngineParts {
  readonly store: Store
  readonly state: StateStore
  readonly applied: AppliedOps
  readonly self: PeerId
  readonly log: Logger
  readonly failed: (reason: unknown) => void
  readonly clock: Clock
  readonly disk: Disk
  readonly others: Others | undefined
  readonly events: NodeEvents
}

export interface EngineConfig extends RaftConfig {
  readonly folder: string
  readonly found: (options: AbortOptions) => boolean | Promise<boolean>
}

/** The engine, and whose folder it runs on. */
export interface Engine { readonly node: RaftNode, readonly transport: RaftTransport, readonly trust: Trust, readonly identity: Pick<JoinRequest, 'nodeId' | 'incarnation'> }

/**
 * Opens the log and starts the engine on it. A new folder founds a cluster of this one peer, or asks to be taken in by others and waits for that:
 * again, if it was stopped meanwhile, until it votes, or stores if that is all it may.
 * `running` is told of the engine before anything is waited for.
 */
export async function startEngine (parts: EngineParts, config: EngineConfig, running: (engine: Engine) => void, { signal }: AbortOptions): Promise<void> {
  const { store, state, applied, self, log, failed, clock, disk, others } = parts
  const { folder, clusterName, waitForLeaderTimeout } = config
  const tickMs = config.heartbeatTimeout / heartbeatsPerTimeout
  const ticks = (ms: number): number => Math.ceil(ms / tickMs)
  let node: RaftNode | undefined

  await using undo = new AsyncDisposableStack()
  const storage = undo.use(await openLogStorage({ folder, disk, clock, segmentBytes }))
  const machine = createPinsetMachine({ store, state, listener: applied })
  const joining = joiningMark(disk, folder)
  // Who has asked once may have been taken in without having heard of it.
  const mayFound = storage.identity.clusterId === undefined && !await joining.isSet()
  if (mayFound && await config.found({ signal })) await foundOnPinset({ storage, machine, store, state, self, folder, addresses: others?.addresses() ?? [], trusted: config.trustedPeers })
  const trust = undo.use(createTrust({
    self, clock, book: () => node?.bookkeeping() ?? noBookkeeping, ask: async (peer, options) => await others!.rpc.call(peer, 'Consensus.TrustedPeers', undefined, options)
  }))
  const transport = others === undefined ? noTransport : others.transport({
    storage, memory: await openPeerMemory(disk, folder), confIndex: () => node?.bookkeeping().confIndex ?? 0, acknowledged: id => node?.acknowledged(id) ?? 0, standing: trust
  })
  node = undo.use(createRaftNode({
    storage, machine, transport, folder, disk, clock, standing: trust, log: (level, message) => { log[level](message) }
  }, {
    tickMs,
    electionTicks: ticks(config.electionTimeout),
    leaderWaitTicks: ticks(waitForLeaderTimeout),
    priority: config.electionPriority,
    snapshots: { thresholdEntries: config.snapshotThreshold, trailingEntries: config.trailingLogs }
  }, parts.events))
  void node.ended.then(reason => { if (reason !== undefined) failed(reason) })
  const { nodeId, incarnation } = storage.identity
  running({ node, transport, trust, identity: { nodeId, incarnation } })
  await node.start()
  const { members } = node.bookkeeping()
  const member = members.find(({ id }) => id === nodeId)
  const isNew = members.length === 0 && storage.log.lastIndex() === 0
  const isJoining = isNew || await joining.isSet()
  if (!isJoining || member !== undefined) assertOurs(member, parts, members.length)
  if (isJoining) {
    if (isNew) await joining.set()
    await joinOthers(node, trust, others!, { peer: self, clusterName, nodeId, incarnation, addresses: others!.addresses() }, clock, { signal })
    await joining.clear()
  }
  await usable(node, parts, config, { signal })
  void undo.move() // the node is whose they are now
}

/** @throws ClusterError ERR_INVALID_ARGUMENT when this folder's state makes this peer no member */
function assertOurs (member: Member | undefined, { self }: EngineParts, memberCount: number): void {
  if (memberCount === 0) return
  if (member === undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', removedText)
  if (member.name !== self) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `this state is a copy of the one of ${member.name}, and this peer is ${self}: put it aside with "ipfs-cluster-service --force state cleanup", and start with --bootstrap to join`)
  }
}

/** Who votes counts: the others wait for it. So it first learns, and asks for its vote when it has carried out all until it was taken in, however many pins that are. One that only stores stays a learner. */
async function joinOthers (node: RaftNode, { believe }: Trust, { join }: Others, request: Omit<JoinRequest, 'daemon' | 'votes'>, clock: Clock, { signal }: AbortOptions): Promise<void> {
  await join({ ...request, votes: false }, believe, { signal })
  while (!node.bookkeeping().members.some(({ id }) => id === request.nodeId)) await pause(clock, takenInRetryMs, signal)
  await join({ ...request, votes: true }, believe, { signal })
  const isSettled = ({ conf, members }: Bookkeeping): boolean => conf.voters.includes(request.nodeId) || members.some(({ id, storesOnly }) => id === request.nodeId && storesOnly === true)
  while (!isSettled(node.bookkeeping())) await pause(clock, takenInRetryMs, signal)
}

/** Usable means that a change can be agreed on. Alone that must be so soon; with others it may take until enough of them are there. */
async function usable (node: RaftNode, { log }: EngineParts, { waitForLeaderTimeout }: EngineConfig, { signal }: AbortOptions): Promise<void> {
  try {
    await node.readBarrier({ signal: AbortSignal.any([signal, AbortSignal.timeout(waitForLeaderTimeout)]) })
  } catch (err) {
    signal.throwIfAborted()
    if (node.bookkeeping().conf.voters.every(id => id === node.id)) throw err
    log.warn('no majority of the peers is there yet: nothing can be agreed on before', { waitedMs: waitForLeaderTimeout })
  }
}

/** For a peer that has nobody to talk to. */
const noTransport: RaftTransport = {
  async start () {},
  useMembers () {},
  send () {},
  async sendSnapshot () { throw new Error('there is nobody to send to') },
  status: () => [],
  async [Symbol.asyncDispose] () {}
}
