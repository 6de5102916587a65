import { rm } from 'node:fs/promises'
import t from 'tap'
import type { AppliedOps, PinsetOp } from '../../cluster/ports.ts'
import { startEtcd, withoutEtcd } from '../harness/etcd.ts'
import type { RunningEtcd } from '../harness/etcd.ts'
import { startEtcdPeer } from '../harness/etcd-peer.ts'
import type { EtcdPeer } from '../harness/etcd-peer.ts'
import { startEtcdRelay } from '../harness/etcd-relay.ts'
import { eventually } from '../harness/eventually.ts'
import { cidOf, other, pinOf } from '../harness/pins.ts'
import { consensusSuite } from './consensus.ts'
import type { OpenedConsensus } from './consensus.ts'

t.setTimeout(1_800_000)
const { signal } = new AbortController()
const pin = (seed: string | number, ifRevision?: bigint): PinsetOp => ({ kind: 'pin', pin: pinOf(seed), ...ifRevision !== undefined && { ifRevision } })

/** Writes down what it is told. */
function recorder (): AppliedOps & { readonly told: string[] } {
  const told: string[] = []
  return { told, pinned: ({ name }) => { told.push(`+${name}`) }, unpinned: cid => { told.push(`-${cid.toString().slice(-4)}`) }, replaced: () => { told.push('replaced') } }
}

if (withoutEtcd !== false) {
  t.test('the pinset over etcd', { skip: withoutEtcd }, () => {})
} else {
  const etcd = await startEtcd()
  t.teardown(() => etcd[Symbol.asyncDispose]())
  withOneMember(etcd)
}

