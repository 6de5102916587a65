/** What every `PinTracker` promises. */
import t from 'tap'
import { KuboRepliedError } from '../../cluster/api/errors.ts'
import type { FakeClock } from '../../cluster/clock.ts'
import type { PinProgress, PinsetOp, PinTracker } from '../../cluster/ports.ts'
import { eventually } from '../harness/eventually.ts'
import type { MemoryIpfs } from '../harness/memory-ipfs.ts'
import { cidOf, other, pinOf, self } from '../harness/pins.ts'

/** A tracker on a pinset of its own; what is logged is told to it, as consensus does. */
export interface OpenedTracker extends AsyncDisposable {
  readonly tracker: PinTracker
  readonly ipfs: MemoryIpfs
  readonly clock: FakeClock
  log (...ops: readonly PinsetOp[]): Promise<void>
  /** Ends the tracker and starts another on what it left. What is logged meanwhile is told to nobody. */
  restart (meanwhile?: () => Promise<void>): Promise<OpenedTracker>
}
export interface TrackerLimits { readonly concurrentPins?: number, readonly maxPinQueueSize?: number }
export type OpenTracker = (limits?: TrackerLimits) => Promise<OpenedTracker>

const never = { signal: new AbortController().signal }
const pin = (seed: string | number, given: Parameters<typeof pinOf>[1] = {}): PinsetOp => ({ kind: 'pin', pin: pinOf(seed, given) })
const unpin = (seed: string | number, asked = false): PinsetOp => ({ kind: 'unpin', cid: cidOf(seed), asked })
const end = (seed: string | number): string => cidOf(seed).toString().slice(-4)
const elsewhere = { replication: { min: 1, max: 1 }, allocations: [other] }
const blockMissing = new KuboRepliedError('pin: block was not found locally (offline): ipld: could not find x', { status: 500, kuboCode: 0 })

export function pinTrackerSuite (name: string, open: OpenTracker): void {
  const test: Test = (title, body) => { void t.test(`${name}: ${title}`, body) }
  pinning(test, open)
  ownership(test, open)
  failures(test, open)
  restarts(test, open)
  imports(test, open)
}

type Tap = Pick<typeof t, 'equal' | 'match' | 'ok' | 'pass' | 'rejects' | 'strictSame'>
type Test = (title: string, body: (t: Tap) => Promise<void>) => void

