/** What every `StateStore` promises. */
import { CID } from 'multiformats/cid'
import t from 'tap'
import type { Pin } from '../../cluster/api/pin.ts'
import type { FollowingState } from '../../cluster/peer-ports.ts'
import type { PinsetOp, StateStore } from '../../cluster/ports.ts'
import { cidOf, other, pinOf, self } from '../harness/pins.ts'

export type OpenState = () => Promise<AsyncDisposable & { readonly state: FollowingState }>

const never = { signal: new AbortController().signal }

export function stateStoreSuite (name: string, open: OpenState): void {
  t.test(`${name}: a pin comes back whole`, async t => {
    await using opened = await open()
    const pin = pinOf('whole', {
      name: 'ein Name mit ü und 🐟', mode: 'direct', replication: { min: 1, max: 2 }, allocations: [self, other], expireAtMs: 1_800_000_000_123,
      metadata: { b: '2', a: '1' }, pinUpdate: cidOf('older'), origins: ['/ip4/1.2.3.4/tcp/4001/p2p/12D3KooWQmTqkMSHKgb7VBvTH6WmmB7JSa9jVqFFpZQVzQ4mYFdN']
    })

    await opened.state.apply([{ ops: [{ kind: 'pin', pin }], index: 7n }])
    const found = await opened.state.get(pin.cid)

    t.equal(found?.revision, 7n)
    t.ok(found?.pin.cid.equals(pin.cid))
    t.ok(found?.pin.pinUpdate?.equals(pin.pinUpdate!))
    t.strictSame({ ...found?.pin, cid: 0, pinUpdate: 0 }, { ...pin, cid: 0, pinUpdate: 0 })
  })

  t.test(`${name}: the CIDv0 and the CIDv1 of the same content are two pins, as in Kubo`, async t => {
    await using opened = await open()
    const v0 = CID.createV0(cidOf('both').multihash as CID['multihash'] & { code: 0x12 })
    await opened.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('v0', { cid: v0 }) }, { kind: 'pin', pin: pinOf('v1', { cid: v0.toV1() }) }], index: 1n }])

    await opened.state.apply([{ ops: [{ kind: 'unpin', cid: v0.toV1() }], index: 2n }])

    t.equal((await opened.state.get(v0))?.pin.name, 'pin v0')
    t.equal(await opened.state.get(v0.toV1()), undefined)
  })

  t.test(`${name}: an entry whose guard no longer holds changes nothing, not even with its other ops`, async t => {
    await using opened = await open()
    await opened.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('a') }], index: 1n }])

    const [outcomes] = await opened.state.apply([{ ops: [
      { kind: 'pin', pin: pinOf('b'), ifRevision: 0n },
      { kind: 'unpin', cid: cidOf('a'), ifRevision: 99n }
    ], index: 2n }])

    t.ok(outcomes!.every(outcome => 'outdated' in outcome))
    t.equal(await opened.state.get(cidOf('b')), undefined)
    t.equal((await opened.state.get(cidOf('a')))?.revision, 1n)
    t.equal(opened.state.appliedIndex(), 2n, 'the entry counts as applied all the same')
  })

  t.test(`${name}: a guard of 0 means that there is none, a right revision that it is still that one`, async t => {
    await using opened = await open()

    const first = await opened.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('a'), ifRevision: 0n }], index: 1n }])
    const again = await opened.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('a'), ifRevision: 0n }], index: 2n }])
    const right = await opened.state.apply([{ ops: [{ kind: 'unpin', cid: cidOf('a'), ifRevision: 1n }], index: 3n }])

    t.match(first, [[{ revision: 1n }]])
    t.match(again, [[{ outdated: true }]])
    t.match(right, [[{ revision: 3n }]])
    t.equal(await opened.state.count(), 0)
  })

  t.test(`${name}: entries handed in together are applied in their order`, async t => {
    await using opened = await open()

    const outcomes = await opened.state.apply([
      { ops: [{ kind: 'pin', pin: pinOf('x', { name: 'first' }) }], index: 1n },
      { ops: [{ kind: 'pin', pin: pinOf('x', { name: 'second' }), ifRevision: 1n }], index: 2n },
      { ops: [{ kind: 'pin', pin: pinOf('x', { name: 'late' }), ifRevision: 1n }], index: 3n },
      { ops: [{ kind: 'pin', pin: pinOf('y') }], index: 4n }
    ])

    t.match(outcomes, [[{ revision: 1n }], [{ revision: 2n }], [{ outdated: true }], [{ revision: 4n }]])
    t.match(await opened.state.get(cidOf('x')), { revision: 2n, pin: { name: 'second' } })
    t.equal(opened.state.appliedIndex(), 4n)
  })

  t.test(`${name}: a list is ordered by CID and does not see what is written while it is read`, async t => {
    await using opened = await open()
    const pins = Array.from({ length: 1_200 }, (_, i) => pinOf(i))
    await opened.state.apply([{ ops: pins.map(pin => ({ kind: 'pin', pin })), index: 1n }])

    const listed: Pin[] = []
    for await (const pin of opened.state.list(never)) {
      if (listed.length === 0) await opened.state.apply([{ ops: [{ kind: 'unpin', cid: pins.at(-1)!.cid }, { kind: 'pin', pin: pinOf('late') }], index: 2n }])
      listed.push(pin)
    }

    const expected = pins.map(({ cid }) => Buffer.from(cid.bytes)).sort(Buffer.compare)
    t.equal(listed.length, 1_200)
    t.ok(listed.every(({ cid }, i) => expected[i]!.equals(cid.bytes)))
    t.equal(await opened.state.count(), 1_200)
  })

  t.test(`${name}: a list goes on behind a CID, whether it is there or not`, async t => {
    await using opened = await open()
    const pins = Array.from({ length: 20 }, (_, i) => pinOf(i))
    await opened.state.apply([{ ops: pins.map(pin => ({ kind: 'pin', pin })), index: 1n }])
    const all = await Array.fromAsync(opened.state.list(never), ({ cid }) => cid.toString())
    const behind = async (after: CID): Promise<string[]> => await Array.fromAsync(opened.state.list({ ...never, after }), ({ cid }) => cid.toString())

    t.strictSame(await behind(CID.parse(all[7]!)), all.slice(8))
    await opened.state.apply([{ ops: [{ kind: 'unpin', cid: CID.parse(all[7]!) }], index: 2n }])
    t.strictSame(await behind(CID.parse(all[7]!)), all.slice(8))
    t.strictSame(await behind(CID.parse(all[19]!)), [])
  })

  t.test(`${name}: a list can be given up`, async t => {
    await using opened = await open()
    await opened.state.apply([{ ops: Array.from({ length: 1_200 }, (_, i) => ({ kind: 'pin', pin: pinOf(i) })), index: 1n }])
    const giving = new AbortController()

    const listing = (async () => { for await (const _pin of opened.state.list(giving)) giving.abort(new Error('enough')) })()

    await t.rejects(listing, { message: 'enough' })
  })

  t.test(`${name}: what has expired comes the earliest first, and no longer once it is renewed or gone`, async t => {
    await using opened = await open()
    await opened.state.apply([{ ops: [
      { kind: 'pin', pin: pinOf('late', { expireAtMs: 300 }) },
      { kind: 'pin', pin: pinOf('early', { expireAtMs: 100 }) },
      { kind: 'pin', pin: pinOf('renewed', { expireAtMs: 50 }) },
      { kind: 'pin', pin: pinOf('gone', { expireAtMs: 60 }) },
      { kind: 'pin', pin: pinOf('future', { expireAtMs: 301 }) },
      { kind: 'pin', pin: pinOf('eternal') }
    ], index: 1n }])
    await opened.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('renewed', { expireAtMs: 900 }) }, { kind: 'unpin', cid: cidOf('gone') }], index: 2n }])

    const expired = await Array.fromAsync(opened.state.expired(300, never))

    t.strictSame(expired.map(({ pin, revision }) => [pin.name, revision]), [['pin early', 1n], ['pin late', 1n]])
  })

  snapshotSuite(name, open)
}