function withOneMember (etcd: RunningEtcd): void {
  let clusters = 0
  const prefix = (): string => `/cluster-${++clusters}`

  async function opened (peer: EtcdPeer): Promise<OpenedConsensus> {
    return { consensus: peer.consensus, reopen: async applied => await opened(await peer.again({ applied })), [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() }
  }
  consensusSuite('etcd', async applied => await opened(await startEtcdPeer({ endpoints: etcd.endpoints, applied, more: { prefix: prefix() } })))

  t.test('two peers come to the same pinset, each is told of all, and both may write', async t => {
    const more = { prefix: prefix() }
    const [here, there] = [recorder(), recorder()]
    await using a = await startEtcdPeer({ endpoints: etcd.endpoints, applied: here, more })
    await using b = await startEtcdPeer({ endpoints: etcd.endpoints, applied: there, more, peer: other })

    await a.consensus.log([{ ...pin('a'), kind: 'pin', pin: pinOf('a'), delivery: 'd', ask: { peer: other, id: 7 }, unannounced: ['dag'] }], { signal })
    await b.consensus.log([pin('b'), pin('c')], { signal })
    await eventually('the first has it too', () => here.told.length === 3)

    t.equal(a.state.digest(), b.state.digest())
    t.strictSame([here.told, there.told], [['+pin a', '+pin b', '+pin c'], ['+pin a', '+pin b', '+pin c']])
    t.strictSame([...a.consensus.peerset()].sort(), [...b.consensus.peerset()].sort())
    t.equal(a.consensus.peerset().length, 2)
    t.equal(a.consensus.leader(), b.consensus.leader())
  })

  t.test('what an entry says besides the pin comes to every peer', async t => {
    const more = { prefix: prefix() }
    const notes: unknown[] = []
    await using a = await startEtcdPeer({ endpoints: etcd.endpoints, more })
    await using _b = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other, applied: { ...recorder(), pinned: (_pin, { delivery, ask, unannounced }) => { notes.push({ delivery, ask, unannounced }) } } })

    await a.consensus.log([{ kind: 'pin', pin: pinOf('a'), delivery: 'd', ask: { peer: other, id: 7 }, unannounced: ['dag'] }], { signal })
    await eventually('the other has it', () => notes.length > 0)

    t.strictSame(notes, [{ delivery: 'd', ask: { peer: other, id: 7 }, unannounced: ['dag'] }])
  })

  t.test('a change whose answer was lost is asked for again and not made twice, and who asked is told the truth', async t => {
    await using relay = await startEtcdRelay(etcd.endpoints[0]!)
    const applied = recorder()
    await using peer = await startEtcdPeer({ endpoints: [relay.endpoint], applied, more: { prefix: prefix() } })

    relay.loseAnswers(1)
    const first = await peer.consensus.log([pin('a', 0n)], { signal })
    relay.loseAnswers(1)
    await t.rejects(peer.consensus.log([pin('b'), pin('a', 0n)], { signal }), { code: 'ERR_OUTDATED' })
    relay.loseAnswers(2)
    const second = await peer.consensus.log([pin('a', first)], { signal })

    t.strictSame(applied.told, ['+pin a', '+pin a'])
    t.equal((await peer.state.get(cidOf('a')))?.revision, second)
  })

  t.test('a watch that is cut, or that goes silent, is begun again where it was', async t => {
    await using relay = await startEtcdRelay(etcd.endpoints[0]!)
    const applied = recorder()
    const more = { prefix: prefix() }
    await using writer = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other })
    await using peer = await startEtcdPeer({ endpoints: [relay.endpoint], applied, more: { ...more, request_timeout: '1s' } })
    await writer.consensus.log([pin('a')], { signal })
    await eventually('it follows', () => applied.told.length === 1)

    relay.cut()
    await writer.consensus.log([pin('b')], { signal })
    await eventually('it follows again', () => applied.told.length === 2)
    relay.silenceWatches()
    await writer.consensus.log([pin('c')], { signal })
    await peer.consensus.log([pin('d')], { signal })

    t.strictSame(applied.told, ['+pin a', '+pin b', '+pin c', '+pin d'])
  })

  t.test('what etcd has forgotten while a peer was stopped is found by comparing: nothing is missed, nothing told twice', async t => {
    const more = { prefix: prefix() }
    const before = recorder()
    await using writer = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other })
    await using peer = await startEtcdPeer({ endpoints: etcd.endpoints, applied: before, more })
    await writer.consensus.log(['kept', 'changed', 'gone'].map(seed => pin(seed)), { signal })
    await eventually('it has them', () => before.told.length === 3)
    await peer.stop()

    await writer.consensus.log([{ kind: 'pin', pin: pinOf('changed', { name: 'changed twice' }) }], { signal })
    await writer.consensus.log([{ kind: 'unpin', cid: cidOf('gone') }], { signal })
    const last = await writer.consensus.log([pin('new')], { signal })
    await etcd.ask('kv/compaction', { revision: String(last), physical: true })
    const applied = recorder()
    await using again = await peer.again({ applied })

    t.strictSame([...applied.told].sort(), ['+changed twice', '+pin new', `-${cidOf('gone').toString().slice(-4)}`].sort())
    t.equal(again.state.digest(), writer.state.digest())
    t.ok(await again.consensus.log([pin('after')], { signal }) > last)
  })

  t.test('a peer that is removed learns it, and does not come back by itself', async t => {
    const more = { prefix: prefix() }
    let isTold = false
    await using a = await startEtcdPeer({ endpoints: etcd.endpoints, more })
    await using b = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other, removed: () => { isTold = true } })

    await eventually('both are there', () => a.consensus.peerset().length === 2)
    await a.consensus.membership.remove(other, { signal })
    t.strictSame(a.consensus.peerset().includes(other), false)
    await eventually('it is told', () => isTold)

    await t.rejects(b.consensus.log([pin('a')], { signal }), { message: /removed from the cluster/ })
    await t.rejects(b.again(), { message: /removed from the cluster/ })
    await using anew = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other })
    t.ok(anew.consensus.peerset().includes(other), 'with a new folder it may')
  })

  t.test('a peer that leaves as it stops is told nothing of it', async t => {
    const more = { prefix: prefix() }
    let isTold = false
    await using a = await startEtcdPeer({ endpoints: etcd.endpoints, more })
    await using b = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other, removed: () => { isTold = true } })

    await b.consensus.membership.remove(other, { signal })
    await b.stop()
    await eventually('it is gone', () => a.consensus.peerset().length === 1)

    t.notOk(isTold)
  })

  t.test('who is drained and who may write is known to all', async t => {
    const more = { prefix: prefix() }
    await using a = await startEtcdPeer({ endpoints: etcd.endpoints, more })
    await using b = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other })
    await eventually('both are there', () => a.consensus.peerset().length === 2)

    await a.consensus.membership.drain({ peer: other, isDraining: true }, { signal })
    await a.consensus.membership.trust({ peer: other, isTrusted: false }, { signal })
    await eventually('the other knows', () => b.consensus.membership.draining().has(other) && !b.consensus.isTrusted(other))

    await t.rejects(b.consensus.log([pin('a')], { signal }), { code: 'ERR_STORES_ONLY', message: /ask one that may/ })
    await t.rejects(a.consensus.membership.trust({ peer: a.consensus.writers()[0]!, isTrusted: false }, { signal }), { message: /only peer that may change/ })
    await a.consensus.membership.trust({ peer: other, isTrusted: true }, { signal })
    await eventually('the other knows', () => b.consensus.isTrusted(other))
    t.ok(await b.consensus.log([pin('a')], { signal }))
  })

  t.test('a peer with another secret, or of another cluster, is refused', async t => {
    const more = { prefix: prefix() }
    await using a = await startEtcdPeer({ endpoints: etcd.endpoints, more })
    await using elsewhere = await startEtcdPeer({ endpoints: etcd.endpoints, more: { prefix: prefix() }, peer: other })

    await t.rejects(startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other, secret: 'cd'.repeat(32) }), { code: 'ERR_INVALID_ARGUMENT', message: /a cluster with another secret/ })
    await t.rejects(elsewhere.again({ more }), { code: 'ERR_INVALID_ARGUMENT', message: /another cluster than the one that this peer belongs to/ })
    await t.rejects(a.again({ more: { prefix: '/nothing-there' } }), { code: 'ERR_INVALID_ARGUMENT', message: /etcd has nothing under \/nothing-there/ })
  })

  t.test('the same peer is not there twice', async t => {
    const more = { prefix: prefix() }
    await using _first = await startEtcdPeer({ endpoints: etcd.endpoints, more })

    await t.rejects(startEtcdPeer({ endpoints: etcd.endpoints, more }), { code: 'ERR_INVALID_ARGUMENT', message: /runs with another folder/ })
  })

  t.test('a pinset that etcd does not know of is not taken for one of its own', async t => {
    await using peer = await startEtcdPeer({ endpoints: etcd.endpoints, more: { prefix: prefix() } })
    await peer.consensus.log([pin('a')], { signal })
    await peer.stop()
    await rm(`${peer.folder}/etcd.json`)

    await t.rejects(peer.again({ more: { prefix: prefix() } }), { code: 'ERR_INVALID_ARGUMENT', message: /this pinset was not kept with etcd.*state export/ })
  })

  t.test('too many changes at once are refused, with the number', async t => {
    await using peer = await startEtcdPeer({ endpoints: etcd.endpoints, more: { prefix: prefix() } })
    const ops = (count: number): PinsetOp[] => Array.from({ length: count }, (_, i) => pin(`many ${i}`, 0n))

    await t.rejects(peer.consensus.log(ops(126), { signal }), { code: 'ERR_INVALID_ARGUMENT', message: /takes 125/ })
    await peer.consensus.log(ops(peer.consensus.opsMax), { signal })

    t.equal(await peer.state.count(), 125)
  })

  t.test('a pinset of many pages is taken over whole by a new peer', async t => {
    const more = { prefix: prefix() }
    await using a = await startEtcdPeer({ endpoints: etcd.endpoints, more })
    await Promise.all(Array.from({ length: 25 }, async (_, i) => await a.consensus.log(Array.from({ length: 100 }, (_, j) => pin(i * 100 + j)), { signal })))

    await using b = await startEtcdPeer({ endpoints: etcd.endpoints, more, peer: other })

    t.equal(await b.state.count(), 2_500)
    t.equal(b.state.digest(), a.state.digest())
  })
}

