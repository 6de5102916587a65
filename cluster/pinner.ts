import type { CID } from 'multiformats/cid'
import { cidKeyText } from './api/cid-key.ts'
import { ClusterError } from './api/errors.ts'
import { isAllocatedTo } from './api/pin.ts'
import type { PeerId, Pin, PinOptions, Replication } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { deadline } from './async/deadline.ts'
import type { Clock } from './clock.ts'
import { enoughHolders } from './holders.ts'
import type { Holding, Wait } from './holding.ts'
import type { Logger } from './log.ts'
import { draftPin, isSamePin } from './pinning.ts'
import { holdersNeeded } from './placement.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, ClusterApi, ClusterPinCall, Consensus, PinCall, PinsetEntry, PinTracker } from './ports.ts'

/** A decision that others keep overtaking is given up. */
const triesMax = 10
/** What an answer waits for while a failed pin is put back; then the tracker goes on by itself. */
const putBackTimeoutMs = 10_000

export interface PinnerComponents {
  readonly self: PeerId
  readonly consensus: Consensus
  readonly tracker: PinTracker
  readonly holding: Holding
  readonly placer: Placer
  readonly clock: Clock
  readonly log: Logger
}

/**
 * What was agreed on for a wish, and what was there before. Whoever wishes for the same here meanwhile waits along: the pinset is put back only
 * when the last of them has failed, and never once one of them was told that the pin is held.
 */
interface Agreed {
  readonly pin: Pin
  readonly before: PinsetEntry | undefined
  readonly revision: bigint
  readonly wait: Wait
  waiting: number
  isAcknowledged: boolean
}

