/** What a tracker promises of pins that are not its own, and of content that imports bring. */
import type { CID } from 'multiformats/cid'
import { eventually } from '../harness/eventually.ts'
import { cidOf, other, pinOf } from '../harness/pins.ts'
import { elsewhere, end, never, pin, unpin } from './pin-tracker-kit.ts'
import type { OpenTracker, Test } from './pin-tracker-kit.ts'

export function ownership (test: Test, open: OpenTracker): void {
  test('what the daemon had before is not its own: only a user who asks unpins it', async t => {
    await using opened = await open()
    opened.ipfs.pinDirectly(cidOf('a'), 'pin a')
    opened.ipfs.pinDirectly(cidOf('b'), 'pin b')
    opened.ipfs.pinDirectly(cidOf('c'), 'pin c')
    await opened.log(pin('a'), pin('b'), pin('c'))
    for (const seed of ['a', 'b', 'c']) await opened.tracker.settled(cidOf(seed), never)

    t.equal(opened.tracker.isOwn(cidOf('a')), false)
    await opened.log(unpin('a', false), unpin('b', true), { kind: 'unpin', cid: cidOf('c'), asker: other })
    for (const seed of ['a', 'b', 'c']) await opened.tracker.settled(cidOf(seed), never)

    t.match(opened.ipfs.has(cidOf('a')), { name: 'pin a' })
    t.equal(opened.ipfs.has(cidOf('b')), undefined)
    t.match(opened.ipfs.has(cidOf('c')), { name: 'pin c' }, 'who asked is another peer\'s user')
  })

  test('of what has gone from the pinset it is known until the daemon has let go of it', async t => {
    await using opened = await open()
    opened.ipfs.pinDirectly(cidOf('theirs'), 'theirs')
    await opened.log(pin('a'), pin('theirs'))
    for (const seed of ['a', 'theirs']) await opened.tracker.settled(cidOf(seed), never)
    t.equal(opened.tracker.isLettingGo(cidOf('a')), false)

    await opened.log(unpin('a'), unpin('theirs'))

    t.strictSame([opened.tracker.isLettingGo(cidOf('a')), opened.tracker.isLettingGo(cidOf('theirs'))], [true, false], 'the other stays its user\'s')
    await eventually('it is noted', () => !opened.tracker.isLettingGo(cidOf('a')))
    t.equal(opened.ipfs.has(cidOf('a')), undefined)
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
  test('an import that another peer began delivers what is logged with its name, whether or not it is known yet what that is', async t => {
    await using opened = await open()
    const ended = Promise.withResolvers<readonly CID[]>()
    opened.tracker.expectDelivery('import 7', ended.promise)
    await opened.log({ kind: 'pin', pin: pinOf('a', { name: '' }), delivery: 'import 7' })
    t.match(await opened.tracker.status(cidOf('a'), never), { status: 'pinning' })

    await opened.tracker.expect(cidOf('a'), Promise.resolve(), never)
    opened.ipfs.pinDirectly(cidOf('a'))
    ended.resolve([cidOf('a')])

    t.match((await opened.tracker.settled(cidOf('a'), never)).info, { status: 'pinned' })
    t.strictSame(opened.ipfs.changes, [])
    t.equal(opened.tracker.isOwn(cidOf('a')), true)
  })

  test('what such an import ends without is pinned by the tracker, and so is what comes after its end', async t => {
    await using opened = await open()
    const ended = Promise.withResolvers<readonly CID[]>()
    opened.tracker.expectDelivery('import 7', ended.promise)
    await opened.log({ kind: 'pin', pin: pinOf('a', { name: '' }), delivery: 'import 7' })

    ended.resolve([])
    await opened.tracker.settled(cidOf('a'), never)
    await opened.log({ kind: 'pin', pin: pinOf('b', { name: '' }), delivery: 'import 7' })
    await opened.tracker.settled(cidOf('b'), never)

    t.strictSame(opened.ipfs.changes, [`pin ${end('a')} `, `pin ${end('b')} `])
  })
}
