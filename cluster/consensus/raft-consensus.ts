import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AppliedOps, Consensus, PinsetOp, StateStore } from '../ports.ts'
import type { Store } from '../store/store.ts'
import type { RaftConfig } from './config.ts'
import { foundOnPinset } from './founding.ts'
import { encodeLogOp } from './log-op.ts'
import { createPinsetMachine, wasApplied } from './pinset-machine.ts'
import { realDisk } from './raft/disk.ts'
import type { Disk } from './raft/disk.ts'
import { DroppedError } from './raft/errors.ts'
import { openLogStorage } from './raft/log-storage.ts'
import { monotonicClock } from './raft/monotonic-clock.ts'
import { createRaftNode } from './raft/node.ts'
import type { Applied } from './raft/proposals.ts'
import type { RaftNode } from './raft/raft-node.ts'
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
  /** The engine had to stop: its disk failed, or its state went astray. Nothing can be agreed on here until the next start. */
  readonly failed: (reason: unknown) => void
  /** Monotonic. */
  readonly clock?: Clock
  readonly disk?: Disk
}

export interface RaftConsensusConfig extends RaftConfig {
  /** Of the log. */
  readonly folder: string
  /** A new folder founds a cluster of this one peer; otherwise it waits to be taken in. */
  readonly found: boolean
}

const segmentBytes = 4 << 20
/** A leader that is not heard so often in a row is not there. */
const heartbeatsPerTimeout = 10

/** Consensus over the Raft engine. An entry of the log is one `log()`: its index is the revision of the pins it writes. */
export function createRaftConsensus (components: RaftConsensusComponents, config: RaftConsensusConfig): Consensus {
  const { store, state, applied, self, log, failed, transport = () => noTransport, clock = monotonicClock, disk = realDisk } = components
  const { folder, waitForLeaderTimeout, commitRetries, commitRetryDelay } = config
  const tickMs = config.heartbeatTimeout / heartbeatsPerTimeout
  const ticks = (ms: number): number => Math.ceil(ms / tickMs)
  let node: RaftNode | undefined
  let isClosing = false
  let failure: unknown

  const nameOf = (id: number | undefined): PeerId | undefined =>
    node?.bookkeeping().members.find(member => member.id === id)?.name as PeerId | undefined
  const names = (): readonly PeerId[] => node === undefined ? [self] : node.bookkeeping().members.map(({ name }) => name as PeerId)

  async function start ({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    await using undo = new AsyncDisposableStack()
    const storage = undo.use(await openLogStorage({ folder, disk, clock, segmentBytes }))
    const replayedTo = storage.log.lastIndex()
    const machine = createPinsetMachine({ store, state, listener: applied, isReplay: index => index <= replayedTo })
    if (config.found && storage.identity.clusterId === undefined) await foundOnPinset({ storage, machine, store, state, self, folder })
    const starting = createRaftNode({
      storage, machine, transport: transport(storage), folder, disk, clock, log: (level, message) => { log[level](message) }
    }, {
      tickMs,
      electionTicks: ticks(config.electionTimeout),
      leaderWaitTicks: ticks(waitForLeaderTimeout),
      snapshots: { thresholdEntries: config.snapshotThreshold, trailingEntries: config.trailingLogs }
    })
    undo.use(starting)
    void starting.ended.then(reason => {
      if (reason === undefined) return
      failure = reason
      failed(reason)
    })
    node = starting
    await starting.start()
    // Alone, nobody need be waited for: usable means that a change can be agreed on.
    if (starting.bookkeeping().conf.voters.length <= 1) await starting.readBarrier({ signal: AbortSignal.any([signal, AbortSignal.timeout(waitForLeaderTimeout)]) })
    void undo.move() // the node is whose they are now
  }

  async function propose (ops: readonly PinsetOp[], signal: AbortSignal): Promise<Applied> {
    const data = encodeLogOp(ops)
    for (let retriesLeft = commitRetries; ; retriesLeft--) {
      try {
        return await node!.propose(data, { signal, decoded: ops, staysOnceSent: true })
      } catch (err) {
        if (retriesLeft === 0 || !(err instanceof DroppedError) || err.reason !== 'overloaded') throw err
        await pause(clock, commitRetryDelay, signal)
      }
    }
  }

  return {
    name: 'consensus',
    state,
    start,
    async log (ops, { signal }) {
      signal.throwIfAborted()
      if (node === undefined || isClosing) throw new ClusterError('ERR_NO_LEADER', isClosing ? 'the log is closing' : 'the log is not open yet')
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
    case 'ERR_RAFT_DROPPED':
      if ((err as DroppedError).reason === 'entry-too-large') return new ClusterError('ERR_INVALID_ARGUMENT', 'the change is too large for one entry of the log', { cause: err })
      return signal.aborted ? signal.reason : new ClusterError('ERR_QUEUE_FULL', message, { cause: err })
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
