import t from 'tap'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, other, pinOf, self } from '../ipfs-compat-tests/harness/pins.ts'
import { defaultPinOptions } from './api/pin.ts'
import { closestPeer } from './closest-peer.ts'
import { unpinExpired } from './expiry.ts'

const { signal } = new AbortController()

t.test('what has expired goes, from the daemon too if this peer had pinned it, and nothing else does', async t => {
  await using peer = await onePeer()
  peer.ipfs.pinDirectly(cidOf('theirs'))
  for (const seed of ['own', 'theirs']) await peer.cluster.pin(cidOf(seed), { ...defaultPinOptions, expireAtMs: 1_000 }, { signal, wait: 'min' })
  await peer.cluster.pin(cidOf('later'), { ...defaultPinOptions, expireAtMs: 1_001 }, { signal, wait: 'min' })
  peer.clock.advance(1_000)

  const count = await unpinExpired({ ...peer, agreedMs: () => peer.clock.now(), self }, { signal })
  for (const seed of ['own', 'theirs']) await peer.tracker.settled(cidOf(seed), { signal })

  t.equal(count, 2)
  t.strictSame((await Array.fromAsync(peer.cluster.state.list({ signal }))).map(({ cid }) => cid.toString()), [cidOf('later').toString()])
  t.equal(peer.ipfs.has(cidOf('own')), undefined)
  t.ok(peer.ipfs.has(cidOf('theirs')), 'what the daemon had before is not ours to take')
})

t.test('a pin that was renewed meanwhile stays', async t => {
  await using peer = await onePeer()
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a', { expireAtMs: 1_000 }) }], { signal })
  peer.clock.advance(1_000)
  const stale = await Array.fromAsync(peer.consensus.state.expired(1_000, { signal }))
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a', { expireAtMs: 9_000 }) }], { signal })
  const readsOld = { ...peer.consensus, state: { ...peer.consensus.state, async * expired () { yield * stale } } }

  const count = await unpinExpired({ consensus: readsOld, agreedMs: () => peer.clock.now(), self }, { signal })

  t.equal(count, 0)
  t.ok(await peer.cluster.state.get(cidOf('a')))
})

t.test('what another peer is closer to is left to it, but not for ever', async t => {
  await using peer = await onePeer()
  const seed = Array.from({ length: 100 }, (_, i) => i).find(i => closestPeer(cidOf(i), [self, other]) === other)!
  await peer.consensus.log([{ kind: 'pin', pin: pinOf(seed, { expireAtMs: 1_000 }) }], { signal })
  const ofTwo = { ...peer.consensus, writers: () => [self, other] }
  peer.clock.advance(1_000)

  t.equal(await unpinExpired({ consensus: ofTwo, agreedMs: () => peer.clock.now(), self }, { signal }), 0)
  peer.clock.advance(10 * 60_000)
  t.equal(await unpinExpired({ consensus: ofTwo, agreedMs: () => peer.clock.now(), self }, { signal }), 1, 'the other one may be dead')
})

t.test('nothing expires while it is not known what time it is for most peers', async t => {
  await using peer = await onePeer()
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a', { expireAtMs: 1_000 }) }], { signal })
  peer.clock.advance(60 * 60_000)

  t.equal(await unpinExpired({ ...peer, agreedMs: () => undefined, self }, { signal }), 0)
})
