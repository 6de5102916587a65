import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { MemberConsensus } from '../peer-ports.ts'
import type { AbortOptions, AppliedOps, PinsetOp, StateStore } from '../ports.ts'
import type { Store } from '../store/store.ts'
import type { RaftConfig } from './config.ts'
import { startEngine } from './engine.ts'
import type { Engine, Others } from './engine.ts'
import { encodeLogOp } from './log-op.ts'
import { createPeerset } from './peerset.ts'
import { wasApplied } from './pinset-machine.ts'
import { addressesOf } from './raft/addresses.ts'
import { realDisk } from './raft/disk.ts'
import type { Disk } from './raft/disk.ts'
import { DroppedError } from './raft/errors.ts'
import type { Member } from './raft/members.ts'
import { monotonicClock } from './raft/monotonic-clock.ts'
import type { Applied } from './raft/proposals.ts'
import type { RaftNode } from './raft/raft-node.ts'
import { createRemovalWatch } from './removal-watch.ts'

export interface RaftConsensusComponents {
  readonly store: Store
  readonly state: StateStore
  readonly applied: AppliedOps
  readonly self: PeerId
  readonly log: Logger
  /** Without them this peer is alone, and stays that. */
  readonly others?: Others
  /** The engine had to stop: its disk failed, or its state went astray. Nothing can be agreed on here until the next start. */
  readonly failed: (reason: unknown) => void
  /** Monotonic. */
  readonly clock?: Clock
  readonly disk?: Disk
}

export interface RaftConsensusConfig extends RaftConfig {
  /** Of the log. */
  readonly folder: string
  /** Whether a new folder founds a cluster of this one peer; otherwise it asks to be taken in. */
  readonly found: (options: AbortOptions) => boolean | Promise<boolean>
}

/** An entry may be much longer; this keeps one from holding up the others. */
const opsMax = 500
/** What an entry takes in the pinset beside what it takes in the log: keys, indexes, and pages that are copied. */
const roomPerByte = 8

/** Consensus over the Raft engine. An entry of the log is one `log()`: its index is the revision of the pins it writes. */
export function createRaftConsensus (components: RaftConsensusComponents, config: RaftConsensusConfig): MemberConsensus {
  const { store, state, applied, self, log, failed, others, clock = monotonicClock, disk = realDisk } = components
  const { commitRetries, commitRetryDelay, clusterName } = config
  const watchers = new Set<() => void>()
  let engine: Engine | undefined
  let isClosing = false
  let failure: unknown
  const fail = (reason: unknown): void => {
    failure = reason
    failed(reason)
  }
  const removal = others === undefined ? undefined : createRemovalWatch({ clock, removed: others.removed, unfit: fail })

  const running = (): RaftNode => {
    if (engine === undefined || isClosing) throw new ClusterError('ERR_NO_LEADER', isClosing ? 'the log is closing' : 'the log is not open yet')
    return engine.node
  }
  const nameOf = (id: number | undefined): PeerId | undefined =>
    engine?.node.bookkeeping().members.find(member => member.id === id)?.name as PeerId | undefined
  const members = (): readonly Member[] => engine?.node.bookkeeping().members ?? []
  const nameById = (ids: readonly number[]): readonly PeerId[] => members().filter(({ id }) => ids.includes(id)).map(({ name }) => name as PeerId)
  const names = (): readonly PeerId[] => engine === undefined ? [self] : members().map(({ name }) => name as PeerId)
  const voters = (): readonly PeerId[] => engine === undefined ? [self] : nameById(engine.node.bookkeeping().conf.voters)
  function holders (): readonly PeerId[] {
    const voting = engine?.node.bookkeeping().conf.voters ?? []
    return engine === undefined ? [self] : nameById([...voting, ...members().filter(({ storesOnly }) => storesOnly).map(({ id }) => id)])
  }
  const mayWrite = (peer: PeerId): boolean => engine === undefined || (peer === self && members().length === 0) || engine.trust.mayWrite(peer)
  function assertMayChange (): void {
    if (!mayWrite(self)) throw storesOnly(members().filter(({ name }) => name !== self && mayWrite(name as PeerId)))
  }
  const peerset = createPeerset({ self, node: running, rpc: others?.rpc ?? nobody, clusterName, clock, assertMayChange })

  /** What was proposed before this peer lost its right to is taken by nobody any more. */
  function membershipChanged (): void {
    engine?.node.refuseProposals(mayWrite(self) ? undefined : storesOnly([]))
    for (const changed of watchers) changed()
  }

  async function propose (ops: readonly PinsetOp[], signal: AbortSignal): Promise<Applied> {
    const data = encodeLogOp(ops)
    const makingRoom = store.ensureRoom(data.length * roomPerByte) // what is agreed on has to be applied, so a full disk says so before
    if (makingRoom !== undefined) await makingRoom
    for (let retriesLeft = commitRetries; ; retriesLeft--) {
      try {
        return await running().propose(data, { signal, decoded: ops, staysOnceSent: true })
      } catch (err) {
        if (retriesLeft === 0 || !(err instanceof DroppedError) || err.reason !== 'overloaded') throw err
        await pause(clock, commitRetryDelay, signal)
      }
    }
  }

  return {
    name: 'consensus',
    state,
    opsMax,
    async start ({ signal }) {
      signal.throwIfAborted()
      const parts = {
        store, state, applied, self, log, clock, disk, others, failed: fail,
        events: { membership: membershipChanged }
      }
      await startEngine(parts, config, started => {
        engine = started
        removal?.watch(started)
      }, { signal })
      removal?.joined()
      membershipChanged()
    },
    async log (ops, { signal }) {
      signal.throwIfAborted()
      assertMayChange()
      try {
        const { index, answer } = await propose(ops, signal)
        const isApplied = wasApplied(answer)
        if (isApplied === false) throw new ClusterError('ERR_OUTDATED', 'somebody else changed the pin meanwhile')
        if (isApplied === undefined && ops.some(({ ifRevision }) => ifRevision !== undefined)) {
          throw new ClusterError('ERR_UNKNOWN_OUTCOME', 'the change was agreed on, but whether its guard held is no longer known here')
        }
        return BigInt(index)
      } catch (err) {
        throw inTheClustersWords(err, signal, failure)
      }
    },
    leader: () => nameOf(engine?.node.leader()),
    peerset: holders,
    writers: voters,
    members: names,
    isTrusted: peer => (peer === self || names().includes(peer)) && mayWrite(peer),
    assertMayChange,
    membership: {
      ...peerset,
      trusted () {
        if (engine === undefined || members().length === 0) throw new ClusterError('ERR_NO_LEADER', 'this peer is in no cluster itself yet')
        return engine.trust.told()
      },
      draining: () => new Set(members().filter(({ isDraining }) => isDraining).map(({ name }) => name as PeerId)),
      async readdress (addresses, options) {
        if (engine !== undefined) await peerset.add({ peer: self, clusterName, ...engine.identity, addresses, daemon: '', votes: true }, options)
      },
      watch (changed) {
        watchers.add(changed)
        if (engine !== undefined) changed()
        return { [Symbol.dispose]: () => watchers.delete(changed) }
      }
    },
    async [Symbol.asyncDispose] () {
      isClosing = true
      removal?.[Symbol.dispose]()
      await engine?.trust[Symbol.asyncDispose]()
      await engine?.node[Symbol.asyncDispose]()
    }
  }
}

