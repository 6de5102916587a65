import t from 'tap'
import type { Measurement } from '../api/metric.ts'
import { FakeClock } from '../clock.ts'
import { silentLogger } from '../log.ts'
import { createPublisher } from './publisher.ts'

const { signal } = new AbortController()
const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve))
const informerOf = (isValid: () => boolean) => ({
  name: 'x',
  ttlMs: 4_000,
  measure: async (): Promise<readonly Measurement[]> => [{ name: 'x', value: '', weight: 0, isValid: isValid(), isPartitionable: false, ttlMs: 4_000 }]
})

t.test('the first measurements are with the others before the start is over', async t => {
  const told = Promise.withResolvers<void>()
  let isStarted = false
  await using publisher = createPublisher({ informers: [informerOf(() => true)], monitor: { publish: async () => await told.promise }, clock: new FakeClock(), log: silentLogger })

  const starting = publisher.start({ signal }).then(() => { isStarted = true })
  await turn()
  t.equal(isStarted, false)
  told.resolve()

  await starting
})

t.test('it measures twice in the time a measurement is good for, and more often while it fails', async t => {
  const clock = new FakeClock()
  let isValid = true
  const published: number[] = []
  await using publisher = createPublisher({ informers: [informerOf(() => isValid)], monitor: { async publish () { published.push(clock.now()) } }, clock, log: silentLogger })
  await publisher.start({ signal })

  for (let second = 1; second <= 8; second++) {
    if (second === 4) isValid = false
    clock.advance(1_000)
    await turn()
  }

  t.strictSame(published, [0, 2_000, 4_000, 5_000, 6_000, 7_000, 8_000])
})

t.test('what measuring takes is part of the period', async t => {
  const clock = new FakeClock()
  const slow = { ...informerOf(() => true), async measure () { clock.advance(500); return await informerOf(() => true).measure() } }
  const published: number[] = []
  await using publisher = createPublisher({ informers: [slow], monitor: { async publish () { published.push(clock.now()) } }, clock, log: silentLogger })
  await publisher.start({ signal })

  while (clock.now() < 8_000) {
    clock.advance(500)
    await turn()
  }

  t.strictSame(published, [500, 2_500, 4_500, 6_500, 8_500])
})

t.test('peers that are slow to be told do not hold up the next measurement', async t => {
  const clock = new FakeClock()
  const slow = Promise.withResolvers<void>()
  let published = 0
  const publisher = createPublisher({ informers: [informerOf(() => true)], monitor: { async publish () { if (published++ > 0) await slow.promise } }, clock, log: silentLogger })
  await publisher.start({ signal })

  for (let round = 0; round < 3; round++) {
    clock.advance(2_000)
    await turn()
  }

  t.equal(published, 4)
  slow.resolve()
  await publisher[Symbol.asyncDispose]()
})
