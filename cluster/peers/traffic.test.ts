import t from 'tap'
import { FakeClock } from '../clock.ts'
import { createTrafficMeter } from './traffic.ts'

t.test('what goes over a protocol is summed, and its rate fades when nothing more comes', async t => {
  const clock = new FakeClock()
  const meter = createTrafficMeter(clock)
  const counter = meter.counter('/a')

  for (let second = 0; second < 100; second++) {
    counter.received(500)
    meter.counter('/a').sent(1_000)
    clock.advance(1_000)
  }
  const busy = meter.read().get('/a')!
  clock.advance(60_000)
  const quiet = meter.read().get('/a')!

  t.match(busy, { totalIn: 50_000, totalOut: 100_000 })
  t.ok(Math.abs(busy.rateIn - 500) < 50, `${busy.rateIn} bytes a second`)
  t.match(quiet, { totalIn: 50_000 })
  t.ok(quiet.rateIn < 5, `${quiet.rateIn} bytes a second`)
})

t.test('protocols are counted each for itself, and none is there before it is used', async t => {
  const meter = createTrafficMeter(new FakeClock())
  t.equal(meter.read().size, 0)

  meter.counter('/a').sent(1)
  meter.counter('/b').sent(2)

  t.strictSame([...meter.read()].map(([protocol, { totalOut }]) => [protocol, totalOut]), [['/a', 1], ['/b', 2]])
})
