import t from 'tap'
import { RoundTrip } from './round-trip.ts'

t.test('a link is asked once a second, and not again before it has answered', async t => {
  const link = new RoundTrip()

  t.equal(link.asks(0), true)
  t.equal(link.asks(5_000), false)
  link.answered(5_040)
  t.equal(link.lastMs, 5_040)
  t.equal(link.asks(5_040), true)
  link.answered(5_043)
  t.equal(link.asks(5_900), false)
  t.equal(link.lastMs, 3)
})

t.test('an answer nobody asked for says nothing', async t => {
  const link = new RoundTrip()

  link.answered(7)

  t.equal(link.lastMs, undefined)
})

t.test('a link that broke is asked at once when there is another', async t => {
  const link = new RoundTrip()
  link.asks(0)

  link.broken()
  link.answered(10)

  t.equal(link.lastMs, undefined)
  t.equal(link.asks(20), true)
})
