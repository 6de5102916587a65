import t from 'tap'
import { RaftInvariantError } from './assert.ts'
import { createPrng } from './prng.ts'

const first = (seed: number, count: number): readonly number[] => {
  const random = createPrng(seed)
  return Array.from({ length: count }, () => random.below(1_000_000))
}

t.test('equal seeds give equal numbers, others others', async t => {
  t.strictSame(first(42, 100), first(42, 100))
  t.notSame(first(42, 5), first(43, 5))
  t.notSame(first(2 ** 40, 5), first(0, 5), 'high bits of a seed count too')
})

t.test('a seed of nothing is a seed like any other', async t => {
  for (const seed of [0, 1, 2]) t.ok(new Set(first(seed, 100)).size > 95, `seed ${seed}`)
  t.equal(first(0, 100).filter((value, at) => value === first(1, 100)[at]).length, 0)
})

t.test('all values of a range come, about equally often', async t => {
  const random = createPrng(1)
  const counts = Array<number>(10).fill(0)
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++

  t.ok(counts.every(count => Math.abs(count - 10_000) < 500), counts.join(' '))
})

t.test('an empty range has nothing to give', async t => {
  t.throws(() => createPrng(1).below(0), RaftInvariantError)
  t.throws(() => createPrng(0.5), RaftInvariantError)
})
