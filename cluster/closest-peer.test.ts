import t from 'tap'
import { cidOf } from '../ipfs-compat-tests/harness/pins.ts'
import type { PeerId } from './api/pin.ts'
import { closestPeer } from './closest-peer.ts'

const peers = ['a', 'b', 'c'] as unknown as PeerId[]

t.test('all agree, in whatever order they know each other', async t => {
  for (let i = 0; i < 50; i++) t.equal(closestPeer(cidOf(i), peers), closestPeer(cidOf(i), [...peers].reverse()))
})

t.test('the work is shared', async t => {
  const counts = new Map<unknown, number>()
  for (let i = 0; i < 3_000; i++) {
    const peer = closestPeer(cidOf(i), peers)
    counts.set(peer, (counts.get(peer) ?? 0) + 1)
  }

  t.ok([...counts.values()].every(count => count > 300), JSON.stringify([...counts]))
})

t.test('of nobody nobody acts', async t => {
  t.equal(closestPeer(cidOf('a'), []), undefined)
})
