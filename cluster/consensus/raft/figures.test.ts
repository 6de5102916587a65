import t from 'tap'
import { BusyTime, Histogram, LogAges, Transfers } from './figures.ts'

t.test('a histogram counts a value in each bucket that reaches it, the bound included', async t => {
  const histogram = new Histogram([1, 2, 4])
  for (const value of [1, 1.5, 2, 3, 9]) histogram.add(value)

  t.strictSame(histogram.status(), {
    count: 5, sum: 16.5, max: 9, atMost: [{ bound: 1, count: 1 }, { bound: 2, count: 3 }, { bound: 4, count: 4 }]
  })
})

t.test('the busy share is that of the last two windows: what was long ago no longer counts', async t => {
  const busy = new BusyTime(0)
  const work = (fromMs: number, toMs: number): void => { busy.begin(fromMs); busy.end(toMs) }

  work(0, 10_000)
  t.equal(busy.share(10_000), 1)
  work(19_000, 20_000)
  t.equal(busy.share(20_000), 0.1, 'only the window from the tenth second on')
  t.equal(busy.share(30_000), 0.05)
})

t.test('work that is under way counts, and what has not begun cannot end', async t => {
  const busy = new BusyTime(0)

  busy.end(1_000)
  t.equal(busy.share(1_000), 0)
  busy.begin(1_000)
  busy.begin(1_500)
  t.equal(busy.share(2_000), 0.5)
  busy.end(2_000)
  t.equal(busy.share(4_000), 0.25)
})

t.test('before any time has passed nobody was busy', async t => {
  t.equal(new BusyTime(5).share(5), 0)
})

t.test('transfers add up', async t => {
  const transfers = new Transfers()

  transfers.add(100, 500)
  transfers.add(50, 1_500)

  t.strictSame(transfers.status(), { count: 2, bytes: 150, seconds: 2 })
})

t.test('an entry is at least as old as the first mark that the log had reached it', async t => {
  const ages = new LogAges()
  ages.grown(10, 0)
  ages.grown(20, 60_000)
  ages.grown(25, 60_500)

  t.equal(ages.atLeastSeconds(5, 100_000), 100)
  t.equal(ages.atLeastSeconds(11, 100_000), 40)
  t.equal(ages.atLeastSeconds(21, 100_000), 0, 'less than a second after the last mark')
})

t.test('however long a log grows, its marks stay few and its ages right', async t => {
  const ages = new LogAges()
  for (let second = 0; second <= 100_000; second++) ages.grown(second, second * 1_000)

  const age = ages.atLeastSeconds(20_000, 100_000_000)

  t.ok(age <= 80_000 && age >= 76_000, `${age}`)
})
