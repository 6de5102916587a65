import type { CID } from 'multiformats/cid'
import { cidKeyText } from './api/cid-key.ts'
import { ClusterError, isNotThere, KuboRepliedError } from './api/errors.ts'
import { isAllocatedTo } from './api/pin.ts'
import type { PeerId, Pin, PinOptions, Replication } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { committable, hasLeft } from './async/caller-left.ts'
import { deadline } from './async/deadline.ts'
import { joinSignals } from './async/join-signals.ts'
import type { Clock } from './clock.ts'
import { isPlaceablePromptly, placePromptly } from './destinations.ts'
import type { Destinations } from './destinations.ts'
import { enoughHolders } from './holders.ts'
import type { Holding, Wait } from './holding.ts'
import type { Logger } from './log.ts'
import { draftPin, isSamePin } from './pinning.ts'
import { holdersNeeded } from './placement.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, ClusterApi, ClusterPinCall, Consensus, PinsetEntry, PinTracker } from './ports.ts'
import type { Presence } from './presence.ts'
import { isOnTheMove } from './relocation.ts'

/** A decision that others keep overtaking is given up. */
const triesMax = 10
/** What an answer waits for while a failed pin is put back; then the tracker goes on by itself. */
const putBackTimeoutMs = 10_000

export interface PinnerComponents {
  readonly self: PeerId
  readonly consensus: Consensus
  readonly tracker: PinTracker
  readonly holding: Holding
  readonly presence: Pick<Presence, 'watch'>
  readonly destinations: Pick<Destinations, 'watch' | 'overdue'>
  readonly placer: Placer
  readonly clock: Clock
  readonly log: Logger
}

/** What a CID's entry of the pinset was changed from, and the revision it has since: 0 when it has none. */
export interface Change { readonly pin: Pin, readonly before: PinsetEntry | undefined, readonly revision: bigint }

/**
 * What was agreed on for a wish, and what was there before. Whoever wishes for the same here meanwhile waits along: the pinset is put back when the
 * last of those who are still there is told that it failed, never once one of them was told that the pin is held, nor when all have left.
 */
interface Agreed extends Change {
  readonly wait: Wait
  readonly callers: Set<Caller>
  isAcknowledged: boolean
}

/** Who waits, or has left since it was agreed on: then it is waited for to the end all the same, for what brings the content. */
interface Caller {
  readonly call: ClusterPinCall
  /** Of all that ends the wait for what was agreed on; leaving does not. */
  readonly signal: AbortSignal
  /** Those that were chosen for this pin and turned out not to be there: others are chosen instead of them. */
  readonly gone: Set<PeerId>
  /** Nobody wants it any more. */
  letGo (): void
}

function callerOf (call: ClusterPinCall): Caller {
  const { signal, commit } = committable(call.signal)
  commit()
  const unwanted = new AbortController()
  return { call, signal: joinSignals(signal, unwanted.signal).signal, gone: new Set(), letGo () { unwanted.abort(new Error('nobody wants it any more')) } }
}

export interface Pinner extends Pick<ClusterApi, 'pin' | 'isLeft'> {
  /** Makes a CID's pin what it was before a change that is answered an error; what others changed meanwhile stands. Never fails: what it cannot do it logs. */
  putBack (change: Change): Promise<void>
}

