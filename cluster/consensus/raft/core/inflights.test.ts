import t from 'tap'
import { RaftInvariantError } from './assert.ts'
import { Inflights } from './inflights.ts'
import { createPrng } from './prng.ts'

t.test('the window is full by messages or by bytes, whichever comes first', async t => {
  const byCount = new Inflights(2, Infinity)
  byCount.add(1, 10)
  t.notOk(byCount.full)
  byCount.add(2, 10)
  t.ok(byCount.full)

  const byBytes = new Inflights(9, 15)
  byBytes.add(1, 10)
  t.notOk(byBytes.full, 'one more message may cross the bound')
  byBytes.add(2, 10)
  t.ok(byBytes.full)
})

t.test('nothing is added to a full window, nor out of order', async t => {
  const full = new Inflights(1, Infinity)
  full.add(5, 0)
  t.throws(() => { full.add(6, 0) }, RaftInvariantError)

  const window = new Inflights(3, Infinity)
  window.add(5, 0)
  t.throws(() => { window.add(4, 0) }, RaftInvariantError)
})

t.test('against a plain list, 20,000 random steps', async t => {
  const random = createPrng(5)
  const window = new Inflights(37, 500)
  let list: Array<{ index: number, bytes: number }> = []
  let last = 0
  for (let step = 0; step < 20_000; step++) {
    if (random.below(3) > 0 && !window.full) {
      last += random.below(3)
      const bytes = random.below(40)
      window.add(last, bytes)
      list.push({ index: last, bytes })
    } else {
      const upTo = random.below(last + 2)
      window.freeUpTo(upTo)
      list = list.filter(({ index }) => index > upTo)
    }
    const bytes = list.reduce((sum, item) => sum + item.bytes, 0)
    if (window.count !== list.length || window.bytes !== bytes || window.full !== (list.length >= 37 || bytes >= 500)) {
      return t.fail(`differs at step ${step}`)
    }
  }
  t.ok(last > 0)
})

t.test('appends are counted as they leave, and freed from the oldest on, also round the ring\'s end', async t => {
  const window = new Inflights(10, Infinity)
  for (let index = 0; index < 10; index++) window.add(index, 100 + index)
  t.match(window, { count: 10, bytes: 1_045, full: true })
  for (const [upTo, count, bytes] of [[0, 9, 945], [4, 5, 535], [4, 5, 535], [8, 1, 109]] as const) {
    window.freeUpTo(upTo)
    t.match(window, { count, bytes, full: false }, `up to ${upTo}`)
  }
  for (let index = 10; index < 15; index++) window.add(index, 100 + index)
  t.match(window, { count: 6, bytes: 669 })
  window.freeUpTo(12)
  t.match(window, { count: 2, bytes: 227 })
  window.freeUpTo(14)
  t.match(window, { count: 0, bytes: 0 })
})

t.test('a reset window is empty, and takes what comes as the first', async t => {
  const window = new Inflights(3, 1_000)
  for (const index of [2, 3, 4]) window.add(index, 10)
  window.reset()
  t.match(window, { count: 0, bytes: 0, full: false })
  window.add(1, 5)

  t.match(window, { count: 1, bytes: 5 })
})
