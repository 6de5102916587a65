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