function pinning (test: Test, open: OpenTracker): void {
  test('what is logged is pinned under its name, and settles as pinned', async t => {
    await using opened = await open()

    await opened.log(pin('a'))
    const { info, cause } = await opened.tracker.settled(cidOf('a'), never)

    t.match(info, { status: 'pinned', error: '', peer: self, name: 'pin a' })
    t.equal(cause, undefined)
    t.match(opened.ipfs.has(cidOf('a')), { status: 'recursive', name: 'pin a' })
  })

  test('direct pins are listed as pinned', async t => {
    await using opened = await open()
    await opened.log(pin('a', { mode: 'direct' }))
    await opened.tracker.settled(cidOf('a'), never)

    const listed = await Array.fromAsync(opened.tracker.statusAll(new Set(), never))

    t.match(listed, [{ status: 'pinned' }])
    t.match(await opened.tracker.status(cidOf('a'), never), { status: 'pinned' })
  })

  test('a pin that was foreseen asks the daemon once, and is no less careful', async t => {
    await using opened = await open()
    opened.ipfs.pinDirectly(cidOf('theirs'), 'pin theirs')
    const { questions } = opened.ipfs

    for (const seed of ['a', 'theirs']) {
      using _foreseen = opened.tracker.foresee(cidOf(seed))
      await opened.log(pin(seed))
    }
    for (const seed of ['a', 'theirs']) await opened.tracker.settled(cidOf(seed), never)

    t.equal(opened.ipfs.questions, questions + 2)
    t.strictSame([opened.tracker.isOwn(cidOf('a')), opened.tracker.isOwn(cidOf('theirs'))], [true, false])
  })

  test('what was foreseen while another was at work is asked again', async t => {
    await using opened = await open()
    const gate = opened.ipfs.hold(cidOf('a'))
    await opened.log(pin('a', { name: 'one' }))
    await gate.begun
    using _foreseen = opened.tracker.foresee(cidOf('a'))

    await opened.log(pin('a', { name: 'two' }))
    gate.release()
    await opened.tracker.settled(cidOf('a'), never)

    t.match(opened.ipfs.has(cidOf('a')), { name: 'two' })
  })

  test('progress is passed on while it is pinned', async t => {
    await using opened = await open()
    const gate = opened.ipfs.hold(cidOf('a'))
    const seen: PinProgress[] = []
    await opened.log(pin('a'))
    await gate.begun
    gate.progress({ nodes: 1, bytes: 10 })

    const settling = opened.tracker.settled(cidOf('a'), { ...never, onProgress: progress => seen.push(progress) })
    gate.progress({ nodes: 2, bytes: 20 })
    gate.release()
    await settling

    t.strictSame(seen, [{ nodes: 1, bytes: 10 }, { nodes: 2, bytes: 20 }])
  })

  test('an unpin cancels the pin that runs, and begins when that has ended', async t => {
    await using opened = await open()
    const gate = opened.ipfs.hold(cidOf('a'))
    await opened.log(pin('a'))
    await gate.begun

    await opened.log(unpin('a', true))
    const { info } = await opened.tracker.settled(cidOf('a'), never)

    t.match(info, { status: 'unpinned' })
    t.equal(opened.ipfs.has(cidOf('a')), undefined)
    t.strictSame(opened.ipfs.changes, [`pin ${end('a')} pin a`, `unpin ${end('a')}`])
  })

  test('who waits for a pin that is unpinned meanwhile learns that', async t => {
    await using opened = await open()
    const gate = opened.ipfs.hold(cidOf('a'))
    await opened.log(pin('a'))
    await gate.begun
    const settling = opened.tracker.settled(cidOf('a'), never)

    await opened.log(unpin('a', true))

    t.match((await settling).info, { status: 'unpinned' })
  })

  test('a pin again with another name renames it on the daemon', async t => {
    await using opened = await open()
    await opened.log(pin('a', { name: 'one' }))
    await opened.tracker.settled(cidOf('a'), never)

    await opened.log(pin('a', { name: 'two' }))
    await opened.tracker.settled(cidOf('a'), never)

    t.match(opened.ipfs.has(cidOf('a')), { name: 'two' })
  })

  test('waiting can be given up without ending the pin', async t => {
    await using opened = await open()
    const gate = opened.ipfs.hold(cidOf('a'))
    const giving = new AbortController()
    await opened.log(pin('a'))
    await gate.begun

    const settling = opened.tracker.settled(cidOf('a'), giving)
    giving.abort(new Error('no patience'))
    await t.rejects(settling, { message: 'no patience' })
    gate.release()

    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'pinned' })
  })

  test('no more pins run at once than are allowed, and those asked for lately go before older ones', async t => {
    await using opened = await open({ concurrentPins: 1 })
    opened.clock.advance(1_700_000_000_000)
    const gate = opened.ipfs.hold(cidOf('first'))
    await opened.log(pin('first'))
    await gate.begun
    await opened.log(pin('old', { timestampMs: 1_600_000_000_000 }))
    await opened.log(pin('new', { timestampMs: 1_700_000_000_000 }))

    t.match(await opened.tracker.status(cidOf('old'), never), { status: 'pin_queued', isPriority: false })
    t.match(await opened.tracker.status(cidOf('new'), never), { status: 'pin_queued', isPriority: true })
    t.equal(opened.tracker.queueLength(), 2)
    gate.release()
    await opened.tracker.settled(cidOf('old'), never)

    t.strictSame(opened.ipfs.changes, [`pin ${end('first')} pin first`, `pin ${end('new')} pin new`, `pin ${end('old')} pin old`])
  })

  test('a full queue is a pin_error at once, not a wait', async t => {
    await using opened = await open({ concurrentPins: 1, maxPinQueueSize: 1 })
    const gate = opened.ipfs.hold(cidOf('running'))
    await opened.log(pin('running'))
    await gate.begun
    await opened.log(pin('waiting'))

    await opened.log(pin('too many'))
    const { info, cause } = await opened.tracker.settled(cidOf('too many'), never)

    t.match(info, { status: 'pin_error', attemptCount: 1 })
    t.match(cause, { code: 'ERR_QUEUE_FULL' })
    gate.release()
  })

  test('lists are answered from what is noted here, with the words of ipfs-cluster, and never ask the daemon', async t => {
    await using opened = await open()
    const gate = opened.ipfs.hold(cidOf('pinning'))
    await opened.log(pin('pinned'), pin('pinning'), pin('remote', elsewhere))
    await opened.tracker.settled(cidOf('pinned'), never)
    await gate.begun
    const failing = opened.ipfs.hold(cidOf('broken'))
    await opened.log(pin('broken'))
    await failing.begun
    failing.fail(blockMissing)
    await opened.tracker.settled(cidOf('broken'), never)
    const { listings, questions } = opened.ipfs

    const words = async (...filter: ('pinned' | 'pin_error' | 'pinning' | 'remote')[]): Promise<string[]> => {
      return (await Array.fromAsync(opened.tracker.statusAll(new Set(filter), never))).map(info => `${info.name} ${info.status}`).sort()
    }

    t.strictSame(await words(), ['pin broken pin_error', 'pin pinned pinned', 'pin pinning pinning', 'pin remote remote'])
    t.strictSame(await words('pin_error'), ['pin broken pin_error'])
    t.strictSame(await words('pinning', 'pin_error'), ['pin broken pin_error', 'pin pinning pinning'])
    t.strictSame(await words('pinned'), ['pin pinned pinned'])
    t.strictSame([opened.ipfs.listings, opened.ipfs.questions], [listings, questions])
    gate.release()
  })
}

