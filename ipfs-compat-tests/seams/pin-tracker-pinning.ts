/** What a tracker promises of pins and unpins while all goes well. */
import { cidKeyText } from '../../cluster/api/cid-key.ts'
import type { PinProgress } from '../../cluster/ports.ts'
import { cidOf, self } from '../harness/pins.ts'
import { blockMissing, elsewhere, end, never, pin, unpin } from './pin-tracker-kit.ts'
import type { OpenTracker, Test } from './pin-tracker-kit.ts'

export function pinning (test: Test, open: OpenTracker): void {
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
  test('a list is in the order of the CIDs, each once, whether at rest, being worked on, failed or on its way out', async t => {
    await using opened = await open()
    const seeds = Array.from({ length: 40 }, (_, i) => i)
    await opened.log(...seeds.map(seed => pin(seed)))
    for (const seed of seeds) await opened.tracker.settled(cidOf(seed), never)
    opened.ipfs.setAway(true)
    for (const seed of seeds.slice(0, 15)) {
      await opened.log(unpin(seed, true))
      await opened.tracker.settled(cidOf(seed), never)
    }
    opened.ipfs.setAway(false)
    const gates = seeds.slice(40 - 5).map(seed => opened.ipfs.hold(cidOf(`held ${seed}`)))
    for (const seed of seeds.slice(40 - 5)) await opened.log(pin(`held ${seed}`))
    for (const gate of gates) await gate.begun

    const listed = (await Array.fromAsync(opened.tracker.statusAll(new Set(), never))).map(({ cid }) => cidKeyText(cid))
    const errors = (await Array.fromAsync(opened.tracker.statusAll(new Set(['unpin_error']), never))).map(({ cid }) => cidKeyText(cid))

    t.equal(listed.length, 45)
    t.strictSame(listed, [...new Set(listed)].sort())
    t.equal(errors.length, 15)
    t.strictSame(errors, [...errors].sort())
    for (const gate of gates) gate.release()
  })
}
