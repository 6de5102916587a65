import type { CID } from 'multiformats/cid'
import { cidKeyText } from './api/cid-key.ts'
import type { GlobalPinInfo, PinInfo, TrackerStatus } from './api/pin-info.ts'
import { isAllocatedTo } from './api/pin.ts'
import type { PeerId, Pin } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { deadline } from './async/deadline.ts'
import { joinSignals } from './async/join-signals.ts'
import type { Clock } from './clock.ts'
import type { AbortOptions, ClusterApi, PinsetReader } from './ports.ts'
import { StatusLane } from './status-lane.ts'

/** How long a peer that is there may take to answer, or for the next of its pins. */
const peerTimeoutMs = 15_000

/** Asks one peer, which may be this one; one that is not there fails soon. */
export interface PeerStatuses {
  status (peer: PeerId, cid: CID, options: AbortOptions): Promise<PinInfo>
  recover (peer: PeerId, cid: CID, options: AbortOptions): Promise<PinInfo>
  /** Ordered by the CIDs' bytes. */
  statusAll (peer: PeerId, filter: ReadonlySet<TrackerStatus>, options: AbortOptions): AsyncIterable<PinInfo>
}

export interface GlobalStatusComponents {
  readonly peerset: () => readonly PeerId[]
  readonly state: PinsetReader
  readonly ask: PeerStatuses
  readonly clock: Clock
}

/** Where pins stand on all members. Who does not answer in time is there with `cluster_error` and why, never absent. */
export type GlobalStatus = Pick<ClusterApi, 'status' | 'recover' | 'statusAll'>

export function createGlobalStatus ({ peerset, state, ask, clock }: GlobalStatusComponents): GlobalStatus {
  async function askOne (verb: 'status' | 'recover', peer: PeerId, cid: CID, { signal }: AbortOptions): Promise<PinInfo> {
    using limit = deadline(clock, peerTimeoutMs, `the answer of ${peer}`, signal)
    try {
      return await abortable(ask[verb](peer, cid, limit), limit.signal)
    } catch (err) {
      signal.throwIfAborted()
      return failed(cid, peer, (err as Error).message, clock)
    }
  }

  /** Who is not to hold it is not asked. What nobody is to hold may still be on its way out, so there all are. */
  async function askAll (verb: 'status' | 'recover', cid: CID, options: AbortOptions): Promise<GlobalPinInfo> {
    const pin = (await state.get(cid))?.pin
    const infos = await Promise.all(peerset().map(async peer => pin === undefined || isAllocatedTo(pin, peer) ? await askOne(verb, peer, cid, options) : remote(pin, peer)))
    return globalPinInfo(cid, pin, infos)
  }

  return {
    status: async (cid, options) => await askAll('status', cid, options),
    recover: async (cid, options) => await askAll('recover', cid, options),
    async * statusAll (filter, { signal }) {
      signal.throwIfAborted()
      const leaving = new AbortController()
      using joined = joinSignals(signal, leaving.signal)
      const given = joined.signal
      const lanes = peerset().map(peer => new StatusLane({ peer, infos: ask.statusAll(peer, filter, { signal: given }), clock, timeoutMs: peerTimeoutMs, signal: given }))
      try {
        yield * mergedLanes(lanes, { filter, state, clock, signal: given })
      } finally {
        leaving.abort(new Error('the listing was left'))
        await Promise.all(lanes.map(async lane => await lane.close()))
      }
    }
  }
}

interface Merging { readonly filter: ReadonlySet<TrackerStatus>, readonly state: PinsetReader, readonly clock: Clock, readonly signal: AbortSignal }

/** Holds one pin of each peer at a time, however many there are. */
async function * mergedLanes (lanes: readonly StatusLane[], { filter, state, clock, signal }: Merging): AsyncGenerator<GlobalPinInfo, void, undefined> {
  const isWanted = (status: TrackerStatus): boolean => filter.size === 0 || filter.has(status)
  const failedPeers = (): readonly PeerId[] => lanes.filter(({ failure }) => failure !== undefined).map(({ peer }) => peer)
  await using orphans = orphansOf(state, failedPeers, signal)
  let last = ''

  await Promise.all(lanes.map(async lane => await lane.advance()))
  while (true) {
    const orphan = isWanted('cluster_error') && failedPeers().length > 0 ? await orphans.after(last) : undefined
    const next = lanes.reduce<{ key: string, cid: CID } | undefined>((least, { key, cid }) => key !== undefined && (least === undefined || key < least.key) ? { key, cid: cid! } : least, orphan)
    if (next === undefined) return
    last = next.key
    const pin = (await state.get(next.cid))?.pin
    const infos = lanes.flatMap(lane => {
      if (lane.failure === undefined) return lane.at(next.key) ?? []
      if (pin === undefined || isAllocatedTo(pin, lane.peer)) return failed(next.cid, lane.peer, lane.failure, clock)
      return isWanted('remote') ? remote(pin, lane.peer) : []
    })
    if (infos.length > 0) yield globalPinInfo(next.cid, pin, infos)
    await Promise.all(lanes.filter(({ key }) => key === next.key).map(async lane => await lane.advance()))
  }
}

interface Orphans extends AsyncDisposable {
  /** The first whose key is greater. Keys only grow from call to call. */
  after (key: string): Promise<{ readonly key: string, readonly cid: CID } | undefined>
}

/** Pins that a peer should hold that did not answer: perhaps nobody else speaks of them. The pinset is not read before there is one. */
function orphansOf (state: PinsetReader, failedPeers: () => readonly PeerId[], signal: AbortSignal): Orphans {
  let pins: AsyncIterator<Pin> | undefined
  let peers: readonly PeerId[] = []
  let head: { readonly key: string, readonly cid: CID } | undefined
  let isAtEnd = false

  const close = async (): Promise<void> => { await pins?.return?.() }

  /** One more peer has failed: what was passed over may be its. */
  async function beginAnew (): Promise<void> {
    await close()
    peers = failedPeers()
    pins = state.list({ signal })[Symbol.asyncIterator]()
    head = undefined
    isAtEnd = false
  }

  return {
    async after (key) {
      if (failedPeers().length > peers.length) await beginAnew()
      while (!isAtEnd && (head === undefined || head.key <= key)) {
        const { done, value } = await pins!.next()
        isAtEnd = done === true
        const isOrphan = done !== true && peers.some(peer => isAllocatedTo(value, peer))
        head = isOrphan ? { key: cidKeyText(value.cid), cid: value.cid } : undefined
      }
      return head
    },
    [Symbol.asyncDispose]: close
  }
}

/** What is known of a CID as a whole, and where it stands on each of `peers`. */
export function globalPinInfo (cid: CID, pin: Pin | undefined, peers: readonly PinInfo[]): GlobalPinInfo {
  return {
    cid,
    name: pin?.name ?? peers.find(({ name }) => name !== '')?.name ?? '',
    allocations: pin?.allocations ?? [],
    origins: pin?.origins ?? [],
    createdMs: pin?.timestampMs ?? 0,
    metadata: pin?.metadata ?? {},
    peers
  }
}

function remote ({ cid, name, timestampMs }: Pin, peer: PeerId): PinInfo {
  return { cid, name, peer, status: 'remote', timestampMs, error: '', attemptCount: 0, isPriority: false }
}

function failed (cid: CID, peer: PeerId, error: string, clock: Clock): PinInfo {
  return { cid, name: '', peer, status: 'cluster_error', timestampMs: clock.now(), error, attemptCount: 0, isPriority: false }
}
