import { randomUUID } from 'node:crypto'
import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AppliedOps, Consensus, StateStore } from '../ports.ts'
import type { Store } from '../store/store.ts'
import { encodeLogOp } from './log-op.ts'
import { createPinsetMachine, wasApplied } from './pinset-machine.ts'
import { realDisk } from './raft/disk.ts'
import type { Disk } from './raft/disk.ts'
import { openLogStorage } from './raft/log-storage.ts'
import { monotonicClock } from './raft/monotonic-clock.ts'
import { createRaftNode } from './raft/node.ts'
import type { RaftNode } from './raft/raft-node.ts'
import { foundCluster } from './raft/recovery.ts'
import type { RaftStorage } from './raft/storage.ts'
import type { RaftTransport } from './raft/transport.ts'

export interface RaftConsensusComponents {
  readonly store: Store
  readonly state: StateStore
  readonly applied: AppliedOps
  readonly self: PeerId
  readonly log: Logger
  /** To the other peers. Without it this peer is alone. */
  readonly transport?: (storage: RaftStorage) => RaftTransport
  /** Monotonic. */
  readonly clock?: Clock
  readonly disk?: Disk
}

export interface RaftConsensusConfig {
  readonly folder: string
  readonly trailingLogs: number
  readonly snapshotEntries?: number
  readonly tickMs?: number
  readonly electionTicks?: number
  /** A new folder founds a cluster of this one peer; otherwise it waits to be taken in. */
  readonly found: boolean
}

const segmentBytes = 4 << 20
const snapshotEntriesDefault = 8_192

/** Consensus over the Raft engine. An entry of the log is one `log()`: its index is the revision of the pins it writes. */
export function createRaftConsensus (components: RaftConsensusComponents, config: RaftConsensusConfig): Consensus {
  const { store, state, applied, self, log, transport = () => noTransport, clock = monotonicClock, disk = realDisk } = components
  const { folder, trailingLogs, snapshotEntries = snapshotEntriesDefault, tickMs = 100, electionTicks = 10 } = config
  let node: RaftNode | undefined
  let isClosing = false
  let failure: unknown

  const nameOf = (id: number | undefined): PeerId | undefined =>
    node?.bookkeeping().members.find(member => member.id === id)?.name as PeerId | undefined
  const names = (): readonly PeerId[] => node === undefined ? [self] : node.bookkeeping().members.map(({ name }) => name as PeerId)

  async function start ({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    const storage = await openLogStorage({ folder, disk, clock, segmentBytes })
    try {
      if (config.found && storage.identity.clusterId === undefined) {
        await foundCluster(storage, randomUUID(), { name: self, address: '' }, { after: Number(state.appliedIndex()) })
      }
    } catch (err) {
      await storage[Symbol.asyncDispose]()
      throw err
    }
    const replayedTo = storage.log.lastIndex()
    const machine = createPinsetMachine({ store, state, listener: applied, isReplay: index => index <= replayedTo })
    node = createRaftNode({
      storage, machine, transport: transport(storage), folder, disk, clock, log: (level, message) => { log[level](message) }
    }, { tickMs, electionTicks, snapshots: { thresholdEntries: snapshotEntries, trailingEntries: trailingLogs } })
    void node.ended.then(reason => { failure = reason })
    await node.start()
    // Alone, nobody need be waited for: usable means that a change can be agreed on.
    if (node.bookkeeping().conf.voters.length <= 1) await node.readBarrier({ signal: AbortSignal.any([signal, AbortSignal.timeout(20 * electionTicks * tickMs)]) })
  }

  return {
    name: 'consensus',
    state,
    start,
    async log (ops, { signal }) {
      signal.throwIfAborted()
      if (node === undefined || isClosing) throw new ClusterError('ERR_NO_LEADER', isClosing ? 'the log is closing' : 'the log is not open yet')
      try {
        const { index, answer } = await node.propose(encodeLogOp(ops), { signal, decoded: ops })
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
    leader: () => nameOf(node?.leader()),
    peerset: names,
    isTrusted: peer => peer === self || names().includes(peer),
    async [Symbol.asyncDispose] () {
      isClosing = true
      await node?.[Symbol.asyncDispose]()
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
    case 'ERR_RAFT_UNKNOWN_OUTCOME': return signal.aborted ? signal.reason : new ClusterError('ERR_UNKNOWN_OUTCOME', message, { cause: err })
    case 'ERR_RAFT_SESSION_EXPIRED': return new ClusterError('ERR_UNKNOWN_OUTCOME', message, { cause: err })
    case 'ERR_RAFT_NOT_LEADER': return signal.aborted ? signal.reason : new ClusterError('ERR_NO_LEADER', message, { cause: err })
    case 'ERR_RAFT_STOPPED': return new ClusterError('ERR_NO_LEADER', 'the log is closing', { cause: err })
    case 'ERR_RAFT_DROPPED': return signal.aborted ? signal.reason : new ClusterError('ERR_QUEUE_FULL', message, { cause: err })
    default: return err
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
