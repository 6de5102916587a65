import { ClusterError } from './api/errors.ts'
import type { ClusterId, IpfsId } from './api/peer.ts'
import type { GlobalPinInfo, PinInfo } from './api/pin-info.ts'
import type { PeerId, Replication } from './api/pin.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import { createPinner, isOutdated } from './pinner.ts'
import { holdersNeeded, placePin } from './placement.ts'
import type { AbortOptions, ClusterApi, Consensus, IpfsConnector, PinCall, PinTracker } from './ports.ts'

/** A decision that others keep overtaking is given up. */
const triesMax = 10

export interface ClusterComponents {
  readonly self: PeerId
  readonly consensus: Consensus
  readonly tracker: PinTracker
  readonly ipfs: IpfsConnector
  readonly clock: Clock
  readonly log: Logger
}

export interface ClusterSettings {
  readonly peername: string
  readonly version: string
  readonly replication: Replication
  /** Multiaddrs that other peers reach this one at. */
  readonly addresses: readonly string[]
}

/** The verbs of the cluster over its parts. */
export function createCluster ({ self, consensus, tracker, ipfs, clock, log }: ClusterComponents, { peername, version, replication, addresses }: ClusterSettings): ClusterApi {
  const { state } = consensus
  const defaults = { replication }
  const pinner = createPinner({ self, consensus, tracker, clock, log }, defaults)

  async function toGlobal (info: PinInfo): Promise<GlobalPinInfo> {
    const pin = (await state.get(info.cid))?.pin
    return {
      cid: info.cid, name: pin?.name ?? info.name, allocations: pin?.allocations ?? [], origins: pin?.origins ?? [],
      createdMs: pin?.timestampMs ?? 0, metadata: pin?.metadata ?? {}, peers: [info]
    }
  }

  async function * toGlobals (infos: AsyncIterable<PinInfo>): AsyncGenerator<GlobalPinInfo, void, undefined> {
    for await (const info of infos) yield await toGlobal(info)
  }

  async function id (options: AbortOptions): Promise<ClusterId> {
    const peers = consensus.peerset()
    return { id: self, peername, version, addresses, clusterPeers: peers, clusterPeersAddresses: [], error: '', ipfs: await daemonId(ipfs, options) }
  }

  return {
    self,
    state,
    defaults,
    pin: (cid, options, call) => pinner.pin(cid, options, call),
    async unpin (cid, call) {
      for (let tries = 0; tries < triesMax; tries++) {
        const entry = await state.get(cid)
        if (entry === undefined) throw new ClusterError('ERR_PIN_NOT_FOUND', 'not pinned or pinned indirectly')
        try {
          await consensus.log([{ kind: 'unpin', cid, ifRevision: entry.revision, asker: self }], call)
        } catch (err) {
          if (isOutdated(err)) continue
          throw err
        }
        const { cause } = await tracker.settled(cid, call)
        if (cause !== undefined) throw cause
        return entry.pin
      }
      throw new ClusterError('ERR_OUTDATED', `${cid.toString()} is being changed by others all the time`)
    },
    resolve: async (path, options) => await ipfs.resolve(path, options),
    async allocate (options, { signal }) {
      signal.throwIfAborted()
      const wanted = options.replication ?? replication
      const peerset = consensus.peerset()
      const peers = wanted === 'everywhere' ? peerset : placePin({ replication: wanted, self, peerset, holders: [], wanted: options.userAllocations })
      return { peers: [...peers].sort((a, b) => Number(b === self) - Number(a === self)), min: holdersNeeded(wanted, peerset) }
    },
    status: async (cid, options) => await toGlobal(await tracker.status(cid, options)),
    statusAll: (filter, options) => toGlobals(tracker.statusAll(filter, options)),
    recover: async (cid, options) => await toGlobal(await tracker.recover(cid, options)),
    recoverAll: options => toGlobals(tracker.recoverAll(options)),
    async settled (cid, call: PinCall) {
      const { info, cause } = await tracker.settled(cid, call)
      if (cause !== undefined) throw cause
      return info
    },
    id,
    async * peers (options) { yield await id(options) },
    repoStat: async options => await ipfs.repoStat(options),
    async * repoGc (options) { for await (const line of ipfs.repoGc(options)) yield { peer: self, ...line } }
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
