/** What becomes of a pin when those that were chosen for it are not there. What a pin does where they are is in `cluster.test.ts`. */
import t from 'tap'
import type { Alone } from '../ipfs-compat-tests/harness/alone.ts'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, other, pinOf, self } from '../ipfs-compat-tests/harness/pins.ts'
import { ClusterError, KuboRepliedError } from './api/errors.ts'
import { defaultPinOptions } from './api/pin.ts'
import type { PeerId } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { explainPlacement, placePin } from './placement.ts'
import type { PlacementWish } from './placer.ts'
import type { Watch } from './presence.ts'

const { signal } = new AbortController()
const one = { replication: { min: 1, max: 1 } } as const
const min = { signal, wait: 'min' } as const
const silence = new ClusterError('ERR_PEER_FAILED', `${other} is silent`)

/** Another peer, which everything is given to first; it never says a word, unless `says` does. */
function silentOther ({ says = async () => await new Promise<never>(() => {}), candidates = [other, self] }: { readonly says?: () => Promise<boolean>, readonly candidates?: readonly PeerId[] } = {}): Partial<Alone> {
  const question = ({ without = [], ...wish }: PlacementWish) => ({ ...wish, self: other, peerset: candidates.filter(peer => !without.includes(peer)) })
  return {
    placer: { place: wish => placePin(question(wish)), explain: wish => explainPlacement(question(wish)) },
    holding: {
      begin: () => ({ ask: { peer: self, id: 1 }, heldBy: async (_peer, { signal }) => await abortable(says(), signal), [Symbol.dispose] () {} }),
      isHeldBy: async () => false,
      reached () {}
    },
    presence: { watch: (peer, { signal }): Watch => ({ signal: peer === other ? AbortSignal.any([signal, AbortSignal.abort(silence)]) : signal, [Symbol.dispose] () {} }) }
  }
}

t.test('who was chosen for a pin and is not there gives way to another, and who asked is told of nothing', async t => {
  await using peer = await onePeer({ ...one, others: silentOther() })

  t.match(await peer.cluster.pin(cidOf('a'), defaultPinOptions, min), { allocations: [self] })

  t.match(await peer.cluster.state.get(cidOf('a')), { pin: { allocations: [self] } })
  t.ok(peer.ipfs.has(cidOf('a')))
})

t.test('so does one whose daemon is not there, but not one whose daemon says no', async t => {
  const away = silentOther({ says: async () => { throw new ClusterError('ERR_IPFS_UNREACHABLE', 'cannot reach the IPFS daemon') } })
  const no = new KuboRepliedError('no', { status: 500, kuboCode: 0 })
  const refusing = silentOther({ says: async () => { throw no } })
  const there = { presence: { watch: (_peer: PeerId, { signal }: { readonly signal: AbortSignal }): Watch => ({ signal, [Symbol.dispose] () {} }) } }
  await using peer = await onePeer({ ...one, others: { ...away, ...there } })
  await using refused = await onePeer({ ...one, others: { ...refusing, ...there } })

  t.match(await peer.cluster.pin(cidOf('a'), defaultPinOptions, min), { allocations: [self] })
  await t.rejects(refused.cluster.pin(cidOf('a'), defaultPinOptions, min), no)

  t.equal(await refused.cluster.state.count(), 0)
})

t.test('where there is no other it is waited for as long as always', async t => {
  const held = Promise.withResolvers<boolean>()
  await using peer = await onePeer({ ...one, others: silentOther({ says: async () => await held.promise, candidates: [other] }) })
  const agreed = Promise.withResolvers<unknown>()
  const pinning = peer.cluster.pin(cidOf('a'), defaultPinOptions, { ...min, onAgreed: agreed.resolve })
  await agreed.promise

  held.resolve(true)

  t.match(await pinning, { allocations: [other] })
})

t.test('one that owes an answer gives way at once where another can be chosen that does not, and is waited for where none can', async t => {
  const held = Promise.withResolvers<boolean>()
  const there = { presence: { watch: (_peer: PeerId, { signal }: { readonly signal: AbortSignal }): Watch => ({ signal, [Symbol.dispose] () {} }) } }
  const overdue = (...late: readonly PeerId[]): Partial<Alone> => ({
    destinations: {
      watch: (peer, { signal, isReplaceable }) => ({ signal: late.includes(peer) && isReplaceable() ? AbortSignal.any([signal, AbortSignal.abort(silence)]) : signal, [Symbol.dispose] () {} }),
      overdue: () => new Set<PeerId>()
    }
  })
  const says = async (): Promise<boolean> => await held.promise
  await using peer = await onePeer({ ...one, others: { ...silentOther({ says }), ...there, ...overdue(other) } })
  await using alone = await onePeer({ ...one, others: { ...silentOther({ says, candidates: [other] }), ...there, ...overdue(other) } })

  t.match(await peer.cluster.pin(cidOf('a'), defaultPinOptions, min), { allocations: [self] })
  const agreed = Promise.withResolvers<unknown>()
  const pinning = alone.cluster.pin(cidOf('a'), defaultPinOptions, { ...min, onAgreed: agreed.resolve })
  await agreed.promise
  held.resolve(true)

  t.match(await pinning, { allocations: [other] })
})

t.test('who had the pin before is waited for, and not let off: it may have the only copy', async t => {
  const held = Promise.withResolvers<boolean>()
  await using peer = await onePeer({ ...one, others: silentOther({ says: async () => await held.promise }) })
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a', { ...one, allocations: [other] }) }], { signal })
  const agreed = Promise.withResolvers<unknown>()
  const pinning = peer.cluster.pin(cidOf('a'), { ...defaultPinOptions, name: 'renamed' }, { ...min, onAgreed: agreed.resolve })
  await agreed.promise

  held.resolve(true)

  t.match(await pinning, { name: 'renamed', allocations: [other] })
})
