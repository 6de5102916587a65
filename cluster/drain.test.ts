import t from 'tap'
import { pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import type { AllocationWhy } from './api/allocation-reason.ts'
import type { PeerId, Pin } from './api/pin.ts'
import { createDrain } from './drain.ts'
import type { Drain } from './drain.ts'
import { createMemoryState } from './state/memory-state.ts'

const { signal } = new AbortController()
const [a, b, c] = ['a', 'b', 'c'] as unknown as readonly [PeerId, PeerId, PeerId]

async function among (peers: readonly PeerId[], pins: readonly Pin[], reasons: Readonly<Record<string, AllocationWhy>> = {}): Promise<Drain> {
  const state = createMemoryState()
  await state.apply([{ ops: pins.map(pin => ({ kind: 'pin', pin })), index: 1n }])
  const draining = new Set<PeerId>()
  return createDrain({
    consensus: { state },
    placer: { explain: ({ without = [] }) => peers.map(peer => ({ peer, isChosen: false, detail: '', why: without.includes(peer) ? 'silent' : draining.has(peer) ? 'draining' : reasons[peer] ?? 'ranked' })) },
    membership: { draining: () => draining, async drain ({ peer, isDraining }) { if (isDraining) draining.add(peer); else draining.delete(peer) } }
  })
}

t.test('who asks is told how many pins there are to move; those that go everywhere are none', async t => {
  const one = { replication: { min: 1, max: 2 }, allocations: [a] }
  const drain = await among([a, b, c], [pinOf(1, one), pinOf(2, one), pinOf(3, { ...one, allocations: [b] }), pinOf(4)])

  t.strictSame(await drain.ask({ peer: a, isDraining: true }, { signal }), { peer: a, isDraining: true, pins: 2 })
  t.strictSame(await drain.progress(a, { signal }), { peer: a, isDraining: true, pins: 2 })
  t.strictSame(await drain.ask({ peer: a, isDraining: false }, { signal }), { peer: a, isDraining: false, pins: 2 })
})

t.test('where too few peers would be left for a pin, it is named and nothing is done', async t => {
  const two = pinOf('two', { replication: { min: 2, max: 3 }, allocations: [a, b] })
  const drain = await among([a, b], [pinOf(1, { replication: { min: 1, max: 1 }, allocations: [a] }), two])

  await t.rejects(drain.ask({ peer: a, isDraining: true }, { signal }), { code: 'ERR_INVALID_ARGUMENT', message: `a cannot be drained: ${two.cid.toString()} needs 2 peers, 1 would be left. Add a peer, or lower its replication factor` })
  t.match(await drain.progress(a, { signal }), { isDraining: false })
})

t.test('who is being drained already does not count among those that are left', async t => {
  const drain = await among([a, b, c], [pinOf('two', { replication: { min: 2, max: 2 }, allocations: [a, b] })])

  await drain.ask({ peer: c, isDraining: true }, { signal })

  await t.rejects(drain.ask({ peer: a, isDraining: true }, { signal }), { code: 'ERR_INVALID_ARGUMENT' })
})

t.test('who could not hold it is not left for it, and is told; who is full may keep what it has', async t => {
  const last = pinOf('last', { replication: { min: 1, max: 1 }, allocations: [a] })
  const two = pinOf('two', { replication: { min: 1, max: 2 }, allocations: [a, b] })

  await t.rejects((await among([a, b, c], [last], { b: 'full', c: 'silent' })).ask({ peer: a, isDraining: true }, { signal }), {
    code: 'ERR_INVALID_ARGUMENT', message: `a cannot be drained: ${last.cid.toString()} needs 1 peers, 0 would be left; b: full; c: silent. Add a peer, or lower its replication factor`
  })
  t.match(await (await among([a, b, c], [two], { b: 'full', c: 'silent' })).ask({ peer: a, isDraining: true }, { signal }), { isDraining: true, pins: 1 })
})
