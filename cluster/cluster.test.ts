import t from 'tap'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, other, pinOf, self } from '../ipfs-compat-tests/harness/pins.ts'
import { KuboRepliedError } from './api/errors.ts'
import { defaultPinOptions } from './api/pin.ts'
import type { PinOptions } from './api/pin.ts'
import { CallerLeftError } from './async/caller-left.ts'

const { signal } = new AbortController()
const min = { signal, wait: 'min' } as const
const wish = (given: Partial<PinOptions> = {}): PinOptions => ({ ...defaultPinOptions, ...given })
const blockMissing = new KuboRepliedError('pin: block was not found locally (offline): ipld: could not find x', { status: 500, kuboCode: 0 })

t.test('a pin is answered when the daemon holds it', async t => {
  await using peer = await onePeer()

  const pin = await peer.cluster.pin(cidOf('a'), wish({ name: 'a' }), min)

  t.match(pin, { name: 'a', replication: 'everywhere', allocations: [] })
  t.match(peer.ipfs.has(cidOf('a')), { name: 'a' })
  t.match(await peer.cluster.status(cidOf('a'), { signal }), { name: 'a', peers: [{ status: 'pinned', peer: self }] })
})

t.test('a pin that only waits for the commit is answered before the daemon holds it', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))

  await peer.cluster.pin(cidOf('a'), wish(), { signal, wait: 'commit' })

  t.equal(peer.ipfs.has(cidOf('a')), undefined)
  gate.release()
  t.match(await peer.cluster.settled(cidOf('a'), { signal }), { status: 'pinned' })
})

t.test('the same pin again, while all hold it, logs nothing', async t => {
  await using peer = await onePeer()
  await peer.cluster.pin(cidOf('a'), wish(), min)
  const before = await peer.cluster.state.get(cidOf('a'))

  await peer.cluster.pin(cidOf('a'), wish(), min)

  t.equal((await peer.cluster.state.get(cidOf('a')))?.revision, before?.revision)
})

t.test('the same pin again, when the daemon has lost it, is answered when it is there again', async t => {
  await using peer = await onePeer()
  await peer.cluster.pin(cidOf('a'), wish(), min)
  peer.ipfs.unpinDirectly(cidOf('a'))

  await peer.cluster.pin(cidOf('a'), wish(), min)

  t.ok(peer.ipfs.has(cidOf('a')))
})

t.test('a pin that was agreed on for the caller of another peer is not taken back by it once it is answered here', async t => {
  await using peer = await onePeer()
  const revision = await peer.consensus.log([{ kind: 'pin', pin: pinOf('a') }], { signal }) // theirs waits for a daemon that is away
  await peer.cluster.settled(cidOf('a'), { signal })
  const gate = peer.ipfs.hold(cidOf('a'))
  peer.ipfs.unpinDirectly(cidOf('a'))
  const pinning = peer.cluster.pin(cidOf('a'), wish({ name: pinOf('a').name }), min)
  await gate.begun
  gate.release()
  await pinning

  const puttingBack = peer.consensus.log([{ kind: 'unpin', cid: cidOf('a'), ifRevision: revision }], { signal })

  await t.rejects(puttingBack, { code: 'ERR_OUTDATED' })
  t.ok(peer.ipfs.has(cidOf('a')))
})

t.test('a pin that fails is as if it had never been, and says what the daemon said', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const pinning = peer.cluster.pin(cidOf('a'), wish(), min)
  await gate.begun

  gate.fail(blockMissing)

  await t.rejects(pinning, blockMissing)
  t.equal(await peer.cluster.state.get(cidOf('a')), undefined)
  t.match((await peer.cluster.status(cidOf('a'), { signal })).peers, [{ status: 'unpinned' }])
})

t.test('who gives up waiting leaves nothing pinned', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const giving = new AbortController()
  const pinning = peer.cluster.pin(cidOf('a'), wish(), { signal: giving.signal, wait: 'min' })
  await gate.begun

  giving.abort(new Error('context deadline exceeded'))

  await t.rejects(pinning, { message: 'context deadline exceeded' })
  t.equal(await peer.cluster.state.count(), 0)
  t.equal(peer.ipfs.has(cidOf('a')), undefined)
})

