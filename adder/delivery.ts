import { randomUUID } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import type { PeerId, PinOptions } from '../cluster/api/pin.ts'
import { committable, hasLeft } from '../cluster/async/caller-left.ts'
import { joinSignals } from '../cluster/async/join-signals.ts'
import type { Block, ClusterApi, ImportCall, NamedRoot, PinWait, PutBlocks } from '../cluster/ports.ts'
import { fanOut } from './fan-out.ts'
import type { FanOut, LaneOutcome } from './fan-out.ts'
import type { Stragglers } from './stragglers.ts'

export interface DeliveryComponents {
  readonly cluster: Pick<ClusterApi, 'self' | 'allocate' | 'canDoWithout' | 'pin'>
  readonly putBlocks: PutBlocks
}

/** What all roots of a delivery are pinned with. */
export interface DeliveryOptions extends ImportCall, DeliveryWishes {
  readonly pin: PinOptions
  readonly wait: PinWait
  readonly queueBytesMax: number
  /** Whether the blocks are on this peer's own daemon already: then they are only held there until the roots are pinned. */
  readonly isHeldHere: boolean
  /** No import is open before, and no daemon's GC waits. */
  readonly opensAfter?: Promise<void>
  /** Takes over what goes on once as many hold the content as the answer promises; without it all destinations are waited for. */
  readonly stragglers?: Stragglers
  /** Who is not to be chosen, for it has just turned out not to be there. */
  readonly without?: readonly PeerId[]
  /** See `DeliveryCall`. */
  readonly isReplaceable?: (peer: PeerId) => boolean
}

/** Where blocks go and what becomes of them, where that is not the usual. */
export interface DeliveryWishes {
  /** They go to this peer's own daemon only; the others that are to hold the content fetch it from there. */
  readonly isLocal?: boolean
  /** They are brought to the daemons, and nothing is pinned. */
  readonly isUnpinned?: boolean
}

/** One root's end: pinned and held as far as was asked, or why not. */
export type RootOutcome = { readonly cid: CID, readonly error?: never } | { readonly cid: CID, readonly error: unknown }

/** Blocks on their way to the daemons that will hold them, and the pins at the end. */
export interface Delivery {
  /** Whether anybody but this peer's own daemon wants the blocks. */
  readonly isForOthers: boolean
  put (block: Block): Promise<void>
  /**
   * Agrees on a pin for each root, has the agreed ones pinned where the blocks went, and waits for that. `inOrder`: behind a root that
   * is refused none is pinned, as Kubo would never have come to them; otherwise each stands for itself.
   */
  pin (roots: readonly CID[], order: 'inOrder' | 'eachAlone'): Promise<readonly RootOutcome[]>
  /** Nothing is pinned; resolves when every daemon has let go. */
  abandon (reason: unknown): Promise<void>
  /** Peers that blocks went to and that turned out not to be there. */
  lost (): readonly PeerId[]
}

