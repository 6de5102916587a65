import t from 'tap'
import type { Test } from 'tap'
import { alone } from '../ipfs-compat-tests/harness/alone.ts'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, pinOf, self } from '../ipfs-compat-tests/harness/pins.ts'
import type { PeerId } from './api/pin.ts'
import { createDrain } from './drain.ts'
import { createOverview } from './overview.ts'
import type { OverviewComponents } from './overview.ts'

const { signal } = new AbortController()

async function setUp (t: Test, others: Partial<OverviewComponents> = {}) {
  const peer = await onePeer()
  t.teardown(() => peer[Symbol.asyncDispose]())
  const links = { own: async () => { throw new Error('not asked') }, all: async () => new Map() }
  const membership = { remove: async (_peer: unknown, { signal }: { signal: AbortSignal }) => await new Promise<never>((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) }), trusted: () => ({ everyone: true, peers: [], asOf: 0 }), trust: async () => {} }
  const drain = createDrain({ consensus: peer.consensus, membership: { draining: () => new Set(), drain: membership.remove }, placer: alone(self, peer.clock).placer })
  return { ...peer, overview: createOverview({ self, ...peer, ...alone(self, peer.clock), membership, drain, rebalance: { run: () => { throw new Error('not asked') } }, links, ensureRoom: () => undefined, aheadMs: () => 0, ...others }) }
}

t.test('a peer that can do its work has no ailment; without a leader, the right time, room on the disk or a daemon it has', async t => {
  const { overview, consensus, ipfs } = await setUp(t)
  const sick = await setUp(t, { consensus: { ...consensus, leader: () => undefined }, ipfs: { ...ipfs, id: async () => { throw new Error('/ip4/10.0.0.1') } }, ensureRoom: async () => { throw new Error('ENOSPC') }, aheadMs: () => 3_600_000 })

  t.strictSame(await overview.ailments({ signal }), [])
  t.match(await sick.overview.ailments({ signal }), [/^no leader is known/, 'this machine\'s clock is 3600 s ahead of the other peers\'', 'the disk has no room for further changes', 'the IPFS daemon does not answer'])
})

t.test('the reasons for what is not pinned are not made up', async t => {
  const { overview } = await setUp(t)

  await t.rejects(overview.explain(cidOf(1), { signal }), { code: 'ERR_PIN_NOT_FOUND' })
})

t.test('a removal that nobody can agree on is given up', async t => {
  const { overview, clock } = await setUp(t)

  const removing = overview.remove(self, { signal })
  clock.advance(15_000)

  await t.rejects(removing, { code: 'ERR_TIMEOUT' })
})

t.test('so is draining', async t => {
  const { overview, clock } = await setUp(t)

  const draining = overview.drain({ peer: self, isDraining: true }, { signal })
  await new Promise(setImmediate)
  clock.advance(15_000)

  await t.rejects(draining, { code: 'ERR_TIMEOUT' })
})

t.test('an audit asks all members, and one that does not answer is named behind what the others found', async t => {
  const other = 'another peer' as PeerId
  const peer = await setUp(t)
  const { overview } = await setUp(t, { ...peer, consensus: { ...peer.consensus, peerset: () => [self, other] } })
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a') }], { signal })
  await peer.tracker.settled(cidOf('a'), { signal })
  peer.ipfs.unpinDirectly(cidOf('a'))

  t.match(await Array.fromAsync(overview.audit({ local: true, foreign: false }, { signal })), [{ peer: self, kind: 'missing', name: 'pin a' }])
  const found: unknown[] = []
  await t.rejects((async () => { for await (const drift of overview.audit({ local: false, foreign: false }, { signal })) found.push(drift) })(), { code: 'ERR_PEER_FAILED', message: /^not all peers have looked through their pins: another peer: / })
  t.match(found, [{ peer: self, kind: 'missing' }])
})
