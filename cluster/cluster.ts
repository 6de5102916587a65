import type { CID } from 'multiformats/cid'
import { ClusterError } from './api/errors.ts'
import type { ClusterId, IpfsId } from './api/peer.ts'
import type { GlobalPinInfo, PinInfo } from './api/pin-info.ts'
import type { PeerId, Pin, PinOptions, Replication } from './api/pin.ts'
import { isAllocatedTo } from './api/pin.ts'
import { deadline } from './async/deadline.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import { draftPin, isSamePin } from './pinning.ts'
import { holdersNeeded, placePin } from './placement.ts'
import type { AbortOptions, ClusterApi, ClusterPinCall, Consensus, IpfsConnector, PinCall, PinsetEntry, PinTracker } from './ports.ts'

/** A decision that others keep overtaking is given up. */
const triesMax = 10
/** What an answer waits for while a failed pin is put back; then the tracker goes on by itself. */
const putBackTimeoutMs = 10_000

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

/** What was agreed on for a wish, and what was there before; `revision` is absent when nothing had to be logged. */
interface Agreed { readonly pin: Pin, readonly before: PinsetEntry | undefined, readonly revision: bigint | undefined }

/** The verbs of the cluster over its parts. */
export function createCluster ({ self, consensus, tracker, ipfs, clock, log }: ClusterComponents, { peername, version, replication, addresses }: ClusterSettings): ClusterApi {
  const { state } = consensus
  const defaults = { replication }

  async function agree (cid: CID, wanted: PinOptions, call: ClusterPinCall): Promise<Agreed> {
    const before = await state.get(cid)
    const updated = wanted.pinUpdate === undefined ? undefined : (await state.get(wanted.pinUpdate))?.pin
    const draft = draftPin({ cid, wanted, existing: before?.pin, updated, defaults, nowMs: clock.now() })
    const allocations = draft.replication === 'everywhere' ? [] : call.allocations ?? placePin({ replication: draft.replication, self, peerset: consensus.peerset(), holders: draft.allocations, wanted: wanted.userAllocations })
    const pin = { ...draft, allocations }
    if (before !== undefined && isSamePin(pin, before.pin)) return { pin: before.pin, before, revision: undefined }
    using _asked = isAllocatedTo(pin, self) && call.delivered === undefined ? tracker.foresee(cid) : undefined
    const revision = await consensus.log([{ kind: 'pin', pin, ifRevision: before?.revision ?? 0n }], call)
    return { pin, before, revision }
  }

  /** @returns false when somebody else took the pin away meanwhile */
  async function held ({ pin, revision }: Agreed, call: ClusterPinCall): Promise<boolean> {
    if (!isAllocatedTo(pin, self)) return true
    if (revision === undefined) {
      const { status, error } = await tracker.recover(pin.cid, call)
      if (status === 'cluster_error') throw new ClusterError('ERR_IPFS_UNREACHABLE', error)
    }
    const { info, cause } = await tracker.settled(pin.cid, call)
    if (cause !== undefined) throw cause
    return info.status === 'pinned'
  }

  async function putBack ({ pin: { cid }, before, revision }: Agreed): Promise<void> {
    if (revision === undefined) return
    using limit = deadline(clock, putBackTimeoutMs, 'putting back a pin', new AbortController().signal)
    try {
      await consensus.log([before === undefined ? { kind: 'unpin', cid, ifRevision: revision } : { kind: 'pin', pin: before.pin, ifRevision: revision }], limit)
      await tracker.settled(cid, limit)
    } catch (err) {
      if (isOutdated(err)) return // somebody changed it meanwhile: theirs stands
      log.error('a pin that failed could not be put back as it was', { cid: cid.toString(), err })
    }
  }

  /** What was agreed on and is held as `call.wait` asks, or `undefined` when somebody else overtook. */
  async function tryPin (cid: CID, wanted: PinOptions, call: ClusterPinCall): Promise<Pin | undefined> {
    let agreed: Agreed
    try {
      agreed = await agree(cid, wanted, call)
    } catch (err) {
      if (isOutdated(err)) return undefined
      throw err
    }
    call.onAgreed?.(agreed.pin)
    if (call.wait === 'commit') return agreed.pin
    try {
      return await held(agreed, call) ? agreed.pin : undefined
    } catch (err) {
      await putBack(agreed)
      throw err
    }
  }

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
    async pin (cid, options, call) {
      if (call.delivered !== undefined) await tracker.expect(cid, call.delivered, call)
      for (let tries = 0; tries < triesMax; tries++) {
        const pin = await tryPin(cid, options, call)
        if (pin !== undefined) return pin
      }
      throw new ClusterError('ERR_OUTDATED', `${cid.toString()} is being changed by others all the time`)
    },
    async unpin (cid, call) {
      for (let tries = 0; tries < triesMax; tries++) {
        const entry = await state.get(cid)
        if (entry === undefined) throw new ClusterError('ERR_PIN_NOT_FOUND', 'not pinned or pinned indirectly')
        try {
          await consensus.log([{ kind: 'unpin', cid, ifRevision: entry.revision, asked: true }], call)
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

function isOutdated (err: unknown): boolean {
  return err instanceof ClusterError && err.code === 'ERR_OUTDATED'
}

async function daemonId (ipfs: IpfsConnector, options: AbortOptions): Promise<IpfsId> {
  try {
    return await ipfs.id(options)
  } catch (err) {
    options.signal.throwIfAborted()
    return { id: '', addresses: [], error: (err as Error).message }
  }
}
