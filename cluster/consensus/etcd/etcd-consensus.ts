import { randomUUID } from 'node:crypto'
import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import { createBackground } from '../../async/background.ts'
import { pause } from '../../async/pause.ts'
import type { Clock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import type { FollowingState, MemberConsensus } from '../../peer-ports.ts'
import type { AppliedOps } from '../../ports.ts'
import type { Store } from '../../store/store.ts'
import { monotonicClock } from '../raft/monotonic-clock.ts'
import { createBookKeeper } from './book.ts'
import type { Book, MemberNote } from './book.ts'
import { createEtcd } from './client.ts'
import type { Etcd } from './client.ts'
import { createCommits } from './commits.ts'
import type { EtcdConfig } from './config.ts'
import { EtcdAwayError, inTheClustersWords, isFull } from './errors.ts'
import { createFollower } from './follower.ts'
import { enterCluster, loadBook } from './joining.ts'
import { keysUnder } from './keys.ts'
import { createEtcdMembership, mayWrite, membersOf, writersOf } from './membership.ts'
import { createLeasedPresence } from './presence.ts'
import { opsMaxOf } from './writes.ts'

/** What an op takes in the pinset: its row, and pages that are copied. */
const roomPerOp = 16 << 10
/** Between two looks whether etcd is there by now. */
const awayRetryMs = 1_000
const leaveTimeoutMs = 2_000
/** Between learning of its removal and the end of a peer: one that leaves by itself is gone by then. */
const leaveMs = 5_000

export interface EtcdConsensusComponents {
  readonly store: Store
  readonly state: FollowingState
  readonly applied: AppliedOps
  readonly self: PeerId
  readonly log: Logger
  /** Where this peer is reached. */
  readonly addresses: () => readonly string[]
  /** This peer has learnt that it is no member any more. */
  readonly removed: () => void
  /** The disk has failed for good: nothing can be agreed on here until the next start. */
  readonly failed: (reason: unknown) => void
  /** Monotonic. */
  readonly clock?: Clock
}

export interface EtcdConsensusConfig extends EtcdConfig {
  /** Of the state. */
  readonly folder: string
  /** The cluster's, in hexadecimal. */
  readonly secret: string
  readonly peername: string
}

/** Consensus over etcd: a pin is a key, a change a transaction, and the revision that etcd gives it is the pin's. Each peer follows what happens there into its own pinset. */
export function createEtcdConsensus (components: EtcdConsensusComponents, config: EtcdConsensusConfig): MemberConsensus {
  const { store, state, applied, self, log, addresses, removed, failed, clock = monotonicClock } = components
  const keys = keysUnder(config.prefix)
  const keeper = createBookKeeper(keys)
  const { book } = keeper
  const watchers = new Set<() => void>()
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) failed(err) })
  let opened: Etcd | undefined
  let folder: string | undefined
  let leaving: Disposable | undefined

  const etcd = (): Etcd => {
    if (opened === undefined || closing.signal.aborted) throw new ClusterError('ERR_NO_LEADER', closing.signal.aborted ? 'the log is closing' : 'the log is not open yet')
    return opened
  }
  const note = (): Omit<MemberNote, 'folder'> => ({ name: config.peername, addresses: addresses() })
  const follower = createFollower({
    etcd, keys, state, applied, keeper, changed, clock, log, reload: async options => { await loadBook(etcd(), keys, keeper, options) }
  }, config)
  const presence = createLeasedPresence({ etcd, keys, self, note, follower, clock, log }, config)
  const commits = createCommits({ etcd, keys, self, incarnation: randomUUID(), reached: follower.reached, clock }, config)
  const membership = createEtcdMembership({ self, etcd, keys, book, reached: follower.reached, assertMayChange, ownNote })

  function ownNote (known: readonly string[]): MemberNote {
    if (folder === undefined) throw new ClusterError('ERR_NO_LEADER', 'this peer is in no cluster itself yet')
    return { ...note(), addresses: known, folder }
  }

  function changed (): void {
    if (folder !== undefined && book.removed.get(self)?.includes(folder)) leaving ??= clock.after(leaveMs, removed)
    for (const watcher of watchers) watcher()
  }

  function assertMayChange (): void {
    if (opened === undefined || mayWrite(book, self)) return
    const others = writersOf(book).slice(0, 5).map(peer => [peer, ...book.members.get(peer)!.addresses.slice(0, 1)].join(' at '))
    throw new ClusterError('ERR_STORES_ONLY', `this peer only stores, and may not change what the cluster agrees on${others.length === 0 ? '' : `; ask one that may: ${others.join(', ')}`}`)
  }

  /** Until etcd is there: it may be started after this peer. */
  async function enter (signal: AbortSignal): Promise<void> {
    while (true) {
      try {
        const mark = await enterCluster({ etcd: etcd(), keys, keeper, self, note, appliedIndex: state.appliedIndex() }, config, { signal })
        folder = mark.folder
        if (state.appliedIndex() === 0n) await follower.takeOver({ signal })
        return
      } catch (err) {
        signal.throwIfAborted()
        if (!(err instanceof EtcdAwayError)) throw inTheClustersWords(err, 'this peer cannot enter the cluster')
        log.warn('etcd is not there; nothing is served before', { err })
      }
      await pause(clock, awayRetryMs, signal)
    }
  }

  /** What this peer says is the last that it waits to hear: then it knows all that was before. */
  async function announce (signal: AbortSignal): Promise<void> {
    try {
      await follower.reached(await presence.announce({ signal }), { signal })
    } catch (err) {
      if (!isFull(err)) throw inTheClustersWords(err, 'this peer cannot enter the cluster')
      log.error('etcd\'s database is full: nothing can be changed, what is there is served', { err })
    }
  }

  return {
    name: 'consensus',
    state,
    opsMax: opsMaxOf(config.maxTxnOps),
    async start ({ signal }) {
      signal.throwIfAborted()
      opened = await createEtcd({ clock }, config)
      try {
        await enter(signal)
      } catch (err) {
        await opened[Symbol.asyncDispose]()
        throw err
      }
      background.run(follower.run(closing))
      await announce(signal)
      background.run(presence.keep(closing).catch(() => {})) // ends with the peer
      changed()
    },
    async log (ops, { signal }) {
      signal.throwIfAborted()
      assertMayChange()
      await store.ensureRoom(ops.length * roomPerOp) // what is agreed on has to be applied, so a full disk says so before
      return await commits.submit(ops, { signal })
    },
    leader: () => follower.silentMs() > silenceMax(config) ? undefined : longestThere(book),
    peerset: () => opened === undefined ? [self] : membersOf(book),
    members: () => opened === undefined ? [self] : membersOf(book),
    writers: () => opened === undefined ? [self] : writersOf(book),
    isTrusted: peer => (peer === self && book.members.size === 0) || (book.members.has(peer) && mayWrite(book, peer)),
    assertMayChange,
    membership: {
      ...membership,
      watch (changed) {
        watchers.add(changed)
        if (opened !== undefined) changed()
        return { [Symbol.dispose]: () => watchers.delete(changed) }
      }
    },
    async [Symbol.asyncDispose] () {
      leaving?.[Symbol.dispose]()
      await commits[Symbol.asyncDispose]()
      if (opened !== undefined) await presence.leave({ signal: AbortSignal.timeout(leaveTimeoutMs) }).catch(() => {}) // the lease runs out
      closing.abort(new ClusterError('ERR_NO_LEADER', 'the log is closing'))
      await background[Symbol.asyncDispose]()
      await opened?.[Symbol.asyncDispose]()
    }
  }
}

/** The peer does by turns what one is to do for all: of those that are there and may, the one that has been there longest. What it does is guarded, so that two at once do no harm. */
function longestThere (book: Book): PeerId | undefined {
  const there = writersOf(book).filter(peer => book.present.has(peer))
  return there.sort((a, b) => Number(book.present.get(a)! - book.present.get(b)!))[0]
}

/** After which etcd counts as away: a peer says something before, and hears it. */
const silenceMax = ({ leaseTtl, commitTimeout }: EtcdConfig): number => leaseTtl + commitTimeout