function ownership (test: Test, open: OpenTracker): void {
  test('what the daemon had before is not its own: only a user who asks unpins it', async t => {
    await using opened = await open()
    opened.ipfs.pinDirectly(cidOf('a'), 'pin a')
    opened.ipfs.pinDirectly(cidOf('b'), 'pin b')
    await opened.log(pin('a'), pin('b'))
    await opened.tracker.settled(cidOf('a'), never)
    await opened.tracker.settled(cidOf('b'), never)

    t.equal(opened.tracker.isOwn(cidOf('a')), false)
    await opened.log(unpin('a', false), unpin('b', true))
    await opened.tracker.settled(cidOf('a'), never)
    await opened.tracker.settled(cidOf('b'), never)

    t.match(opened.ipfs.has(cidOf('a')), { name: 'pin a' })
    t.equal(opened.ipfs.has(cidOf('b')), undefined)
  })

  test('what the cluster renamed gets its old name back when it goes without being asked for', async t => {
    await using opened = await open()
    opened.ipfs.pinDirectly(cidOf('a'), 'theirs', 'direct')
    await opened.log(pin('a', { name: 'ours' }))
    await opened.tracker.settled(cidOf('a'), never)
    t.match(opened.ipfs.has(cidOf('a')), { status: 'recursive', name: 'ours' })

    await opened.log(unpin('a', false))
    await opened.tracker.settled(cidOf('a'), never)

    t.match(opened.ipfs.has(cidOf('a')), { status: 'direct', name: 'theirs' })
  })

  test('what it pinned itself goes when the pin moves to another peer, what was there before stays', async t => {
    await using opened = await open()
    opened.ipfs.pinDirectly(cidOf('theirs'), 'pin theirs')
    await opened.log(pin('own'), pin('theirs'))
    await opened.tracker.settled(cidOf('own'), never)
    await opened.tracker.settled(cidOf('theirs'), never)
    t.equal(opened.tracker.isOwn(cidOf('own')), true)

    await opened.log(pin('own', elsewhere), pin('theirs', elsewhere))
    const { info } = await opened.tracker.settled(cidOf('own'), never)
    await opened.tracker.settled(cidOf('theirs'), never)

    t.match(info, { status: 'remote' })
    t.equal(opened.ipfs.has(cidOf('own')), undefined)
    t.ok(opened.ipfs.has(cidOf('theirs')))
  })

  test('a pin that was never here costs the daemon nothing', async t => {
    await using opened = await open()

    await opened.log(pin('a', elsewhere))
    await opened.log(unpin('a'))

    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'unpinned' })
    t.strictSame(opened.ipfs.changes, [])
  })
}