t.test('a caller who leaves before the pin is agreed on leaves nothing', async t => {
  await using peer = await onePeer()
  const leaving = new AbortController()
  const pinning = peer.cluster.pin(cidOf('a'), wish(), { signal: leaving.signal, wait: 'min' })

  leaving.abort(new CallerLeftError('client went away')) // nothing has been handed to the log yet

  await t.rejects(pinning, { message: 'client went away' })
  t.equal(await peer.cluster.state.count(), 0)
  t.strictSame(peer.ipfs.changes, [])
})

t.test('the pin of a caller who leaves while it is being agreed on stays once it is', async t => {
  await using peer = await onePeer()
  const leaving = new AbortController()
  const { log } = peer.consensus
  Object.assign(peer.consensus, {
    async log (...asked: Parameters<typeof log>) {
      const revision = await log(...asked)
      leaving.abort(new CallerLeftError('client went away'))
      return revision
    }
  })

  await peer.cluster.pin(cidOf('a'), wish(), { signal: leaving.signal, wait: 'min' })

  t.ok(peer.ipfs.has(cidOf('a')))
  t.ok(await peer.cluster.state.get(cidOf('a')))
})

t.test('the pin of a caller who leaves while it is waited for stays and is carried out', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const leaving = new AbortController()
  const pinning = peer.cluster.pin(cidOf('a'), wish(), { signal: leaving.signal, wait: 'min' })
  await gate.begun

  leaving.abort(new CallerLeftError('client went away'))

  t.match((await peer.cluster.status(cidOf('a'), { signal })).peers, [{ status: 'pinning' }])
  gate.release()
  await pinning
  t.ok(await peer.cluster.state.get(cidOf('a')))
  t.ok(peer.ipfs.has(cidOf('a')))
})

t.test('the pin of a caller who has left stays when it fails, with what the daemon said', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const leaving = new AbortController()
  const pinning = peer.cluster.pin(cidOf('a'), wish(), { signal: leaving.signal, wait: 'min' })
  await gate.begun
  leaving.abort(new CallerLeftError('client went away'))

  gate.fail(blockMissing)

  await t.rejects(pinning, blockMissing)
  t.ok(await peer.cluster.state.get(cidOf('a')))
  t.match((await peer.cluster.status(cidOf('a'), { signal })).peers, [{ status: 'pin_error', error: blockMissing.message }])
})

t.test('an error that is answered is true: what others who asked for the same have left is taken back with it', async t => {
  await using peer = await onePeer()
  peer.ipfs.hold(cidOf('a'))
  const leaving = new AbortController()
  const late = new AbortController()
  const agreed = Promise.withResolvers<unknown>()
  const first = peer.cluster.pin(cidOf('a'), wish(), { signal: leaving.signal, wait: 'min', onAgreed: agreed.resolve })
  await agreed.promise
  const joined = Promise.withResolvers<unknown>()
  const second = peer.cluster.pin(cidOf('a'), wish(), { signal: late.signal, wait: 'min', onAgreed: joined.resolve })
  await joined.promise

  leaving.abort(new CallerLeftError('client went away'))
  late.abort(new Error('context deadline exceeded'))

  t.match(await Promise.allSettled([first, second]), [{ status: 'rejected' }, { reason: { message: 'context deadline exceeded' } }])
  t.equal(await peer.cluster.state.count(), 0)
  t.equal(peer.ipfs.has(cidOf('a')), undefined)
})

t.test('what was left and is not held yet does not stand in the way of who wishes for the same otherwise', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const leaving = new AbortController()
  const agreed = Promise.withResolvers<unknown>()
  const left = peer.cluster.pin(cidOf('a'), wish(), { signal: leaving.signal, wait: 'min', onAgreed: agreed.resolve })
  await agreed.promise
  t.equal(peer.cluster.isLeft(cidOf('a')), false)

  leaving.abort(new CallerLeftError('client went away'))
  t.equal(peer.cluster.isLeft(cidOf('a')), true)
  gate.release()
  await peer.cluster.pin(cidOf('a'), wish({ mode: 'direct' }), min)

  t.match(peer.ipfs.has(cidOf('a')), { status: 'direct' })
  await left
  t.equal(peer.cluster.isLeft(cidOf('a')), false)
})

