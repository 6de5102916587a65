import t from 'tap'
import { RaftInvariantError } from './assert.ts'
import { emptyData } from './entries.ts'
import { createPrng } from './prng.ts'
import { Unstable } from './unstable.ts'
import type { Entry, Snapshot } from './types.ts'

const entry = (index: number, term: number): Entry => ({ term, index, type: 'EntryNormal', data: emptyData })
const run = (from: number, to: number, term: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term))
const snapshot = (index: number, term: number): Snapshot => ({
  meta: { index, term, confState: { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } },
  data: emptyData
})
const termsOf = (unstable: Unstable): number[] =>
  unstable.slice(unstable.offset, unstable.offset + unstable.length).map(({ term }) => term)

t.test('entries are handed out once, and again only if replaced', async t => {
  const unstable = new Unstable(5, undefined)
  unstable.truncateAndAppend(run(5, 7, 1))
  t.equal(unstable.nextEntries().length, 3)

  unstable.acceptInProgress()
  t.notOk(unstable.hasNextEntries)
  unstable.truncateAndAppend(run(7, 8, 2))

  t.strictSame(unstable.nextEntries().map(({ index, term }) => [index, term]), [[7, 2], [8, 2]])
  t.equal(unstable.offsetInProgress, 7)
})

t.test('what was handed out does not change when the tail is cut', async t => {
  const unstable = new Unstable(5, undefined)
  unstable.truncateAndAppend(run(5, 7, 1))
  const handedOut = unstable.nextEntries()

  unstable.truncateAndAppend(run(6, 6, 2))

  t.strictSame(handedOut.map(({ term }) => term), [1, 1, 1])
  t.strictSame(termsOf(unstable), [1, 2])
})

t.test('only entries that are still the same are let go as stable', async t => {
  const unstable = new Unstable(5, undefined)
  unstable.truncateAndAppend(run(5, 8, 1))
  unstable.acceptInProgress()
  unstable.truncateAndAppend(run(7, 8, 2))

  unstable.stableTo(8, 1)
  t.equal(unstable.length, 4, 'index 8 is another one by now')
  unstable.stableTo(6, 1)
  t.match(unstable, { offset: 7, length: 2 })
  unstable.stableTo(6, 1)
  unstable.stableTo(9, 2)
  t.match(unstable, { offset: 7, length: 2 })
})

t.test('entries before the offset replace everything', async t => {
  const unstable = new Unstable(5, undefined)
  unstable.truncateAndAppend(run(5, 8, 1))
  unstable.acceptInProgress()

  unstable.truncateAndAppend(run(3, 4, 2))

  t.match(unstable, { offset: 3, offsetInProgress: 3, length: 2 })
})

t.test('a gap is a bug', async t => {
  const unstable = new Unstable(5, undefined)

  t.throws(() => { unstable.truncateAndAppend(run(6, 6, 1)) }, RaftInvariantError)
  t.throws(() => unstable.slice(4, 5), RaftInvariantError)
})

t.test('a snapshot takes the place of all entries until it is stable', async t => {
  const unstable = new Unstable(5, undefined)
  unstable.truncateAndAppend(run(5, 8, 1))
  unstable.restore(snapshot(20, 3))

  t.match(unstable, { offset: 21, length: 0 })
  t.equal(unstable.lastIndex(), 20)
  t.equal(unstable.term(20), 3)
  t.equal(unstable.nextSnapshot?.meta.index, 20)
  unstable.acceptInProgress()
  t.equal(unstable.nextSnapshot, undefined)
  unstable.stableSnapshotTo(19)
  t.ok(unstable.snapshot)
  unstable.stableSnapshotTo(20)
  t.equal(unstable.snapshot, undefined)
})

t.test('against a plain array, 20,000 random steps', async t => {
  const random = createPrng(11)
  const unstable = new Unstable(1, undefined)
  let offset = 1
  let list: Entry[] = []
  let term = 1
  for (let step = 0; step < 20_000; step++) {
    const from = offset + random.below(list.length + 1)
    switch (random.below(4)) {
      case 0: term++; break
      case 1: {
        const added = run(from, from + random.below(5), term)
        unstable.truncateAndAppend(added)
        list = [...list.slice(0, from - offset), ...added]
        break
      }
      case 2: {
        const end = offset + list.length
        const added = run(end, end + random.below(200), term)
        unstable.truncateAndAppend(added)
        list.push(...added)
        break
      }
      default: {
        const last = list[random.below(list.length + 1)]
        if (last === undefined) break
        unstable.stableTo(last.index, last.term)
        list = list.slice(last.index + 1 - offset)
        offset = last.index + 1
      }
    }
    if (unstable.offset !== offset || unstable.length !== list.length || unstable.lastIndex() !== list.at(-1)?.index) {
      return t.fail(`differs at step ${step}`)
    }
  }
  t.strictSame(termsOf(unstable), list.map(({ term }) => term))
})