function failures (test: Test, open: OpenTracker): void {
  test('a failed pin keeps the daemon\'s own words, and is tried again when its time has come, less and less often', async t => {
    await using opened = await open()
    const fail = async (act: () => Promise<unknown>): Promise<void> => {
      const gate = opened.ipfs.hold(cidOf('a'))
      await act()
      await gate.begun
      gate.fail(blockMissing)
    }
    await fail(() => opened.log(pin('a')))
    const { info, cause } = await opened.tracker.settled(cidOf('a'), never)
    t.match(info, { status: 'pin_error', attemptCount: 1, error: blockMissing.message })
    t.equal(cause, blockMissing)
    const recovered = async (): Promise<boolean> => await opened.tracker.recoverDue(never) === 1

    opened.clock.advance(14_999)
    t.equal(await recovered(), false)
    opened.clock.advance(1)
    await fail(async () => await eventually('its time has come', recovered))
    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'pin_error', attemptCount: 2 })
    opened.clock.advance(29_999)
    t.equal(await recovered(), false)
    opened.clock.advance(1)
    await eventually('its time has come again', recovered)

    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'pinned' })
    await eventually('the failure is forgotten', async () => (await opened.tracker.status(cidOf('a'), never)).attemptCount === 0)
  })

  test('a user recovers what has failed at once', async t => {
    await using opened = await open()
    opened.ipfs.setAway(true)
    await opened.log(pin('a'))
    t.match(await opened.tracker.settled(cidOf('a'), never), { info: { status: 'pin_error' }, cause: { code: 'ERR_IPFS_UNREACHABLE' } })

    opened.ipfs.setAway(false)
    await eventually('it is queued again', async () => (await opened.tracker.recover(cidOf('a'), never)).status !== 'pin_error')

    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'pinned' })
  })

  test('an unpin that fails is tried again, though the pinset has forgotten it', async t => {
    await using opened = await open()
    await opened.log(pin('a'))
    await opened.tracker.settled(cidOf('a'), never)
    opened.ipfs.setAway(true)
    await opened.log(unpin('a', true))
    t.match(await opened.tracker.settled(cidOf('a'), never), { info: { status: 'unpin_error' } })
    t.match(await Array.fromAsync(opened.tracker.statusAll(new Set(['unpin_error']), never)), [{ status: 'unpin_error' }])

    opened.ipfs.setAway(false)
    await eventually('it is queued again', async () => {
      opened.clock.advance(15_000)
      return await opened.tracker.recoverDue(never) === 1
    })
    await opened.tracker.settled(cidOf('a'), never)

    t.equal(opened.ipfs.has(cidOf('a')), undefined)
  })

  test('what somebody unpinned on the daemon is unexpectedly_unpinned when asked for, and recovered', async t => {
    await using opened = await open()
    await opened.log(pin('a'))
    await opened.tracker.settled(cidOf('a'), never)
    opened.ipfs.unpinDirectly(cidOf('a'))

    t.match(await opened.tracker.status(cidOf('a'), never), { status: 'unexpectedly_unpinned' })
    const recovered = await Array.fromAsync(opened.tracker.recoverAll(never))
    await opened.tracker.settled(cidOf('a'), never)

    t.equal(recovered.length, 1)
    t.ok(opened.ipfs.has(cidOf('a')))
  })

  test('a daemon that does not answer is a cluster_error of its status', async t => {
    await using opened = await open()
    await opened.log(pin('a'))
    await opened.tracker.settled(cidOf('a'), never)
    opened.ipfs.setAway(true)

    t.match(await opened.tracker.status(cidOf('a'), never), { status: 'cluster_error', error: /cannot reach/ })
  })
}

