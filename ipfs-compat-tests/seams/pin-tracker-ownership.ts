/** What a tracker promises of pins that are not its own, and of content that imports bring. */
import { cidOf } from '../harness/pins.ts'
import { elsewhere, end, never, pin, unpin } from './pin-tracker-kit.ts'
import type { OpenTracker, Test } from './pin-tracker-kit.ts'

export function ownership (test: Test, open: OpenTracker): void {
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

export function imports (test: Test, open: OpenTracker): void {
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
