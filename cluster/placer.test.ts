import t from 'tap'
import { createBalancedAllocator } from './allocator/balanced.ts'
import type { Metric } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import { createPlacer } from './placer.ts'
import type { PlacementWish, Placer } from './placer.ts'

/** What a pin that waits is taken to need. */
const share = 256 << 10
const names = ['a', 'b', 'c', 'd'] as unknown as readonly PeerId[]
const [a, b, c, d] = names as [PeerId, PeerId, PeerId, PeerId]
const gone = 'gone' as PeerId

/** What a peer says of itself; what is absent it does not say. */
interface Facts { readonly silent?: boolean, readonly group?: string, readonly freespace?: number | 'no answer', readonly queued?: number, readonly atMs?: number }

/** A placer among four peers, each with a ping and 100 shares free unless said otherwise. `facts` may be changed. */
function placerOver (facts: Partial<Record<string, Facts>>, allocateBy: readonly string[] = ['freespace'], draining: readonly PeerId[] = [], unanswering: readonly PeerId[] = []): Placer {
  const kept = new Map<string, Metric>()
  /** The same object until it is renewed, as with a monitor. */
  const keep = (metric: Metric): Metric => kept.get(JSON.stringify(metric)) ?? kept.set(JSON.stringify(metric), metric).get(JSON.stringify(metric))!
  const metricOf = (name: string, peer: PeerId): readonly Metric[] => {
    const { silent = false, group, freespace = 100 * share, queued, atMs = 0 } = facts[peer] ?? {}
    const base = { name, peer, weight: 0, isValid: true, isPartitionable: false, receivedAtMs: atMs, expireAtMs: Infinity, value: '' }
    if (name === 'ping') return silent ? [] : [base]
    if (name === 'freespace') return freespace === 'no answer' ? [{ ...base, isValid: false, value: 'no answer' }] : [{ ...base, value: String(freespace), weight: freespace }]
    if (name === 'pinqueue') return queued === undefined ? [] : [{ ...base, value: String(queued) }]
    return name === 'tag:group' && group !== undefined ? [{ ...base, value: group, isPartitionable: true }] : []
  }
  return createPlacer({ self: a, peerset: () => names, draining: () => new Set(draining), silent: () => new Set(unanswering), monitor: { latest: name => names.flatMap(peer => metricOf(name, peer)).map(keep) }, allocator: createBalancedAllocator({ allocateBy }) })
}
const wish = (given: Partial<PlacementWish> = {}): PlacementWish => ({ replication: { min: 2, max: 2 }, holders: [], wanted: [], ...given })

t.test('who has most space is given it', async t => {
  const placer = placerOver({ c: { freespace: 300 * share }, b: { freespace: 200 * share } })

  t.strictSame(placer.place(wish()), [c, b])
})

t.test('who is being drained is given nothing, and keeps what it has until somebody has it instead', async t => {
  const placer = placerOver({ c: { freespace: 300 * share } }, ['freespace'], [c])

  t.strictSame(placer.place(wish()), [a, b])
  t.strictSame(placer.place(wish({ holders: [c, d] })), [c, d])
  t.match(placer.explain(wish()).find(({ peer }) => peer === c), { isChosen: false, why: 'draining' })
})

t.test('who does not answer, or has just turned out not to be there, is given nothing though what it last said holds; what it has counts', async t => {
  const placer = placerOver({ c: { freespace: 300 * share }, b: { freespace: 200 * share } }, ['freespace'], [], [c])

  t.strictSame(placer.place(wish()), [b, a])
  t.strictSame(placer.place(wish({ without: [b] })), [d, a])
  t.strictSame(placer.place(wish({ holders: [c, d] })), [c, d])
  t.match(placer.explain(wish()).find(({ peer }) => peer === c), { isChosen: false, why: 'silent' })
})

t.test('groups are spread over, and so is what a holder leaves to be added', async t => {
  const groups = { a: { group: 'x' }, b: { group: 'x', freespace: 900 * share }, c: { group: 'y' }, d: { group: 'y' } }
  const placer = placerOver(groups, ['tag:group', 'freespace'])

  t.strictSame(placer.place(wish()), [b, c])
  t.strictSame(placer.place(wish({ holders: [d] })), [d, b])
})

t.test('what is added to those wished for lies apart from them', async t => {
  const placer = placerOver({ a: { group: 'x', freespace: 900 * share }, b: { group: 'x' }, c: { group: 'y' }, d: { group: 'y' } }, ['tag:group', 'freespace'])

  t.strictSame(placer.place(wish({ wanted: [b] })), [b, c])
})

t.test('who was wished for comes first, but not when it has no room', async t => {
  const placer = placerOver({ d: { freespace: 0 } })

  t.strictSame(placer.place(wish({ wanted: [d, gone, c] })), [c, a])
})