function restarts (test: Test, open: OpenTracker): void {
  test('after a restart what is missing is pinned, and what is there is not asked for again', async t => {
    const opened = await open()
    await opened.log(pin('there'))
    await opened.tracker.settled(cidOf('there'), never)
    opened.ipfs.pinDirectly(cidOf('theirs'), 'pin theirs')

    await using again = await opened.restart(() => opened.log(pin('missing'), pin('theirs')))
    await eventually('the missing one is pinned', () => again.ipfs.has(cidOf('missing')))

    t.strictSame(again.ipfs.changes, [`pin ${end('there')} pin there`, `pin ${end('missing')} pin missing`])
    t.strictSame([again.tracker.isOwn(cidOf('there')), again.tracker.isOwn(cidOf('theirs'))], [true, false])
  })

  test('after a restart what was unpinned meanwhile goes if it was its own, and nothing else does', async t => {
    const opened = await open()
    opened.ipfs.pinDirectly(cidOf('theirs'), 'pin theirs')
    opened.ipfs.pinDirectly(cidOf('stranger'))
    await opened.log(pin('own'), pin('theirs'))
    await opened.tracker.settled(cidOf('own'), never)
    await opened.tracker.settled(cidOf('theirs'), never)

    await using again = await opened.restart(() => opened.log(unpin('own'), unpin('theirs')))
    await eventually('its own is gone', () => again.ipfs.has(cidOf('own')) === undefined)

    t.ok(again.ipfs.has(cidOf('theirs')))
    t.ok(again.ipfs.has(cidOf('stranger')))
  })

  test('an unpin that was queued survives a restart, also of what the daemon had before when a user asked', async t => {
    const opened = await open()
    opened.ipfs.pinDirectly(cidOf('theirs'), 'pin theirs')
    await opened.log(pin('own'), pin('theirs'))
    await opened.tracker.settled(cidOf('own'), never)
    await opened.tracker.settled(cidOf('theirs'), never)
    opened.ipfs.setAway(true)
    await opened.log(unpin('own', true), unpin('theirs', true))
    await opened.tracker.settled(cidOf('own'), never)
    await opened.tracker.settled(cidOf('theirs'), never)

    await using again = await opened.restart(async () => { opened.ipfs.setAway(false) })
    await eventually('both are gone', () => again.ipfs.has(cidOf('own')) === undefined && again.ipfs.has(cidOf('theirs')) === undefined)

    t.pass('gone')
  })

  test('one listing of the daemon is enough for a restart with many pins', async t => {
    const opened = await open()
    await opened.log(...Array.from({ length: 500 }, (_, i) => pin(i)))
    for (let i = 0; i < 500; i++) await opened.tracker.settled(cidOf(i), never)
    const { changes, questions, listings } = opened.ipfs
    const before = { changes: changes.length, questions, listings }

    await using again = await opened.restart()
    await eventually('the daemon was read', () => again.ipfs.listings > before.listings)
    await Array.fromAsync(again.tracker.recoverAll(never))

    t.equal(again.ipfs.changes.length, before.changes)
    t.equal(again.ipfs.questions, before.questions)
    t.equal(again.ipfs.listings, before.listings + 2, 'one at the start, one because somebody asked')
  })

  test('a daemon that is away at the start is compared with once it is back', async t => {
    const opened = await open()
    opened.ipfs.setAway(true)

    await using again = await opened.restart(() => opened.log(pin('missing')))
    await eventually('it is back in time', () => {
      again.ipfs.setAway(false)
      again.clock.advance(1_000)
      return again.ipfs.has(cidOf('missing'))
    })

    t.pass('pinned')
  })
}

function imports (test: Test, open: OpenTracker): void {
  test('a pin that an import delivers is not asked for, and settles when the import has ended', async t => {
    await using opened = await open()
    const delivery = Promise.withResolvers<void>()
    await opened.tracker.expect(cidOf('a'), delivery.promise, never)
    await opened.log(pin('a', { name: '' }))
    t.match(await opened.tracker.status(cidOf('a'), never), { status: 'pinning' })

    opened.ipfs.pinDirectly(cidOf('a'))
    delivery.resolve()

    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'pinned' })
    t.strictSame(opened.ipfs.changes, [])
    t.equal(opened.tracker.isOwn(cidOf('a')), true, 'this peer had it imported')
  })

  test('when the import fails the tracker pins by itself', async t => {
    await using opened = await open()
    const delivery = Promise.withResolvers<void>()
    await opened.tracker.expect(cidOf('a'), delivery.promise, never)
    await opened.log(pin('a', { name: '' }))

    delivery.reject(new Error('the upload broke off'))

    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'pinned' })
    t.strictSame(opened.ipfs.changes, [`pin ${end('a')} `])
  })

  test('what the daemon had before an import is not its own afterwards', async t => {
    await using opened = await open()
    opened.ipfs.pinDirectly(cidOf('a'))
    await opened.tracker.expect(cidOf('a'), Promise.resolve(), never)

    await opened.log(pin('a', { name: '' }))
    await opened.tracker.settled(cidOf('a'), never)

    t.equal(opened.tracker.isOwn(cidOf('a')), false)
  })

  test('an unpin during an import comes after it', async t => {
    await using opened = await open()
    const delivery = Promise.withResolvers<void>()
    await opened.tracker.expect(cidOf('a'), delivery.promise, never)
    await opened.log(pin('a', { name: '' }))

    await opened.log(unpin('a', true))
    const settling = opened.tracker.settled(cidOf('a'), never)
    opened.ipfs.pinDirectly(cidOf('a'))
    delivery.resolve()
    await settling

    t.equal(opened.ipfs.has(cidOf('a')), undefined)
  })
}
