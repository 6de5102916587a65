import type { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import type { TrackerStatus } from '../api/pin-info.ts'
import { isAllocatedTo } from '../api/pin.ts'
import type { PeerId, Pin } from '../api/pin.ts'
import { joinSignals } from '../async/join-signals.ts'
import { oneAtATime } from '../async/one-at-a-time.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Auditor } from '../peer-ports.ts'
import type { IpfsConnector, PinNote, PinsetReader, PinTracker } from '../ports.ts'
import type { Store } from '../store/store.ts'
import type { PinTrackerConfig } from './config.ts'
import { createCatchUp, walkToPins, walkToUnpins } from './catch-up.ts'
import { findDrift } from './drift.ts'
import { createExpectations } from './expectations.ts'
import { createForesight } from './foresight.ts'
import { createLane } from './lane.ts'
import { createReconciler } from './reconciler.ts'
import { createStatusReader } from './status-reader.ts'
import { causeOf, createTrackerIndex } from './tracker-index.ts'

const dueBatch = 1_000
const recoverable: ReadonlySet<TrackerStatus> = new Set(['pin_error', 'unpin_error', 'unexpectedly_unpinned'])

export interface PinTrackerComponents {
  readonly ipfs: IpfsConnector
  readonly state: PinsetReader
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly self: PeerId
}

/** Brings this peer's daemon to what the pinset says: one operation per CID, bounded queues, notes in LMDB of what is its own. */
export function createPinTracker (components: PinTrackerComponents, config: PinTrackerConfig): PinTracker & Auditor {
  const { ipfs, state, clock, log, self } = components
  const index = createTrackerIndex(components.store)
  const closing = new AbortController()
  const foresight = createForesight({ ipfs, clock }, closing)
  const expectations = createExpectations({ ipfs, index, clock, foresight })
  const lane = createLane({ ipfs, index, clock, log, expectations, foresight }, config)
  const isKnown = (cid: CID): boolean => lane.operations.get(cidKeyText(cid)) !== undefined || index.held(cidKey(cid)) !== undefined || index.fault(cidKey(cid)) !== undefined
  const room = lane.room
  const pinsLeft = createCatchUp(walkToPins({ state, self, room, isKnown, queuePin: pin => lane.pin(pin, 0) }), { log })
  const unpinsLeft = createCatchUp(walkToUnpins({
    state, self, room, index, isBusy: cid => lane.operations.get(cidKeyText(cid)) !== undefined, queueUnpin: (cid, pin) => pin === undefined ? lane.unpin(cid, { asked: false, attempts: 0 }) : lane.release(cid)
  }), { log })
  const reader = createStatusReader({ state, index, ipfs, self, operations: lane.operations, isCatchingUp: { pins: pinsLeft.isUnderWay, unpins: unpinsLeft.isUnderWay } })
  const isBusy = (key: string): boolean => lane.operations.isBusy(key) || expectations.isExpected(key)
  const audits = oneAtATime()
  const reconciler = createReconciler({
    ipfs, state, index, clock, log, self, isBusy,
    queuePin: (pin, attempts) => lane.pin(pin, attempts),
    queueUnpin: (cid, asked, attempts) => lane.unpin(cid, { asked, attempts }),
    room: lane.room
  })
  let isStarted = false

  function isOwn (cid: CID): boolean {
    const held = index.held(cidKey(cid))
    return held !== undefined && held.before === undefined
  }

  function pinned (pin: Pin, note: PinNote): void {
    if (!isStarted) return
    if (!isAllocatedTo(pin, self)) {
      if (mayWaitOutside(pin.cid)) unpinsLeft.leave()
      else if (isKnown(pin.cid)) lane.release(pin.cid)
      return
    }
    const isWaitedFor = note.ask !== undefined || note.delivery !== undefined || expectations.isExpected(cidKeyText(pin.cid))
    if (isWaitedFor || lane.hasRoom('pin') || isKnown(pin.cid)) lane.pin(pin, 0, note)
    else pinsLeft.leave()
  }

  /** Whether it is enough that it is noted as held, where there is no room for one more unpin: nothing is at work on it. */
  function mayWaitOutside (cid: CID): boolean {
    return !lane.hasRoom('unpin') && lane.operations.get(cidKeyText(cid)) === undefined && index.held(cidKey(cid)) !== undefined && index.fault(cidKey(cid)) === undefined
  }

  /** Of what was left to be caught up with, now that somebody waits for it. */
  async function pinAtOnce (cid: CID): Promise<void> {
    const entry = await state.get(cid)
    if (entry !== undefined && isAllocatedTo(entry.pin, self) && !isKnown(cid)) lane.pin(entry.pin, 0)
  }

  /** Queues anew what has failed or is missing. */
  async function retry (cid: CID): Promise<void> {
    const fault = index.fault(cidKey(cid)) ?? { asked: false, attempts: 0 }
    const entry = await state.get(cid)
    if (entry === undefined) return lane.unpin(cid, fault)
    if (isAllocatedTo(entry.pin, self)) return lane.pin(entry.pin, fault.attempts)
    lane.release(cid, fault.attempts)
  }

  return {
    name: 'pin tracker',
    async start ({ signal }) {
      signal.throwIfAborted()
      isStarted = true
      reconciler.soon()
    },
    pinned,
    unpinned (cid, asker) {
      if (!isStarted) return
      const asked = asker === self
      if (!asked && mayWaitOutside(cid)) unpinsLeft.leave()
      else if (asked || isKnown(cid)) lane.unpin(cid, { asked, attempts: 0 })
    },
    replaced () {
      if (isStarted) reconciler.soon()
    },
    status: (cid, options) => reader.verified(cid, options),
    statusAll: (filter, options) => reader.all(filter, options),
    async recover (cid, options) {
      const { status } = await reader.verified(cid, options)
      if (recoverable.has(status)) await retry(cid)
      return await reader.local(cid)
    },
    async * recoverAll ({ signal }) {
      using until = joinSignals(signal, closing.signal)
      for await (const cid of reconciler.now(until)) yield await reader.local(cid)
    },
    async * audit ({ foreign }, { signal }) {
      using until = joinSignals(signal, closing.signal)
      yield * audits(() => findDrift({ ipfs, state, index, clock, self, isBusy }, { foreign }, until), until)
    },
    async recoverDue ({ signal }) {
      let retried = 0
      for (const key of index.due(clock.now(), dueBatch)) {
        signal.throwIfAborted()
        const cid = reader.cidOf(key)
        if (lane.operations.get(cidKeyText(cid)) !== undefined) continue
        await retry(cid)
        retried++
      }
      return retried
    },
    async settled (cid, call) {
      call.signal.throwIfAborted()
      if (pinsLeft.isUnderWay()) await pinAtOnce(cid)
      const operation = lane.operations.get(cidKeyText(cid))
      if (operation !== undefined) {
        const end = await lane.followed(operation, call)
        return { info: await reader.after(end.operation), cause: end.cause }
      }
      const info = await reader.local(cid)
      const fault = index.fault(cidKey(cid))
      return { info, cause: fault === undefined ? undefined : causeOf(fault) }
    },
    expect: (cid, done, options) => expectations.expect(cid, done, options),
    expectDelivery: (delivery, ended) => { expectations.expectDelivery(delivery, ended) },
    // What is being changed just now is asked for once that has been done.
    foresee: cid => lane.operations.get(cidKeyText(cid)) === undefined ? foresight.foresee(cid) : { [Symbol.dispose] () {} },
    isOwn,
    isLettingGo (cid) {
      const operation = lane.operations.get(cidKeyText(cid))
      if (operation === undefined) return unpinsLeft.isUnderWay() && isOwn(cid)
      return operation.type === 'unpin' && operation.phase !== 'error' && (operation.asked || isOwn(cid))
    },
    queueLength: () => lane.queueLength() + pinsLeft.length(),
    async [Symbol.asyncDispose] () {
      isStarted = false
      closing.abort(new Error('the peer is shutting down'))
      await Promise.all([pinsLeft[Symbol.asyncDispose](), unpinsLeft[Symbol.asyncDispose]()])
      await reconciler[Symbol.asyncDispose]()
      await lane[Symbol.asyncDispose]()
    }
  }
}