/** Chooses the peers, and opens an import on each. While one is open its daemon's GC waits: a delivery must end. */
export async function createDelivery ({ cluster, putBlocks }: DeliveryComponents, options: DeliveryOptions): Promise<Delivery> {
  const { peers, min } = await cluster.allocate(options.pin, options)
  const isAllocatedHere = peers.includes(cluster.self)
  // A daemon that has the blocks without being chosen keeps them until the others have read them.
  const sentTo = options.isLocal === true ? peers.filter(peer => peer === cluster.self) : peers
  const lanes = (options.isHeldHere || options.isLocal === true) && !isAllocatedHere ? [cluster.self, ...sentTo] : sentTo
  const lanesMin = lanes.length - sentTo.length + Math.min(min, sentTo.length)
  const namedFor: PutBlocks = async (peer, blocks, roots, call) => {
    await options.opensAfter
    return await putBlocks(peer, blocks, peers.includes(peer) ? roots : roots.then(() => []), call)
  }
  const name = randomUUID()
  const { signal, commit } = committable(options.signal)
  const unwanted = new AbortController()
  const wanted = joinSignals(signal, unwanted.signal)
  const out = fanOut(lanes, lanesMin, namedFor, options.queueBytesMax, { ...options, signal: wanted.signal, delivery: name })
  void Promise.all(lanes.map(peer => out.outcome(peer))).then(() => { wanted[Symbol.dispose]() })
  return {
    isForOthers: lanes.some(peer => peer !== cluster.self),
    put: block => out.put(block, options.isHeldHere ? cluster.self : undefined),
    async pin (roots, order) {
      commit() // all blocks are here: what is agreed on from now on gets them, whether or not the caller waits for it
      // The same content may have been added twice; it is one pin.
      const distinct = new Map(roots.map(cid => [cid.toString(), cid]))
      const outcomes = options.isUnpinned === true
        ? await out.finish([]).then(() => [...distinct.values()].map(cid => ({ cid })))
        : await pinRoots({ cluster, out, name, peers, sentTo, min, isAllocatedHere, end: reason => unwanted.abort(reason) }, options, [...distinct.values()], order)
      const byRoot = new Map(outcomes.map(outcome => [outcome.cid.toString(), outcome]))
      return roots.map(cid => byRoot.get(cid.toString())!)
    },
    abandon: reason => out.abandon(reason),
    lost: () => out.lost()
  }
}

interface Destinations {
  readonly cluster: DeliveryComponents['cluster']
  readonly out: FanOut
  /** Of the delivery, see `PinsetOp`. */
  readonly name: string
  readonly peers: readonly PeerId[]
  /** Those of them that get the blocks from here. */
  readonly sentTo: readonly PeerId[]
  readonly min: number
  readonly isAllocatedHere: boolean
  /** Ends all imports, wherever they are. */
  readonly end: (reason: unknown) => void
}

/**
 * The handshake: every pin is logged while the imports still hold their daemons' locks; only then do they learn which roots to pin;
 * what they pinned counts as delivered, and the pins end as they would have by themselves.
 */
async function pinRoots (to: Destinations, options: DeliveryOptions, roots: readonly CID[], order: 'inOrder' | 'eachAlone'): Promise<RootOutcome[]> {
  const pins = roots.map(cid => openPin(to, options, cid))
  const agreed = await Promise.all(pins.map(pin => pin.isAgreed))
  const standsAlone = order === 'eachAlone' || hasLeft(options.signal) // what was not agreed on then has not been refused
  const refusedAt = agreed.indexOf(false)
  const isNamed = agreed.map((yes, i) => yes && (standsAlone || refusedAt < 0 || i < refusedAt))
  const named: NamedRoot[] = roots.filter((_cid, i) => isNamed[i]).map(cid => ({ cid, name: options.pin.name }))
  for (const [i, pin] of pins.entries()) if (!isNamed[i]) pin.giveUp(new Error('a root before it was refused'))

  const outcomes = Promise.all(pins.map(pin => pin.outcome))
  // What a caller has left may hang on a block that is nowhere; it ends with the last pin that wanted it.
  void outcomes.then(all => { if (hasLeft(options.signal) && all.every(({ error }) => error !== undefined)) to.end(options.signal.reason) })
  let failure: { readonly error: unknown } | undefined
  try {
    const here = to.isAllocatedHere ? to.out.outcome(to.cluster.self) : undefined
    const told = here?.then(outcome => { for (const pin of pins) pin.deliveredHere(outcome) })
    const finishing = to.out.finish(named)
    if (await isHeldFirst(outcomes, finishing, isTaken(to)) && options.stragglers?.leave(finishing) === true) return await outcomes
    const lanes = await finishing
    await told
    for (const [i, pin] of pins.entries()) if (isNamed[i]) pin.deliveredTo(lanes, to)
  } catch (error) {
    // A caller whose time is up hears of each root; a daemon that would not have the blocks at all is another matter.
    if (!options.signal.aborted) failure = { error }
    for (const pin of pins) pin.giveUp(error)
  }
  const ended = await outcomes
  if (failure !== undefined) throw failure.error
  return ended
}

