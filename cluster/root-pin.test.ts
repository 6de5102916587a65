import t from 'tap'
import { alone } from '../ipfs-compat-tests/harness/alone.ts'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import type { OnePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, other, self } from '../ipfs-compat-tests/harness/pins.ts'
import { defaultPinOptions } from './api/pin.ts'
import type { PeerId } from './api/pin.ts'
import type { PinsetOp } from './ports.ts'
import { createRootPin } from './root-pin.ts'
import type { RootPin } from './root-pin.ts'

const { signal } = new AbortController()
const rootPinOf = ({ consensus, clock }: Pick<OnePeer, 'consensus' | 'clock'>, peer: PeerId = self): RootPin => createRootPin({ self: peer, consensus, clock, placer: alone(self, clock).placer }, { replication: 'everywhere' })
const pinsOf = async ({ cluster }: OnePeer): Promise<readonly string[]> => (await Array.fromAsync(cluster.state.list({ signal }))).map(({ cid, name }) => `${name} ${cid.toString().slice(-6)}`).sort()
const named = (name: string, seed: string): string => `${name} ${cidOf(seed).toString().slice(-6)}`
const mine = `mfs:${self}`

t.test('the pin follows the root, and both changes are one entry', async t => {
  await using peer = await onePeer()
  const entries: (readonly PinsetOp[])[] = []
  const rootPin = rootPinOf({ ...peer, consensus: { ...peer.consensus, log: async (ops, options) => { entries.push(ops); return await peer.consensus.log(ops, options) } } })

  t.equal(await rootPin.follow(cidOf('a'), { signal }), true)
  t.equal(await rootPin.follow(cidOf('a'), { signal }), false, 'an unchanged root costs nothing')
  t.equal(await rootPin.follow(cidOf('b'), { signal }), true)

  t.strictSame(await pinsOf(peer), [named(mine, 'b')])
  t.strictSame(entries.map(ops => ops.map(({ kind }) => kind)), [['pin'], ['pin', 'unpin']])
  await peer.tracker.settled(cidOf('a'), { signal })
  await peer.tracker.settled(cidOf('b'), { signal })
  t.strictSame([peer.ipfs.has(cidOf('a')), peer.ipfs.has(cidOf('b'))?.name], [undefined, mine], 'the daemon too')
})

t.test('empty files are pinned by nobody', async t => {
  await using peer = await onePeer()
  const rootPin = rootPinOf(peer)
  await rootPin.follow(cidOf('a'), { signal })

  await rootPin.follow(undefined, { signal })

  t.strictSame(await pinsOf(peer), [])
})

t.test('after a restart the pin of before is found', async t => {
  await using peer = await onePeer()
  await rootPinOf(peer).follow(cidOf('a'), { signal })

  await rootPinOf(peer).follow(cidOf('b'), { signal })

  t.strictSame(await pinsOf(peer), [named(mine, 'b')])
})

t.test('what somebody else has pinned is left to them', async t => {
  await using peer = await onePeer()
  const rootPin = rootPinOf(peer)
  await peer.cluster.pin(cidOf('theirs'), { ...defaultPinOptions, name: 'theirs' }, { signal, wait: 'commit' })

  await rootPin.follow(cidOf('theirs'), { signal })
  t.strictSame(await pinsOf(peer), [named('theirs', 'theirs')], 'not taken over')
  await rootPin.follow(cidOf('a'), { signal })
  await peer.cluster.pin(cidOf('a'), { ...defaultPinOptions, name: 'now theirs' }, { signal, wait: 'commit' })
  await rootPin.follow(cidOf('b'), { signal })

  t.strictSame(await pinsOf(peer), [named(mine, 'b'), named('now theirs', 'a'), named('theirs', 'theirs')].sort(), 'nor let go')
})

t.test('a pin made out of ours is not ours', async t => {
  await using peer = await onePeer()
  await rootPinOf(peer).follow(cidOf('a'), { signal })
  const { metadata } = (await peer.cluster.state.get(cidOf('a')))!.pin
  await peer.cluster.pin(cidOf('copy'), { ...defaultPinOptions, name: 'copy', metadata, pinUpdate: cidOf('a') }, { signal, wait: 'commit' })

  await rootPinOf(peer).follow(cidOf('b'), { signal })

  t.strictSame(await pinsOf(peer), [named('copy', 'copy'), named(mine, 'b')].sort())
})

t.test('what is the root of two peers is unpinned by the last', async t => {
  await using peer = await onePeer()
  const [one, two] = [rootPinOf(peer), rootPinOf(peer, other)]
  await one.follow(cidOf('both'), { signal })
  await two.follow(cidOf('both'), { signal })

  await one.follow(cidOf('a'), { signal })
  t.strictSame(await pinsOf(peer), [named(mine, 'a'), named(`mfs:${other}`, 'both')].sort())

  await two.follow(cidOf('b'), { signal })
  t.strictSame(await pinsOf(peer), [named(mine, 'a'), named(`mfs:${other}`, 'b')].sort())
})

t.test('a decision that was overtaken changes nothing, and the next goes by what is there', async t => {
  await using peer = await onePeer()
  await rootPinOf(peer).follow(cidOf('a'), { signal })
  const overtaken = rootPinOf({ ...peer, consensus: { ...peer.consensus, log: async (ops, options) => {
    await peer.cluster.pin(cidOf('a'), { ...defaultPinOptions, name: 'theirs' }, { signal, wait: 'commit' })
    return await peer.consensus.log(ops, options)
  } } })

  await t.rejects(overtaken.follow(cidOf('b'), { signal }), { code: 'ERR_OUTDATED' })
  t.strictSame(await pinsOf(peer), [named('theirs', 'a')])
  await overtaken.follow(cidOf('b'), { signal })

  t.strictSame(await pinsOf(peer), [named(mine, 'b'), named('theirs', 'a')].sort())
})
