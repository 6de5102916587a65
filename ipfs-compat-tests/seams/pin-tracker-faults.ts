/** What a tracker promises when the daemon fails, and after a restart. */
import { eventually } from '../harness/eventually.ts'
import { cidOf } from '../harness/pins.ts'
import { blockMissing, end, never, pin, unpin } from './pin-tracker-kit.ts'
import type { OpenTracker, Test } from './pin-tracker-kit.ts'

export function failures (test: Test, open: OpenTracker): void {
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

export function restarts (test: Test, open: OpenTracker): void {
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