/** The one verb that takes several steps: decide, log, wait, and put back when that fails. */
export function createPinner ({ self, consensus, tracker, holding, placer, clock, log }: PinnerComponents, defaults: { readonly replication: Replication }): Pick<ClusterApi, 'pin'> {
  const { state } = consensus

  /** By CID, those of this peer whose callers still wait. */
  const open = new Map<string, Agreed>()

  /** Who holds a pin, or is to. */
  const holdersOf = (pin: Pin): readonly PeerId[] => pin.replication === 'everywhere' ? consensus.peerset() : pin.allocations

  async function isHeldByAll (pin: Pin, options: AbortOptions): Promise<boolean> {
    const held = await Promise.all(holdersOf(pin).map(async peer => peer === self ? (await tracker.status(pin.cid, options)).status === 'pinned' : await holding.isHeldBy(peer, pin.cid, options)))
    return held.every(isHeld => isHeld)
  }

  /**
   * An identical pin that all hold already is only answered. One that is still on its way for another peer's caller is logged again: that caller may
   * fail and put the pinset back, which must not take away what is acknowledged here, and the new revision keeps it from that.
   */
  async function agree (cid: CID, wanted: PinOptions, call: ClusterPinCall): Promise<Agreed | Pin> {
    const before = await state.get(cid)
    const updated = wanted.pinUpdate === undefined ? undefined : (await state.get(wanted.pinUpdate))?.pin
    const draft = draftPin({ cid, wanted, existing: before?.pin, updated, defaults, nowMs: clock.now() })
    const allocations = draft.replication === 'everywhere' ? [] : call.allocations ?? placer.place({ replication: draft.replication, holders: draft.allocations, wanted: wanted.userAllocations })
    const pin = { ...draft, allocations }
    if (before !== undefined && isSamePin(pin, before.pin)) {
      const agreed = open.get(cidKeyText(cid))
      if (agreed?.revision === before.revision) return joined(agreed)
      if (await isHeldByAll(before.pin, call)) return before.pin
    }
    return await logged(pin, before, call)
  }

  function joined (agreed: Agreed): Agreed {
    agreed.waiting++
    return agreed
  }

  async function logged (pin: Pin, before: PinsetEntry | undefined, call: ClusterPinCall): Promise<Agreed> {
    using undo = new DisposableStack()
    const wait = undo.use(holding.begin(pin.cid))
    using _asked = isAllocatedTo(pin, self) && call.delivered === undefined ? tracker.foresee(pin.cid) : undefined
    const isToldByOthers = call.wait !== 'commit' && holdersOf(pin).some(peer => peer !== self)
    const note = { ...call.deliveries !== undefined && { delivery: call.deliveries.name }, ...isToldByOthers && { ask: wait.ask } }
    const revision = await consensus.log([{ kind: 'pin', pin, ifRevision: before?.revision ?? 0n, ...note }], call)
    const agreed = { pin, before, revision, wait, waiting: 1, isAcknowledged: false }
    open.set(cidKeyText(pin.cid), agreed)
    undo.move()
    return agreed
  }

  async function leave (agreed: Agreed, outcome: 'answered' | 'failed'): Promise<void> {
    const isLast = --agreed.waiting === 0
    if (!isLast) return
    const key = cidKeyText(agreed.pin.cid)
    if (open.get(key) === agreed) open.delete(key)
    agreed.wait[Symbol.dispose]()
    if (outcome === 'failed' && !agreed.isAcknowledged) await putBack(agreed)
  }

  /** @returns false when somebody else took the pin away meanwhile */
  async function heldHere ({ pin }: Agreed, call: PinCall): Promise<boolean> {
    const { info, cause } = await tracker.settled(pin.cid, call)
    if (cause !== undefined) throw cause
    return info.status === 'pinned'
  }

  async function heldThere (peer: PeerId, { wait }: Agreed, call: ClusterPinCall, options: AbortOptions): Promise<boolean> {
    const delivered = call.deliveries?.to.get(peer)
    const isDelivered = delivered !== undefined && await abortable(delivered.then(() => true, err => {
      if (call.wait !== 'all') throw err
      return false // then its tracker fetches it
    }), options.signal)
    return isDelivered || await wait.heldBy(peer, options)
  }

  /** Waits for as many as the caller wants. @returns false when somebody else changed the pin meanwhile */
  async function held (agreed: Agreed, call: ClusterPinCall): Promise<boolean> {
    const peers = holdersOf(agreed.pin)
    const min = call.wait === 'all' ? peers.length : Math.min(peers.length, holdersNeeded(agreed.pin.replication, consensus.peerset()))
    return await enoughHolders({
      peers, min, required: peers.includes(self) ? self : undefined,
      ask: async (peer, options) => peer === self ? await heldHere(agreed, { ...call, ...options }) : await heldThere(peer, agreed, call, options)
    }, call)
  }

  async function putBack ({ pin: { cid }, before, revision }: Agreed): Promise<void> {
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
  async function tryPin (cid: CID, wanted: PinOptions, call: ClusterPinCall, expecting: Promise<void> | undefined): Promise<Pin | undefined> {
    let agreed: Agreed | Pin
    try {
      agreed = await agree(cid, wanted, call)
    } catch (err) {
      if (isOutdated(err)) return undefined
      throw err
    }
    if (!('revision' in agreed)) {
      await expecting
      call.onAgreed?.(agreed)
      return agreed
    }
    try {
      await expecting // before what delivers it may pin
      call.onAgreed?.(agreed.pin)
      const isHeld = call.wait === 'commit' || await held(agreed, call)
      if (isHeld) agreed.isAcknowledged = true
      await leave(agreed, 'answered')
      return isHeld ? agreed.pin : undefined
    } catch (err) {
      await leave(agreed, 'failed')
      throw err
    }
  }

  return {
    async pin (cid, options, call) {
      // Whether the daemon has the pin already is found out and noted while the pin is being agreed on.
      const expecting = call.delivered === undefined ? undefined : tracker.expect(cid, call.delivered, call)
      expecting?.catch(() => {}) // heard of where it is waited for
      for (let tries = 0; tries < triesMax; tries++) {
        const pin = await tryPin(cid, options, call, expecting)
        if (pin !== undefined) return pin
      }
      throw new ClusterError('ERR_OUTDATED', `${cid.toString()} is being changed by others all the time`)
    }
  }
}

/** Whether somebody else changed first. */
export function isOutdated (err: unknown): boolean {
  return err instanceof ClusterError && err.code === 'ERR_OUTDATED'
}
