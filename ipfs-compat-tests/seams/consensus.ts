/** What every `Consensus` promises to who sits on it, whoever agrees behind it. */
import t from 'tap'
import type { AppliedOps, Consensus, PinsetOp } from '../../cluster/ports.ts'
import { cidOf, pinOf, self } from '../harness/pins.ts'

export interface OpenedConsensus extends AsyncDisposable {
  readonly consensus: Consensus
  /** Ends it as a crash would, as far as this process can, and starts it again on what it left. */
  reopen (applied: AppliedOps): Promise<OpenedConsensus>
}
/** Started, and able to agree. */
export type OpenConsensus = (applied: AppliedOps) => Promise<OpenedConsensus>

const never = { signal: new AbortController().signal }

/** A listener that writes down what it is told. */
function recorder (): AppliedOps & { readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    pinned: pin => { told.push(`+${pin.name}`) },
    unpinned: (cid, asker) => { told.push(`-${cid.toString().slice(-4)}${asker === undefined ? '' : '!'}`) },
    replaced: () => { told.push('replaced') }
  }
}

const pin = (seed: string | number, ifRevision?: bigint): PinsetOp => ({ kind: 'pin', pin: pinOf(seed), ...ifRevision !== undefined && { ifRevision } })

export function consensusSuite (name: string, open: OpenConsensus): void {
  t.test(`${name}: who logs reads its own write, and the tracker has been told`, async t => {
    const applied = recorder()
    await using opened = await open(applied)

    const revision = await opened.consensus.log([pin('a', 0n)], never)

    t.equal((await opened.consensus.state.get(cidOf('a')))?.revision, revision)
    t.strictSame(applied.told, ['+pin a'])
  })

  t.test(`${name}: revisions grow`, async t => {
    await using opened = await open(recorder())

    const first = await opened.consensus.log([pin('a')], never)
    const second = await opened.consensus.log([pin('a')], never)

    t.ok(second > first)
    t.equal((await opened.consensus.state.get(cidOf('a')))?.revision, second)
  })

  t.test(`${name}: an entry applies whole or not at all, and who was overtaken is told`, async t => {
    const applied = recorder()
    await using opened = await open(applied)
    await opened.consensus.log([pin('a')], never)

    await t.rejects(opened.consensus.log([pin('b'), pin('a', 0n)], never), { code: 'ERR_OUTDATED' })

    t.equal(await opened.consensus.state.get(cidOf('b')), undefined)
    t.strictSame(applied.told, ['+pin a'])
  })

  t.test(`${name}: of many that guard the same CID one wins`, async t => {
    await using opened = await open(recorder())

    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => opened.consensus.log([pin('contested', 0n)], never)))

    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    t.ok(outcomes.every(outcome => outcome.status === 'fulfilled' || outcome.reason.code === 'ERR_OUTDATED'))
  })

  t.test(`${name}: what many log at once is told in the order of its revisions`, async t => {
    const applied = recorder()
    await using opened = await open(applied)

    const revisions = await Promise.all(Array.from({ length: 300 }, (_, i) => opened.consensus.log([pin(i)], never)))

    const inOrder = revisions.map((revision, i) => ({ revision, text: `+pin ${i}` })).sort((a, b) => a.revision < b.revision ? -1 : 1)
    t.strictSame(applied.told, inOrder.map(({ text }) => text))
    t.equal(await opened.consensus.state.count(), 300)
  })

  t.test(`${name}: an unpin says whose user asked for it`, async t => {
    const applied = recorder()
    await using opened = await open(applied)
    const end = cidOf('a').toString().slice(-4)
    await opened.consensus.log([pin('a')], never)

    await opened.consensus.log([{ kind: 'unpin', cid: cidOf('a') }], never)
    await opened.consensus.log([{ kind: 'unpin', cid: cidOf('a'), asker: self }], never)

    t.strictSame(applied.told.slice(1), [`-${end}`, `-${end}!`])
    t.equal(await opened.consensus.state.count(), 0)
  })

  t.test(`${name}: who gave up before changes nothing`, async t => {
    await using opened = await open(recorder())

    await t.rejects(opened.consensus.log([pin('a')], { signal: AbortSignal.abort(new Error('gone')) }), { message: 'gone' })

    t.equal(await opened.consensus.state.count(), 0)
  })

  t.test(`${name}: who gives up when it is done already is told so, not left to guess`, async t => {
    const giving = new AbortController()
    await using opened = await open({ ...recorder(), pinned: () => { giving.abort(new Error('gone')) } })

    const revision = await opened.consensus.log([pin('a')], giving)

    t.equal((await opened.consensus.state.get(cidOf('a')))?.revision, revision)
  })

  t.test(`${name}: a restart keeps what was acknowledged and does not tell it again`, async t => {
    const opened = await open(recorder())
    const revision = await opened.consensus.log([pin('a')], never)
    await opened.consensus.log([pin('b')], never)
    const applied = recorder()

    await using again = await opened.reopen(applied)

    t.equal((await again.consensus.state.get(cidOf('a')))?.revision, revision)
    t.strictSame(applied.told, [])
    t.ok(await again.consensus.log([pin('c')], never) > revision)
    t.equal(await again.consensus.state.count(), 3)
  })
}