function snapshotSuite (name: string, open: OpenState): void {
  const filled = async (state: StateStore, count: number): Promise<void> => {
    await state.apply([{ ops: Array.from({ length: count }, (_, i) => ({ kind: 'pin', pin: pinOf(i, i % 10 === 0 ? { expireAtMs: 1_000 + i } : {}) })), index: 5n }])
  }
  const bytesOf = async (state: StateStore): Promise<Buffer> => Buffer.concat(await Array.fromAsync(state.snapshot()))

  t.test(`${name}: a snapshot carries everything to another pinset, replacing what was there`, async t => {
    await using from = await open()
    await using to = await open()
    await filled(from.state, 2_500)
    await to.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('stale', { expireAtMs: 1 }) }], index: 1n }])

    await to.state.restore(from.state.snapshot())

    t.equal(await to.state.count(), 2_500)
    t.equal(await to.state.get(cidOf('stale')), undefined)
    t.equal(to.state.appliedIndex(), 5n)
    t.equal((await to.state.get(cidOf(3)))?.revision, 5n)
    t.equal((await Array.fromAsync(to.state.expired(2_000, never))).length, 101)
    t.ok((await bytesOf(to.state)).equals(await bytesOf(from.state)), 'and gives the same bytes')
  })

  t.test(`${name}: a snapshot that is cut short or damaged leaves the old pinset as it was`, async t => {
    await using from = await open()
    await using to = await open()
    await filled(from.state, 1_300)
    await to.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('old') }], index: 1n }])
    const whole = await bytesOf(from.state)
    const cut = async function * (): AsyncGenerator<Uint8Array> { yield whole.subarray(0, whole.length - 3) }
    const foreign = async function * (): AsyncGenerator<Uint8Array> { yield Buffer.from('{"cid":"x"}\n') }

    await t.rejects(to.state.restore(cut()), { code: 'ERR_STORAGE' })
    await t.rejects(to.state.restore(foreign()), { code: 'ERR_STORAGE' })

    t.equal(await to.state.count(), 1)
    t.equal(to.state.appliedIndex(), 1n)
    await to.state.restore(from.state.snapshot())
    t.equal(await to.state.count(), 1_300, 'and the next one gets through')
  })

  t.test(`${name}: the same pins have the same digest, whatever came before and in whichever order`, async t => {
    await using a = await open()
    await using b = await open()
    const pins: PinsetOp[] = Array.from({ length: 50 }, (_, i) => ({ kind: 'pin', pin: pinOf(i) }))
    const empty = a.state.digest()

    await a.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('gone') }, { kind: 'pin', pin: pinOf(3, { name: 'earlier' }) }], index: 1n }])
    await a.state.apply([{ ops: [{ kind: 'unpin', cid: cidOf('gone') }], index: 2n }])
    await a.state.apply([{ ops: pins, index: 3n }])
    await b.state.apply([{ ops: pins.toReversed(), index: 3n }])

    t.equal(a.state.digest(), b.state.digest())
    await a.state.apply([{ ops: pins.map((_, i) => ({ kind: 'unpin', cid: cidOf(i) })), index: 4n }])
    t.equal(a.state.digest(), empty)
  })

  t.test(`${name}: each byte of a pin, and its revision, changes the digest`, async t => {
    const pin = pinOf('a', { expireAtMs: 1_000, metadata: { key: 'value' } })
    const variants: Array<readonly [Pin, bigint]> = [
      [pin, 1n], [pin, 2n], [{ ...pin, name: 'pin b' }, 1n], [{ ...pin, mode: 'direct' }, 1n], [{ ...pin, expireAtMs: 1_001 }, 1n], [{ ...pin, metadata: { key: 'valuf' } }, 1n],
      [{ ...pin, cid: cidOf('b') }, 1n], [{ ...pin, replication: { min: 1, max: 2 } }, 1n], [{ ...pin, timestampMs: pin.timestampMs + 1 }, 1n]
    ]

    const digests = await Promise.all(variants.map(async ([pin, index]) => {
      await using opened = await open()
      await opened.state.apply([{ ops: [{ kind: 'pin', pin }], index }])
      return opened.state.digest()
    }))

    t.equal(new Set(digests).size, variants.length)
  })

  t.test(`${name}: a restored pinset has the digest of the one it came from, and goes on from it`, async t => {
    await using from = await open()
    await using to = await open()
    await filled(from.state, 1_300)
    await to.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('stale') }], index: 1n }])

    await to.state.restore(from.state.snapshot())

    t.equal(to.state.digest(), from.state.digest())
    for (const { state } of [from, to]) await state.apply([{ ops: [{ kind: 'pin', pin: pinOf(7, { name: 'changed' }) }, { kind: 'unpin', cid: cidOf(8) }], index: 6n }])
    t.equal(to.state.digest(), from.state.digest())
  })

  t.test(`${name}: a snapshot with one changed letter is refused`, async t => {
    await using from = await open()
    await using to = await open()
    await filled(from.state, 3)
    const bytes = await bytesOf(from.state)
    bytes[bytes.indexOf('pin 2') + 4] = '9'.charCodeAt(0)

    await t.rejects(to.state.restore((async function * () { yield bytes })()), { code: 'ERR_STORAGE', message: /digest/ })

    t.equal(await to.state.count(), 0)
  })

  t.test(`${name}: the same ops in the same order give the same bytes`, async t => {
    await using a = await open()
    await using b = await open()
    for (const { state } of [a, b]) {
      await filled(state, 100)
      await state.apply([{ ops: [{ kind: 'unpin', cid: cidOf(7) }], index: 6n }])
      await state.apply([{ ops: [{ kind: 'pin', pin: pinOf(8, { metadata: state === a.state ? { x: '1', y: '2' } : { y: '2', x: '1' } }) }], index: 7n }])
    }

    t.ok((await bytesOf(a.state)).equals(await bytesOf(b.state)))
  })

  t.test(`${name}: what is taken over in parts ends as the pinset that it was taken from`, async t => {
    await using from = await open()
    await using to = await open()
    await from.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('a') }, { kind: 'pin', pin: pinOf('b', { expireAtMs: 1_000 }) }], index: 5n }])
    await from.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('a', { name: 'anew' }) }], index: 9n }])
    await to.state.apply([{ ops: [{ kind: 'pin', pin: pinOf('a') }, { kind: 'pin', pin: pinOf('gone', { expireAtMs: 1_000 }) }], index: 5n }])

    await to.state.takeOver({ entries: [(await from.state.get(cidOf('a')))!], gone: [cidOf('gone')] })
    const meanwhile = to.state.appliedIndex()
    await to.state.takeOver({ entries: [(await from.state.get(cidOf('b')))!], gone: [], asOf: 9n })

    t.equal(meanwhile, 5n)
    t.equal(to.state.appliedIndex(), 9n)
    t.equal(to.state.digest(), from.state.digest())
    t.ok((await bytesOf(to.state)).equals(await bytesOf(from.state)))
    t.match(await Array.fromAsync(to.state.expired(2_000, never)), [{ pin: { name: 'pin b' }, revision: 5n }])
  })
}
