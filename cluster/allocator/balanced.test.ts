import t from 'tap'
import type { MeasuredPeer, Metric } from '../api/metric.ts'
import type { PeerId } from '../api/pin.ts'
import { createBalancedAllocator } from './balanced.ts'
import { balancedSection } from './config.ts'

/** `{ region: 'eu', freespace: 400 }`: a text is a tag, a number weighs. */
function measured (peer: string, facts: Readonly<Record<string, string | number>>): MeasuredPeer {
  const metrics = Object.entries(facts).map(([name, fact]): [string, Metric] => [name, {
    name, peer: peer as PeerId, value: String(fact), weight: typeof fact === 'number' ? fact : 0, isValid: true, isPartitionable: typeof fact === 'string', receivedAtMs: 0, expireAtMs: 1
  }])
  return { peer: peer as PeerId, metrics: new Map(metrics) }
}
const order = (allocateBy: readonly string[], candidates: readonly MeasuredPeer[], holders: readonly MeasuredPeer[] = []): string => createBalancedAllocator({ allocateBy }).order(candidates, holders).join(' ')

const world = [
  measured('1', { region: 'us', az: 'us1', freespace: 100 }),
  measured('2', { region: 'us', az: 'us2', freespace: 500 }),
  measured('3', { region: 'eu', az: 'eu1', freespace: 200 }),
  measured('4', { region: 'eu', az: 'eu1', freespace: 400 }),
  measured('5', { region: 'eu', az: 'eu2', freespace: 10 }),
  measured('6', { region: 'au', az: 'au1', freespace: 50 }),
  measured('7', { region: 'au', az: 'au1', freespace: 600 })
]
const byPlace = ['region', 'az', 'freespace']

t.test('each region gives its best in turn, the one with most space first, and within it each zone', async t => {
  t.equal(order(byPlace, world), '7 4 2 6 5 1 3')
})

t.test('the order is the same however the peers are listed', async t => {
  t.equal(order(byPlace, [...world].reverse()), order(byPlace, world))
})

t.test('what lies apart from those that hold it comes first', async t => {
  const [one, two, three, four, five, six, seven] = world as [MeasuredPeer, MeasuredPeer, MeasuredPeer, MeasuredPeer, MeasuredPeer, MeasuredPeer, MeasuredPeer]

  t.equal(order(byPlace, [one, two, three, five, six], [four, seven]), '2 1 5 6 3', 'the region without a holder, then the zones without one')
})

t.test('a metric that groups nobody orders by itself, and a tie goes to the next one', async t => {
  const queued = [measured('a', { pinqueue: -1, freespace: 900 }), measured('b', { pinqueue: 0, freespace: 1 }), measured('c', { pinqueue: 0, freespace: 2 })]

  t.equal(order(['pinqueue', 'freespace'], queued), 'c b a')
})

t.test('peers that are alike in all go by their ids', async t => {
  t.equal(order(['freespace'], [measured('c', { freespace: 1 }), measured('a', { freespace: 1 }), measured('b', { freespace: 1 })]), 'a b c')
  t.equal(order(['region'], [measured('b', { region: 'x' }), measured('a', { region: 'x' })]), 'a b')
})

t.test('nobody is ordered as nobody', async t => {
  t.equal(order(byPlace, []), '')
})

t.test('what it goes by is what the Go program goes by, and what no peer measures is refused', async t => {
  t.strictSame(balancedSection({}, {}).allocateBy, ['tag:group', 'freespace'])
  t.strictSame(balancedSection({}, { CLUSTER_BALANCED_ALLOCATEBY: 'tag:region,pinqueue' }).allocateBy, ['tag:region', 'pinqueue'])
  t.throws(() => balancedSection({ allocate_by: ['free_space'] }, {}), { code: 'ERR_INVALID_ARGUMENT', message: /allocator\.balanced\.allocate_by: expected names of metrics/ })
  t.throws(() => balancedSection({ allocate_by: [] }, {}), { message: /at least one metric/ })
  t.throws(() => balancedSection({ allocate_by: ['freespace', 'freespace'] }, {}), { message: /each metric once/ })
})
