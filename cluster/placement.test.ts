import t from 'tap'
import type { PeerId } from './api/pin.ts'
import { holdersNeeded, placePin } from './placement.ts'

const [a, b, c, d] = ['a', 'b', 'c', 'd'] as unknown as readonly [PeerId, PeerId, PeerId, PeerId]
const question = { self: b, peerset: [d, c, b, a], holders: [], wanted: [] }

t.test('who was wished for comes first, then this peer, then the others in order', async t => {
  t.strictSame(placePin({ ...question, replication: { min: 1, max: 4 }, wanted: [d] }), [d, b, a, c])
})

t.test('who is no member any more neither holds nor is wished for', async t => {
  const gone = 'gone' as PeerId

  t.strictSame(placePin({ ...question, replication: { min: 2, max: 2 }, holders: [gone, c], wanted: [gone] }), [c, b])
})

t.test('what goes everywhere is allocated to nobody in particular', async t => {
  t.strictSame(placePin({ ...question, replication: 'everywhere' }), [])
})

t.test('for what goes everywhere a majority is enough', async t => {
  t.strictSame([1, 2, 3, 4, 5].map(size => holdersNeeded('everywhere', Array.from({ length: size }, () => a))), [1, 2, 2, 3, 3])
  t.equal(holdersNeeded({ min: 2, max: 3 }, [a, b, c]), 2)
})