t.test('what a caller has left is no longer waited for once somebody unpins it', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const leaving = new AbortController()
  const pinning = peer.cluster.pin(cidOf('a'), wish(), { signal: leaving.signal, wait: 'min' })
  await gate.begun
  leaving.abort(new CallerLeftError('client went away'))

  const [pinned] = await Promise.allSettled([pinning, peer.cluster.unpin(cidOf('a'), { signal })])

  t.equal(pinned.status, 'rejected')
  t.equal(await peer.cluster.state.count(), 0)
})

t.test('a pin that fails puts back the pin that was there, on the daemon too', async t => {
  await using peer = await onePeer()
  await peer.cluster.pin(cidOf('a'), wish({ name: 'old' }), min)
  const gate = peer.ipfs.hold(cidOf('a'))
  const pinning = peer.cluster.pin(cidOf('a'), wish({ name: 'new' }), min)
  await gate.begun

  gate.fail(blockMissing)

  await t.rejects(pinning, blockMissing)
  t.match(await peer.cluster.state.get(cidOf('a')), { pin: { name: 'old' } })
  t.match(peer.ipfs.has(cidOf('a')), { name: 'old' })
})

t.test('a pin that fails leaves alone what the daemon had before', async t => {
  await using peer = await onePeer()
  peer.ipfs.pinDirectly(cidOf('a'), 'theirs')
  const gate = peer.ipfs.hold(cidOf('a'))
  const pinning = peer.cluster.pin(cidOf('a'), wish({ name: 'ours' }), min)
  await gate.begun

  gate.fail(blockMissing)

  await t.rejects(pinning, blockMissing)
  t.match(peer.ipfs.has(cidOf('a')), { name: 'theirs' })
})

t.test('what somebody else changed meanwhile is not put back', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const giving = new AbortController()
  const pinning = peer.cluster.pin(cidOf('a'), wish({ name: 'mine' }), { signal: giving.signal, wait: 'min' })
  await gate.begun
  gate.release()
  const theirs = peer.ipfs.hold(cidOf('a'))
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a', { name: 'theirs' }) }], { signal })

  giving.abort(new Error('gone'))
  await pinning.catch(() => undefined)
  theirs.release()

  t.match(await peer.cluster.state.get(cidOf('a')), { pin: { name: 'theirs' } })
})

t.test('who waits for the same pin is not let down when the first who asked gives up', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const giving = new AbortController()
  const first = peer.cluster.pin(cidOf('a'), wish(), { signal: giving.signal, wait: 'min' })
  await gate.begun
  const second = peer.cluster.pin(cidOf('a'), wish(), min)

  giving.abort(new Error('gone'))
  await t.rejects(first, { message: 'gone' })
  gate.release()

  t.match(await second, { cid: cidOf('a') })
  t.ok(await peer.cluster.state.get(cidOf('a')))
  t.ok(peer.ipfs.has(cidOf('a')))
})

t.test('when all who wait for the same pin have given up, it is as if it had never been', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  const giving = new AbortController()
  const first = peer.cluster.pin(cidOf('a'), wish(), { signal: giving.signal, wait: 'min' })
  await gate.begun
  const second = peer.cluster.pin(cidOf('a'), wish(), { signal: giving.signal, wait: 'min' })
  await peer.cluster.state.get(cidOf('a')) // by now the second waits along

  giving.abort(new Error('gone'))

  t.match(await Promise.allSettled([first, second]), [{ reason: { message: 'gone' } }, { reason: { message: 'gone' } }])
  t.equal(await peer.cluster.state.count(), 0)
})