/** Whether all pins are held as far as was asked, and the blocks are known to be good, before all imports have ended. */
async function isHeldFirst (outcomes: Promise<readonly RootOutcome[]>, finishing: Promise<unknown>, isTaken: Promise<boolean>): Promise<boolean> {
  const isOver = finishing.then(() => false, () => false)
  return await Promise.race([isOver, outcomes.then(async all => (all.every(({ error }) => error === undefined) && await isTaken) || await isOver)])
}

/** Whether a daemon has taken all blocks, this peer's own if it is to: a pin that was there before says nothing of those that come now. */
async function isTaken ({ out, cluster, sentTo, isAllocatedHere }: Destinations): Promise<boolean> {
  const witnesses = isAllocatedHere ? [cluster.self] : sentTo
  return await Promise.any(witnesses.map(async peer => {
    const outcome = await out.outcome(peer)
    if ('error' in outcome) throw outcome.error
  })).then(() => true, () => false)
}

interface OpenPin {
  /** Resolves false when it was refused. */
  readonly isAgreed: Promise<boolean>
  readonly outcome: Promise<RootOutcome>
  deliveredHere (outcome: LaneOutcome): void
  deliveredTo (outcomes: ReadonlyMap<PeerId, LaneOutcome>, to: Destinations): void
  giveUp (reason: unknown): void
}

/** Asks the cluster for one pin. Given up after it was agreed, the cluster puts the pinset back as it was, unless the caller has only left. */
function openPin ({ cluster, out, name, peers, sentTo, isAllocatedHere }: Destinations, options: DeliveryOptions, cid: CID): OpenPin {
  const agreed = Promise.withResolvers<boolean>()
  const delivered = Promise.withResolvers<void>()
  delivered.promise.catch(() => {}) // the tracker hears of it; if it was never told to expect anything, nobody has to
  const given = new AbortController()
  const to = new Map(sentTo.filter(peer => peer !== cluster.self).map(peer => [peer, out.outcome(peer).then(lane => { throwIfFailed(lane, cid) })]))
  for (const lane of to.values()) lane.catch(() => {}) // the cluster hears of it, while it waits
  const joined = joinSignals(options.signal, given.signal)
  const outcome = cluster.pin(cid, options.pin, {
    wait: options.wait,
    ...options.unannounced !== undefined && { unannounced: options.unannounced },
    allocations: peers,
    signal: joined.signal,
    onAgreed: () => { agreed.resolve(true) },
    ...isAllocatedHere && { delivered: delivered.promise },
    ...to.size > 0 && { deliveries: { name, to } }
  }).then<RootOutcome, RootOutcome>(() => ({ cid }), (error: unknown) => ({ cid, error: given.signal.aborted ? given.signal.reason : error }))
  void outcome.then(({ error }) => {
    joined[Symbol.dispose]()
    agreed.resolve(error === undefined)
  })

  return {
    isAgreed: agreed.promise,
    outcome,
    deliveredHere (lane) {
      const error = errorIn(lane, cid)
      if (error === undefined) delivered.resolve()
      else delivered.reject(error)
    },
    deliveredTo (outcomes, { min }) {
      const errors = sentTo.map(peer => errorIn(outcomes.get(peer)!, cid)).filter(error => error !== undefined)
      // Where it failed that peer's tracker tries by itself; where too many failed the caller is told now.
      if (sentTo.length - errors.length < Math.min(min, sentTo.length)) this.giveUp(errors[0])
    },
    giveUp (reason) {
      given.abort(reason)
      delivered.reject(reason)
    }
  }
}

function throwIfFailed (outcome: LaneOutcome, cid: CID): void {
  const error = errorIn(outcome, cid)
  if (error !== undefined) throw error
}

function errorIn (outcome: LaneOutcome, cid: CID): unknown {
  if ('error' in outcome) return outcome.error
  return outcome.unpinned.find(root => root.cid.equals(cid))?.error
}