/** The one verb that takes several steps: decide, log, wait, and put back when that fails. */
export function createPinner ({ self, consensus, tracker, holding, presence, destinations, placer, clock, log }: PinnerComponents, defaults: { readonly replication: Replication }): Pinner {
  const { state } = consensus

  /** By CID, those of this peer that are still waited for. */
  const open = new Map<string, Agreed>()
  const leftOf = (cid: CID): Agreed | undefined => {
    const agreed = open.get(cidKeyText(cid))
    return agreed !== undefined && [...agreed.callers].every(({ call }) => hasLeft(call.signal)) ? agreed : undefined
  }

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
  async function agree (cid: CID, wanted: PinOptions, caller: Caller): Promise<Agreed | Pin> {
    const { call } = caller
    const before = await state.get(cid)
    const left = leftOf(cid)
    const isOtherThanLeft = left !== undefined && left.revision === before?.revision && before.pin.mode !== wanted.mode
    const existing = isOtherThanLeft ? left.before : before
    const updated = wanted.pinUpdate === undefined ? undefined : (await state.get(wanted.pinUpdate))?.pin
    const draft = draftPin({ cid, wanted, existing: existing?.pin, updated, defaults, nowMs: clock.now() })
    const pin = { ...draft, allocations: draft.replication === 'everywhere' ? [] : call.allocations ?? allocationsFor(draft, wanted, existing?.pin, caller) }
    if (before !== undefined && isSamePin(pin, before.pin)) {
      const agreed = open.get(cidKeyText(cid))
      if (agreed?.revision === before.revision) return joined(agreed, caller)
      if (await isHeldByAll(before.pin, call)) return before.pin
    }
    return await logged(pin, before, caller)
  }

  /** Of what is on the move nobody is let off here: who has a copy is not known. */
  function allocationsFor ({ replication, allocations }: Pin, { userAllocations }: PinOptions, existing: Pin | undefined, { gone }: Caller): readonly PeerId[] {
    const chosen = placePromptly({ placer, destinations }, { replication, holders: allocations.filter(peer => !gone.has(peer)), wanted: userAllocations, without: [...gone] })
    return existing !== undefined && isOnTheMove(existing) ? [...new Set([...existing.allocations, ...chosen])] : chosen
  }

  function joined (agreed: Agreed, caller: Caller): Agreed {
    caller.call.signal.throwIfAborted()
    agreed.callers.add(caller)
    return agreed
  }

  async function logged (pin: Pin, before: PinsetEntry | undefined, caller: Caller): Promise<Agreed> {
    const { call } = caller
    using undo = new DisposableStack()
    const wait = undo.use(holding.begin(pin.cid))
    using _asked = isAllocatedTo(pin, self) && call.delivered === undefined ? tracker.foresee(pin.cid) : undefined
    const isToldByOthers = call.wait !== 'commit' && holdersOf(pin).some(peer => peer !== self)
    const note = { ...call.deliveries !== undefined && { delivery: call.deliveries.name }, ...isToldByOthers && { ask: wait.ask }, ...call.unannounced !== undefined && { unannounced: call.unannounced } }
    const revision = await consensus.log([{ kind: 'pin', pin, ifRevision: before?.revision ?? 0n, ...note }], call)
    const agreed = { pin, before, revision, wait, callers: new Set([caller]), isAcknowledged: false }
    open.set(cidKeyText(pin.cid), agreed)
    undo.move()
    return agreed
  }

  async function ended (agreed: Agreed, caller: Caller, outcome: 'held' | 'overtaken' | 'failed'): Promise<void> {
    const { callers, wait } = agreed
    callers.delete(caller)
    agreed.isAcknowledged ||= outcome === 'held'
    const isGivenUp = outcome === 'failed' && !hasLeft(caller.call.signal) && [...callers].every(({ call }) => hasLeft(call.signal))
    if (callers.size === 0 || isGivenUp) {
      const key = cidKeyText(agreed.pin.cid)
      if (open.get(key) === agreed) open.delete(key)
      wait[Symbol.dispose]()
    }
    if (!isGivenUp || agreed.isAcknowledged) return
    for (const left of callers) left.letGo()
    await putBack(agreed)
  }

  /** @returns false when somebody else took the pin away meanwhile */
  async function heldHere ({ pin }: Agreed, { call, letGo }: Caller, options: AbortOptions): Promise<boolean> {
    const onReleased = (): void => { if (hasLeft(call.signal)) letGo() }
    const { info, cause } = await tracker.settled(pin.cid, { ...call, ...options, onReleased })
    if (cause !== undefined) throw cause
    return info.status === 'pinned'
  }

  async function heldThere (peer: PeerId, agreed: Agreed, caller: Caller, options: AbortOptions): Promise<boolean> {
    const { call } = caller
    const delivered = call.deliveries?.to.get(peer)
    const isDelivered = delivered !== undefined && await abortable(delivered.then(() => true, err => {
      if (call.wait !== 'all') throw err
      return false // then its tracker fetches it
    }), options.signal)
    return isDelivered || await heldUnlessGone(peer, agreed, caller, options)
  }

  /** Nothing has been answered yet: a peer that turns out not to be there, or without a daemon, is waited for only where no other can be chosen instead, or where it may have the content already. */
  async function heldUnlessGone (peer: PeerId, { pin, before, wait }: Agreed, { call, gone }: Caller, options: AbortOptions): Promise<boolean> {
    const { replication } = pin
    const isChosenHere = call.allocations === undefined && before?.pin.allocations.includes(peer) !== true
    if (replication === 'everywhere' || !isChosenHere) return await wait.heldBy(peer, options)

    const holders = before?.pin.allocations ?? []
    const isReplaceable = (): boolean => placer.explain({ replication, holders, wanted: [], without: [...gone, peer] }).some(({ isChosen }) => isChosen)
    const isPromptlyReplaceable = (): boolean => isPlaceablePromptly({ placer, destinations }, { replication, holders, wanted: [], without: [...gone, peer] })
    using present = presence.watch(peer, options)
    using watch = destinations.watch(peer, { signal: present.signal, isReplaceable: isPromptlyReplaceable })
    try {
      return await wait.heldBy(peer, watch)
    } catch (err) {
      if (options.signal.aborted) throw err
      const isSilent = watch.signal.aborted
      if ((isSilent || isNotThere(err)) && isReplaceable()) gone.add(peer)
      else if (isSilent) return await wait.heldBy(peer, options)
      throw err
    }
  }

  /** Waits for as many as the caller wants. @returns false when somebody else changed the pin meanwhile */
  async function held (agreed: Agreed, caller: Caller): Promise<boolean> {
    const { call } = caller
    const peers = holdersOf(agreed.pin)
    const min = call.wait === 'all' ? peers.length : Math.min(peers.length, holdersNeeded(agreed.pin.replication, consensus.peerset()))
    return await enoughHolders({
      peers, min, required: peers.includes(self) ? self : undefined,
      ask: async (peer, options) => peer === self ? await heldHere(agreed, caller, options) : await heldThere(peer, agreed, caller, options)
    }, caller)
  }

  async function putBack ({ pin: { cid }, before, revision }: Change): Promise<void> {
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
  async function tryPin (cid: CID, wanted: PinOptions, caller: Caller, expecting: Promise<void> | undefined): Promise<Pin | undefined> {
    const { call } = caller
    let agreed: Agreed | Pin
    try {
      agreed = await agree(cid, wanted, caller)
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
      const isHeld = call.wait === 'commit' || await held(agreed, caller)
      await ended(agreed, caller, isHeld ? 'held' : 'overtaken')
      return isHeld ? agreed.pin : undefined
    } catch (err) {
      await ended(agreed, caller, 'failed')
      throw err
    }
  }

  return {
    async pin (cid, options, call) {
      const caller = callerOf(call)
      // Whether the daemon has the pin already is found out and noted while the pin is being agreed on.
      const expecting = call.delivered === undefined ? undefined : tracker.expect(cid, call.delivered, caller)
      expecting?.catch(() => {}) // heard of where it is waited for
      for (let tries = 0; tries < triesMax; tries++) {
        const goneBefore = caller.gone.size
        try {
          const pin = await tryPin(cid, options, caller, expecting)
          if (pin !== undefined) return pin
        } catch (err) {
          if (caller.gone.size === goneBefore || call.signal.aborted || err instanceof KuboRepliedError) throw err
          log.info('who was to hold a pin is not there: another one is chosen', { cid: cid.toString(), gone: [...caller.gone], err })
        }
      }
      throw new ClusterError('ERR_OUTDATED', `${cid.toString()} is being changed by others all the time`)
    },
    isLeft: cid => leftOf(cid) !== undefined,
    putBack
  }
}

/** Whether somebody else changed first. */
export function isOutdated (err: unknown): boolean {
  return err instanceof ClusterError && err.code === 'ERR_OUTDATED'
}