t.test('an unpin is answered when the daemon has let go', async t => {
  await using peer = await onePeer()
  await peer.cluster.pin(cidOf('a'), wish({ name: 'a' }), min)

  t.match(await peer.cluster.unpin(cidOf('a'), { signal }), { name: 'a' })

  t.equal(peer.ipfs.has(cidOf('a')), undefined)
  await t.rejects(peer.cluster.unpin(cidOf('a'), { signal }), { code: 'ERR_PIN_NOT_FOUND', message: 'not pinned or pinned indirectly' })
})

t.test('an unpin that is answered an error, because its time is over, leaves the pin as it was', async t => {
  await using peer = await onePeer()
  await peer.cluster.pin(cidOf('a'), wish({ name: 'a' }), min)
  const giving = new AbortController()
  const { unpin } = peer.ipfs
  Object.assign(peer.ipfs, {
    async unpin (...asked: Parameters<typeof unpin>) {
      giving.abort(new Error('late'))
      await unpin(...asked)
    }
  })

  await t.rejects(peer.cluster.unpin(cidOf('a'), { signal: giving.signal }), { message: 'late' })

  t.match(await peer.cluster.state.get(cidOf('a')), { pin: { name: 'a' } })
  t.match(peer.ipfs.has(cidOf('a')), { name: 'a' })
})

t.test('an unpin whose caller has left goes on', async t => {
  await using peer = await onePeer()
  await peer.cluster.pin(cidOf('a'), wish(), min)
  const leaving = new AbortController()
  const { unpin } = peer.ipfs
  const isUnpinned = Promise.withResolvers<void>()
  Object.assign(peer.ipfs, {
    async unpin (...asked: Parameters<typeof unpin>) {
      leaving.abort(new CallerLeftError('gone'))
      await unpin(...asked)
      isUnpinned.resolve()
    }
  })

  await t.rejects(peer.cluster.unpin(cidOf('a'), { signal: leaving.signal }), { message: 'gone' })

  await isUnpinned.promise
  t.equal(await peer.cluster.state.get(cidOf('a')), undefined)
})

t.test('an unpin by a user unpins what the daemon had before, too', async t => {
  await using peer = await onePeer()
  peer.ipfs.pinDirectly(cidOf('a'))
  await peer.cluster.pin(cidOf('a'), wish(), min)

  await peer.cluster.unpin(cidOf('a'), { signal })

  t.equal(peer.ipfs.has(cidOf('a')), undefined)
})

t.test('more replicas than there are peers is refused with the numbers', async t => {
  await using peer = await onePeer()

  await t.rejects(peer.cluster.pin(cidOf('a'), wish({ replication: { min: 2, max: 3 } }), min), { code: 'ERR_NOT_ENOUGH_PEERS', needed: 2, available: 1 })

  t.equal(await peer.cluster.state.count(), 0)
})

t.test('peers that were chosen before are kept as they were chosen', async t => {
  await using peer = await onePeer({ replication: { min: 1, max: 2 } })

  const { peers, min: needed } = await peer.cluster.allocate(wish(), { signal })
  const pin = await peer.cluster.pin(cidOf('a'), wish(), { ...min, allocations: [other, self] })

  t.strictSame([peers, needed], [[self], 1])
  t.strictSame(pin.allocations, [other, self])
})

t.test('a pin under an import waits for the import', async t => {
  await using peer = await onePeer()
  const delivered = Promise.withResolvers<void>()
  const onAgreed = (): void => {
    peer.ipfs.pinDirectly(cidOf('a'))
    delivered.resolve()
  }

  await peer.cluster.pin(cidOf('a'), wish(), { ...min, delivered: delivered.promise, onAgreed })

  t.strictSame(peer.ipfs.changes, [])
  t.equal(peer.tracker.isOwn(cidOf('a')), true)
})

t.test('what was pinned by update takes over what was not asked for', async t => {
  await using peer = await onePeer()
  await peer.cluster.pin(cidOf('old'), wish({ name: 'site', metadata: { owner: 'me' } }), min)

  const pin = await peer.cluster.pin(cidOf('new'), wish({ pinUpdate: cidOf('old') }), min)

  t.match(pin, { name: 'site', metadata: { owner: 'me' } })
})
