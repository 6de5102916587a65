import t from 'tap'
import { onePeer } from '../../ipfs-compat-tests/harness/one-peer.ts'
import type { OnePeer } from '../../ipfs-compat-tests/harness/one-peer.ts'
import { eventually } from '../../ipfs-compat-tests/harness/eventually.ts'
import { cidOf, other, pinOf } from '../../ipfs-compat-tests/harness/pins.ts'
import type { Drift } from '../api/drift.ts'

const { signal } = new AbortController()
const elsewhere = { replication: { min: 1, max: 1 }, allocations: [other] }

/** By the seed of the CID, in order. */
async function driftOf ({ tracker }: OnePeer, seeds: readonly string[], foreign = false): Promise<Record<string, Drift['kind']>> {
  const found = await Array.fromAsync(tracker.audit({ foreign }, { signal }))
  return Object.fromEntries(found.map(({ cid, kind }) => [seeds.find(seed => cidOf(seed).equals(cid)) ?? cid.toString(), kind]))
}

async function pinned (peer: OnePeer, ...seeds: readonly string[]): Promise<void> {
  for (const seed of seeds) {
    await peer.consensus.log([{ kind: 'pin', pin: pinOf(seed) }], { signal })
    await peer.tracker.settled(cidOf(seed), { signal })
  }
  await eventually('all is noted', async () => (await Array.fromAsync(peer.tracker.audit({ foreign: false }, { signal }))).length === 0)
}

t.test('where pinset, notes and daemon agree there is nothing to tell', async t => {
  await using peer = await onePeer()
  await pinned(peer, 'a', 'b')
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('c', elsewhere) }], { signal })

  t.strictSame(await driftOf(peer, []), {})
})

t.test('what the daemon has lost is missing, until it is recovered', async t => {
  await using peer = await onePeer()
  await pinned(peer, 'a', 'b')
  peer.ipfs.unpinDirectly(cidOf('a'))
  peer.ipfs.pinDirectly(cidOf('b'), '', 'direct')

  t.strictSame(await driftOf(peer, ['a', 'b']), { a: 'missing', b: 'missing' }, 'in the mode that was agreed on')
  t.notOk(peer.ipfs.has(cidOf('a')), 'it was only looked at')
  for await (const { cid } of peer.tracker.recoverAll({ signal })) await peer.tracker.settled(cid, { signal })

  await eventually('nothing is left', async () => Object.keys(await driftOf(peer, [])).length === 0)
  t.match(peer.ipfs.has(cidOf('a')), { status: 'recursive' })
})

t.test('what failed is missing, with what the daemon said', async t => {
  await using peer = await onePeer()
  const gate = peer.ipfs.hold(cidOf('a'))
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a') }], { signal })
  await gate.begun
  t.strictSame(await driftOf(peer, ['a']), {}, 'what is being worked on is no drift')

  gate.fail(new Error('block was not found'))
  await peer.tracker.settled(cidOf('a'), { signal })

  await eventually('it is told', async () => (await Array.fromAsync(peer.tracker.audit({ foreign: false }, { signal })))[0]?.detail === 'block was not found')
  t.strictSame(await driftOf(peer, ['a']), { a: 'missing' })
})

t.test('what could not be unpinned is surplus, and its note is stale once it is gone', async t => {
  await using peer = await onePeer()
  await pinned(peer, 'a', 'b')
  peer.ipfs.setAway(true)
  for (const seed of ['a', 'b']) {
    await peer.consensus.log([{ kind: 'unpin', cid: cidOf(seed) }], { signal })
    await peer.tracker.settled(cidOf(seed), { signal })
  }
  peer.ipfs.setAway(false)
  peer.ipfs.unpinDirectly(cidOf('b'))

  await eventually('the failures are noted', async () => (await Array.fromAsync(peer.tracker.audit({ foreign: false }, { signal }))).every(({ detail }) => detail !== ''))
  t.strictSame(await driftOf(peer, ['a', 'b']), { a: 'surplus', b: 'stale' })
})

t.test('what failed here and is there all the same is not noted', async t => {
  await using peer = await onePeer()
  peer.ipfs.setAway(true)
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a') }], { signal })
  await peer.tracker.settled(cidOf('a'), { signal })
  peer.ipfs.setAway(false)
  peer.ipfs.pinDirectly(cidOf('a'))

  await eventually('it is told', async () => (await driftOf(peer, ['a']))['a'] === 'unnoted')
  t.pass('told')
})

t.test('what the daemon\'s user pinned is told of when asked for, and never touched', async t => {
  await using peer = await onePeer()
  await pinned(peer, 'a')
  peer.ipfs.pinDirectly(cidOf('mine'), 'mine')
  peer.ipfs.pinDirectly(cidOf('c'))
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('c', elsewhere) }], { signal })

  t.strictSame(await driftOf(peer, []), {})
  t.strictSame(await driftOf(peer, ['mine', 'c'], true), { mine: 'foreign', c: 'foreign' })
  await Array.fromAsync(peer.tracker.recoverAll({ signal }))

  t.match(peer.ipfs.has(cidOf('mine')), { name: 'mine' })
  t.ok(peer.ipfs.has(cidOf('c')))
})

t.test('an audit that waits for another can be given up', async t => {
  await using peer = await onePeer()
  await pinned(peer, 'a')
  peer.ipfs.unpinDirectly(cidOf('a'))
  const first = peer.tracker.audit({ foreign: false }, { signal })[Symbol.asyncIterator]()
  await first.next()
  const leaving = new AbortController()

  const second = Array.fromAsync(peer.tracker.audit({ foreign: false }, leaving))
  leaving.abort(new Error('left'))

  await t.rejects(second, { message: 'left' })
  await first.return?.()
  t.equal((await Array.fromAsync(peer.tracker.audit({ foreign: false }, { signal }))).length, 1)
})
