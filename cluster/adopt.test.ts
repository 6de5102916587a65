import t from 'tap'
import { alone } from '../ipfs-compat-tests/harness/alone.ts'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, other, self } from '../ipfs-compat-tests/harness/pins.ts'
import { adoptPins } from './adopt.ts'
import type { AdoptProgress } from './adopt.ts'
import { defaultPinOptions } from './api/pin.ts'
import type { PlacementWish } from './placer.ts'

const { signal } = new AbortController()

t.test('the daemon\'s own pins become cluster pins under their names and modes, and stay its own', async t => {
  await using peer = await onePeer()
  for (let i = 0; i < 1_201; i++) peer.ipfs.pinDirectly(cidOf(i), `name ${i}`, i % 7 === 0 ? 'direct' : 'recursive')
  await peer.cluster.pin(cidOf(3), { ...defaultPinOptions, name: 'already' }, { signal, wait: 'min' })
  const told: AdoptProgress[] = []

  const progress = await adoptPins({ ...peer, ...alone(self, peer.clock), self }, { signal, replication: 'everywhere', onProgress: progress => told.push(progress) })

  t.strictSame(progress, { seen: 1_201, adopted: 1_200 })
  t.strictSame(told.map(({ seen }) => seen), [500, 1_000, 1_201])
  t.match(await peer.cluster.state.get(cidOf(7)), { pin: { name: 'name 7', mode: 'direct' } })
  t.match(await peer.cluster.state.get(cidOf(3)), { pin: { name: 'already' } })
  await peer.tracker.settled(cidOf(9), { signal })
  t.equal(peer.tracker.isOwn(cidOf(9)), false)
  t.notOk(peer.ipfs.changes.some(change => change.includes('name 9')), 'nothing is asked of the daemon')
})

t.test('each pin is allocated by what is known of the peers when its turn comes: to this one, full or not, and to the best of the others', async t => {
  await using peer = await onePeer()
  for (const seed of ['a', 'b']) peer.ipfs.pinDirectly(cidOf(seed), seed)
  const wishes: PlacementWish[] = []
  const placer = { place (wish: PlacementWish) { wishes.push(wish); return wishes.length === 1 ? [self, other] : [self] } }

  await adoptPins({ ...peer, placer, self }, { signal, replication: { min: 1, max: 2 } })

  t.strictSame(wishes, Array(2).fill({ replication: { min: 1, max: 2 }, holders: [], wanted: [self], inPlace: [self] }))
  const allocations = await Promise.all(['a', 'b'].map(async seed => (await peer.cluster.state.get(cidOf(seed)))!.pin.allocations.length))
  t.strictSame(allocations.sort(), [1, 2])
})

t.test('adopting again adopts nothing', async t => {
  await using peer = await onePeer()
  peer.ipfs.pinDirectly(cidOf('a'), 'a')
  await adoptPins({ ...peer, ...alone(self, peer.clock), self }, { signal, replication: 'everywhere' })

  t.strictSame(await adoptPins({ ...peer, ...alone(self, peer.clock), self }, { signal, replication: 'everywhere' }), { seen: 1, adopted: 0 })
})

t.test('a pin that somebody makes meanwhile does not stop the others', async t => {
  await using peer = await onePeer()
  for (const seed of ['a', 'b']) peer.ipfs.pinDirectly(cidOf(seed), seed)
  let isFirst = true
  const overtaken = {
    ...peer.consensus,
    async log (...args: Parameters<typeof peer.consensus.log>) {
      if (isFirst) await peer.cluster.pin(cidOf('a'), { ...defaultPinOptions, name: 'theirs' }, { signal, wait: 'commit' })
      isFirst = false
      return await peer.consensus.log(...args)
    }
  }

  const progress = await adoptPins({ ...peer, ...alone(self, peer.clock), consensus: overtaken, self }, { signal, replication: 'everywhere' })

  t.strictSame(progress, { seen: 2, adopted: 1 })
  t.match(await peer.cluster.state.get(cidOf('a')), { pin: { name: 'theirs' } })
})

t.test('what was adopted is unpinned on the daemon by who asks for it, and by nobody else', async t => {
  await using peer = await onePeer()
  for (const seed of ['asked', 'expired']) peer.ipfs.pinDirectly(cidOf(seed), seed)
  await adoptPins({ ...peer, ...alone(self, peer.clock), self }, { signal, replication: 'everywhere' })

  await peer.cluster.unpin(cidOf('asked'), { signal })
  await peer.consensus.log([{ kind: 'unpin', cid: cidOf('expired') }], { signal })
  await peer.tracker.settled(cidOf('expired'), { signal })

  t.equal(peer.ipfs.has(cidOf('asked')), undefined)
  t.ok(peer.ipfs.has(cidOf('expired')))
})