function inTheClustersWords (err: unknown, signal: AbortSignal, failure: unknown): unknown {
  if (err instanceof ClusterError) return err
  const { code, message } = err as { readonly code?: string, readonly message: string }
  if (failure !== undefined || code === 'ERR_RAFT_STORAGE_FAILED') {
    return new ClusterError('ERR_STORAGE', `this peer has stopped agreeing: ${((failure ?? err) as Error).message}`, { cause: failure ?? err })
  }
  switch (code) {
    case 'ERR_RAFT_UNKNOWN_OUTCOME': return signal.aborted ? signal.reason : new ClusterError('ERR_UNKNOWN_OUTCOME', unknownOutcome, { cause: err })
    case 'ERR_RAFT_SESSION_EXPIRED': return new ClusterError('ERR_UNKNOWN_OUTCOME', unknownOutcome, { cause: err })
    case 'ERR_RAFT_NOT_LEADER': return signal.aborted ? signal.reason : new ClusterError('ERR_NO_LEADER', message, { cause: err })
    case 'ERR_RAFT_STOPPED': return new ClusterError('ERR_NO_LEADER', 'the log is closing', { cause: err })
    case 'ERR_RAFT_DROPPED':
      if ((err as DroppedError).reason === 'entry-too-large') return new ClusterError('ERR_INVALID_ARGUMENT', 'the change is too large for one entry of the log', { cause: err })
      return signal.aborted ? signal.reason : new ClusterError('ERR_QUEUE_FULL', message, { cause: err })
    default: return err
  }
}

const unknownOutcome = 'whether the change is agreed on is not known: too few of the peers answered in time, and it may happen yet when they are back'

const toldMax = 5

/** Names whom to ask instead. */
function storesOnly (writers: readonly Member[]): ClusterError {
  const told = writers.slice(0, toldMax).map(member => [member.name, ...addressesOf(member).slice(0, 1)].join(' at '))
  return new ClusterError('ERR_STORES_ONLY', `this peer only stores, and may not change what the cluster agrees on${told.length === 0 ? '' : `; ask one that may: ${told.join(', ')}`}`)
}

/** For a peer that has nobody to ask. */
const nobody = { async call (): Promise<never> { throw new ClusterError('ERR_NO_LEADER', 'there is nobody to ask') } }
