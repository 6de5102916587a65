import { ClusterError } from './api/errors.ts'
import type { ClusterId, IpfsId } from './api/peer.ts'
import type { PeerId, Replication } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { asTheyCome } from './async/as-they-come.ts'
import { hasLeft } from './async/caller-left.ts'
import { deadline } from './async/deadline.ts'
import type { Clock } from './clock.ts'
import { isPlaceablePromptly, placePromptly } from './destinations.ts'
import type { Destinations } from './destinations.ts'
import { recoverOnAll } from './global-recover.ts'
import { collectOnAll, repoStatOfAll } from './global-repo.ts'
import { createGlobalStatus } from './global-status.ts'
import type { Holding } from './holding.ts'
import type { Logger } from './log.ts'
import type { PeerRpc } from './peer-ports.ts'
import { createPeerVerbs } from './peer-verbs.ts'
import { createPinner, isOutdated } from './pinner.ts'
import { holdersNeeded } from './placement.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, ClusterApi, Consensus, IpfsConnector, PinCall, PinTracker } from './ports.ts'
import type { Presence } from './presence.ts'

/** A decision that others keep overtaking is given up. */
const triesMax = 10
/** Who does not say who it is by then is listed with an error. */
const idTimeoutMs = 15_000

export interface ClusterComponents {
  readonly self: PeerId
  readonly consensus: Consensus
  readonly tracker: PinTracker
  readonly ipfs: IpfsConnector
  /** Fails soon where a peer is not there, see `attentive`. */
  readonly rpc: Pick<PeerRpc, 'call' | 'pull'>
  readonly holding: Holding
  readonly presence: Pick<Presence, 'watch'>
  readonly destinations: Pick<Destinations, 'watch' | 'overdue'>
  readonly placer: Placer
  readonly clock: Clock
  readonly log: Logger
}

export interface ClusterSettings {
  readonly peername: string
  readonly version: string
  readonly replication: Replication
  /** Multiaddrs that other peers reach this one at. */
  readonly addresses: () => readonly string[]
  /** Where the other members are reached. */
  readonly othersAddresses: () => readonly string[]
}

/** The verbs of the cluster over its parts. */
export function createCluster (components: ClusterComponents, { peername, version, replication, addresses, othersAddresses }: ClusterSettings): ClusterApi {
  const { self, consensus, tracker, ipfs, rpc, clock } = components
  const { state, peerset } = consensus
  const defaults = { replication }
  const pinner = createPinner(components, defaults)
  const ask = createPeerVerbs({ self, rpc, tracker, ipfs, id })
  const { status, recover, statusAll } = createGlobalStatus({ peerset, state, ask, clock })

  async function id (options: AbortOptions): Promise<ClusterId> {
    return { id: self, peername, version, addresses: addresses(), clusterPeers: peerset(), clusterPeersAddresses: othersAddresses(), error: '', ipfs: await daemonId(ipfs, options) }
  }

  async function idOf (peer: PeerId, { signal }: AbortOptions): Promise<ClusterId> {
    using limit = deadline(clock, idTimeoutMs, `the answer of ${peer}`, signal)
    try {
      return await abortable(ask.id(peer, limit), limit.signal)
    } catch (err) {
      signal.throwIfAborted()
      return { id: peer, peername: '', version: '', addresses: [], clusterPeers: [], clusterPeersAddresses: [], error: (err as Error).message, ipfs: { id: '', addresses: [], error: '' } }
    }
  }

  return {
    self,
    state,
    defaults,
    assertMayChange: () => { consensus.assertMayChange() },
    async pin (cid, options, call) {
      consensus.assertMayChange() // also for what is pinned like this already
      return await pinner.pin(cid, options, call)
    },
    isLeft: cid => pinner.isLeft(cid),
    async unpin (cid, call) {
      for (let tries = 0; tries < triesMax; tries++) {
        const entry = await state.get(cid)
        if (entry === undefined) throw new ClusterError('ERR_PIN_NOT_FOUND', 'not pinned or pinned indirectly')
        consensus.assertMayChange()
        try {
          await consensus.log([{ kind: 'unpin', cid, ifRevision: entry.revision, asker: self }], call)
        } catch (err) {
          if (isOutdated(err)) continue
          throw err
        }
        try {
          const { cause } = await tracker.settled(cid, call)
          if (cause !== undefined) throw cause
          return entry.pin
        } catch (err) {
          if (call.signal.aborted && !hasLeft(call.signal)) await pinner.putBack({ pin: entry.pin, before: entry, revision: 0n })
          throw err
        }
      }
      throw new ClusterError('ERR_OUTDATED', `${cid.toString()} is being changed by others all the time`)
    },
    resolve: async (path, options) => await ipfs.resolve(path, options),
    foresee: cid => tracker.foresee(cid),
    isLettingGo: cid => tracker.isLettingGo(cid),
    async allocate (options, { signal, without = [] }) {
      signal.throwIfAborted()
      consensus.assertMayChange()
      const wanted = options.replication ?? replication
      const peers = wanted === 'everywhere' ? peerset() : placePromptly(components, { replication: wanted, holders: [], wanted: options.userAllocations, without })
      return { peers: [...peers].sort((a, b) => Number(b === self) - Number(a === self)), min: holdersNeeded(wanted, peerset()) }
    },
    canDoWithout: (options, gone) => isPlaceablePromptly(components, { replication: options.replication ?? replication, holders: [], wanted: options.userAllocations, without: gone }),
    status,
    statusAll,
    recover,
    recoverAll: options => recoverOnAll({ peerset, state, ask: ask.recoverAll, clock }, options),
    async settled (cid, call: PinCall) {
      const { info, cause } = await tracker.settled(cid, call)
      if (cause !== undefined) throw cause
      return info
    },
    id,
    peers: options => asTheyCome(peerset().map(async peer => await idOf(peer, options))),
    repoStat: async options => await repoStatOfAll({ self, peerset, ask }, options),
    repoGc: options => collectOnAll({ peerset, ask }, options)
  }
}

async function daemonId (ipfs: IpfsConnector, options: AbortOptions): Promise<IpfsId> {
  try {
    return await ipfs.id(options)
  } catch (err) {
    options.signal.throwIfAborted()
    return { id: '', addresses: [], error: (err as Error).message }
  }
}