t.test('who is silent, does not answer for its daemon or is full is given nothing, and the refusal has both numbers and each reason', async t => {
  const placer = placerOver({ a: { silent: true }, b: { freespace: 'no answer' }, c: { freespace: 0 }, d: { silent: true } })

  t.throws(() => placer.place(wish({ replication: { min: 1, max: 1 }, wanted: [gone] })), {
    code: 'ERR_NOT_ENOUGH_PEERS',
    needed: 1,
    available: 0,
    message: 'not enough peers to allocate: needed 1, available 0; left out: gone: not-a-member; a: silent; b: unmeasured, freespace: no answer; c: full, 0 bytes are free and 0 pins wait; d: silent'
  })
  t.match(placer.explain(wish()), [
    { peer: a, isChosen: false, why: 'silent' },
    { peer: b, isChosen: false, why: 'unmeasured', detail: 'freespace: no answer' },
    { peer: c, isChosen: false, why: 'full', detail: '0 bytes are free and 0 pins wait' },
    { peer: d, isChosen: false, why: 'silent' }
  ])
})

t.test('where all peers are well and still too few, the refusal says how many there are; a holder that is silent is named', async t => {
  t.throws(() => placerOver({}).place(wish({ replication: { min: 5, max: 6 } })), { message: 'not enough peers to allocate: needed 5, available 4; the cluster has 4 peers' })
  t.throws(() => placerOver({ d: { silent: true } }).place(wish({ replication: { min: 4, max: 4 }, holders: [d, a] })), { needed: 4, available: 3, message: /needed 4, available 3; left out: d: silent$/ })
})

t.test('a peer that lacks the metric of one tag is no candidate where that tag decides', async t => {
  const placer = placerOver({ a: { group: 'x' } }, ['tag:group'])

  t.match(placer.explain(wish()).find(({ peer }) => peer === b), { why: 'unmeasured', detail: 'tag:group is not known' })
  t.strictSame(placer.place(wish({ replication: { min: 1, max: 3 } })), [a])
})

t.test('free space is kept for what waits already', async t => {
  const placer = placerOver({ a: { freespace: 5 * share, queued: 5 }, b: { freespace: 6 * share, queued: 1 }, c: { freespace: 7 * share, queued: 4 }, d: { freespace: 1 * share, queued: 0 } })

  t.strictSame(placer.place(wish({ replication: { min: 1, max: 4 } })), [b, c, d], 'five, three and one are left; a has none')
})

t.test('what was given lately counts until the peer has measured again', async t => {
  const facts: Record<string, Facts> = { a: { freespace: 3 * share + 2 }, b: { freespace: 3 * share + 1 }, c: { freespace: 0 }, d: { freespace: 0 } }
  const placer = placerOver(facts)
  const one = wish({ replication: { min: 1, max: 1 } })

  const chosen = Array.from({ length: 8 }, () => { try { return placer.place(one)[0] } catch { return undefined } })

  t.strictSame(chosen, [a, b, a, b, a, b, a, b], 'the peer with most left, again and again')
  t.throws(() => placer.place(one), { code: 'ERR_NOT_ENOUGH_PEERS' })
  facts.a = { freespace: 3 * share, atMs: 1 }
  t.strictSame(placer.place(one), [a])
})

t.test('who holds it keeps it, full or not, and nothing is written when nothing changes', async t => {
  const placer = placerOver({ c: { freespace: 0 }, d: { silent: true } })

  t.strictSame(placer.place(wish({ holders: [d, c, b], replication: { min: 2, max: 3 } })), [d, c, b])
})

t.test('a copy of a peer that is silent or gone does not count', async t => {
  const facts = { d: { silent: true } }

  t.strictSame(placerOver(facts).place(wish({ holders: [d, c] })), [c, a])
  t.strictSame(placerOver(facts).place(wish({ holders: [gone, c] })), [c, a])
})

t.test('of too many holders the worst are let go, but those that are wished for stay', async t => {
  const placer = placerOver({ b: { freespace: 900 * share }, c: { freespace: 800 * share }, d: { freespace: 0 } })

  t.strictSame(placer.place(wish({ holders: [d, a, b, c] })), [b, c])
  t.strictSame(placer.place(wish({ holders: [d, a, b, c], wanted: [d] })), [d, b])
})

t.test('whose daemon has the content already needs no room for it, but has to be there', async t => {
  const facts = { a: { freespace: 0 }, b: { silent: true } }

  t.strictSame(placerOver(facts).place(wish({ wanted: [a, b], inPlace: [a, b] })), [a, c])
  t.strictSame(placerOver(facts).place(wish({ wanted: [a] })), [c, d])
})

t.test('what goes everywhere asks nobody', async t => {
  const placer = placerOver({ a: { silent: true } })

  t.strictSame(placer.place(wish({ replication: 'everywhere' })), [])
  t.ok(placer.explain(wish({ replication: 'everywhere' })).every(({ isChosen, why }) => isChosen && why === 'everywhere'))
})

t.test('each choice can be explained, those chosen first, and explaining gives nobody anything', async t => {
  const placer = placerOver({ d: { freespace: 900 * share } })
  const question = wish({ replication: { min: 1, max: 3 }, holders: [gone], wanted: [c] })

  const reasons = placer.explain(question)

  t.strictSame(reasons.map(({ peer, isChosen, why }) => [peer, isChosen, why]), [
    [c, true, 'wished'], [d, true, 'ranked'], [a, true, 'ranked'], [gone, false, 'not-a-member'], [b, false, 'not-needed']
  ])
  t.equal(reasons[1]!.detail, `freespace ${900 * share}`)
  t.strictSame(placer.explain(question), reasons)
})
