import t from 'tap'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, other, pinOf, self, standingOf } from '../ipfs-compat-tests/harness/pins.ts'
import { defaultPinOptions } from './api/pin.ts'
import type { PeerId, Pin } from './api/pin.ts'
import { nextAllocations } from './relocation.ts'

const { signal } = new AbortController()
const [a, b, c, d] = ['a', 'b', 'c', 'd'] as unknown as readonly [PeerId, PeerId, PeerId, PeerId]

/** With `d` gone, and `c` the one whom the placer would choose. */
async function next (given: Partial<Pin>, holding: readonly PeerId[] = []): Promise<readonly PeerId[] | undefined> {
  const pin = pinOf(1, given)
  return await nextAllocations(pin, { members: new Set([a, b, c, d]), gone: new Set([d]), draining: new Set<PeerId>(), key: '' }, {
    placer: { place: ({ holders }) => [...holders.filter(peer => peer !== d && peer.length === 1 && peer !== 'z'), c] },
    status: async () => standingOf(pin, pin.allocations, peer => holding.includes(peer) ? 'pinned' : 'pinning')
  }, { signal })
}

t.test('who is gone stays named until min of the others have a copy', async t => {
  const two = { replication: { min: 2, max: 2 } }

  t.strictSame(await next({ ...two, allocations: [d, a] }), [a, c, d])
  t.equal(await next({ ...two, allocations: [a, c, d] }, [a]), undefined)
  t.strictSame(await next({ ...two, allocations: [a, c, d] }, [a, c]), [a, c])
})

t.test('who is no member is let off at once', async t => {
  const stranger = 'z' as PeerId

  t.strictSame(await next({ replication: { min: 1, max: 2 }, allocations: [a, stranger] }), [a])
  t.strictSame(await next({ replication: { min: 1, max: 2 }, allocations: [stranger] }), [c])
})

t.test('of too many those stay that have a copy', async t => {
  t.strictSame(await next({ replication: { min: 1, max: 2 }, allocations: [a, b, c] }, [b]), [b, a])
  t.strictSame(await next({ replication: { min: 1, max: 1 }, allocations: [a, b, d] }, [d, b]), [b])
})

t.test('who asks again for a pin that is on the move lets nobody off', async t => {
  await using peer = await onePeer({ replication: { min: 1, max: 1 } })
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a', { replication: { min: 1, max: 1 }, allocations: [self, other] }) }], { signal })

  const pin = await peer.cluster.pin(cidOf('a'), { ...defaultPinOptions, name: 'again' }, { signal, wait: 'commit' })

  t.match(pin, { name: 'again', allocations: [self, other] })
})
