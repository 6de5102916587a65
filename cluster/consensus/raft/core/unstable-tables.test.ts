import t from 'tap'
import { emptyData } from './entries.ts'
import { Unstable } from './unstable.ts'
import type { Entry, Index, Snapshot, Term } from './types.ts'

const run = (from: Index, ...terms: readonly Term[]): readonly Entry[] =>
  terms.map((term, at) => ({ term, index: from + at, type: 'EntryNormal', data: emptyData }))
const snapshot = (index: Index, term: Term): Snapshot =>
  ({ meta: { index, term, confState: { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: emptyData })

interface Start {
  /** A snapshot before the entries, or nothing. */
  readonly after?: readonly [Index, Term]
  readonly from?: Index
  readonly terms?: readonly Term[]
  /** So many of the entries, and the snapshot, have been handed out. */
  readonly out?: number
}

function unstableOf ({ after, from = after === undefined ? 5 : after[0] + 1, terms = [], out = 0 }: Start): Unstable {
  const unstable = new Unstable(from, undefined)
  if (after !== undefined) unstable.restore(snapshot(...after))
  if (out > 0) unstable.truncateAndAppend(run(from, ...terms.slice(0, out)))
  if (out > 0) unstable.acceptInProgress()
  if (out < terms.length) unstable.truncateAndAppend(run(from + out, ...terms.slice(out)))
  return unstable
}

function stateOf (unstable: Unstable): readonly [Index, Index, readonly Term[]] {
  const { offset, offsetInProgress, length } = unstable
  return [offset, offsetInProgress, unstable.slice(offset, offset + length).map(({ term }) => term)]
}

t.test('the last index is that of the last entry, else of the snapshot, else unknown', async t => {
  for (const [start, last] of [
    [{}, undefined], [{ terms: [1] }, 5], [{ terms: [1, 1] }, 6], [{ after: [4, 1] }, 4], [{ after: [4, 1], terms: [1] }, 5]
  ] as const) t.equal(unstableOf(start).lastIndex(), last, JSON.stringify(start))
})

t.test('terms are known of what is here, the snapshot included, and of nothing else', async t => {
  for (const [start, index, term] of [
    [{ terms: [2] }, 5, 2], [{ terms: [2] }, 6, undefined], [{ terms: [2] }, 4, undefined],
    [{ after: [4, 1], terms: [2] }, 5, 2], [{ after: [4, 1], terms: [2] }, 6, undefined],
    [{ after: [4, 1], terms: [2] }, 4, 1], [{ after: [4, 1], terms: [2] }, 3, undefined],
    [{ after: [4, 1] }, 5, undefined], [{ after: [4, 1] }, 4, 1], [{}, 5, undefined]
  ] as const) t.equal(unstableOf(start).term(index), term, `${JSON.stringify(start)} at ${index}`)
})

t.test('what is to be written next is what has not been handed out', async t => {
  for (const [terms, out, expected] of [[[1, 1], 0, [5, 6]], [[1, 1], 1, [6]], [[1, 1], 2, []], [[], 0, []]] as const) {
    const unstable = unstableOf({ terms, out })

    t.strictSame(unstable.nextEntries().map(({ index }) => index), expected)
    t.equal(unstable.hasNextEntries, expected.length > 0)
  }
})

t.test('handing out moves the mark to the end, and covers the snapshot', async t => {
  for (const [start, inProgress] of [
    [{}, 5], [{ terms: [1] }, 6], [{ terms: [1, 1] }, 7], [{ terms: [1, 1], out: 1 }, 7], [{ terms: [1, 1], out: 2 }, 7],
    [{ after: [4, 1] }, 5], [{ after: [4, 1], terms: [1, 1] }, 7], [{ after: [4, 1], terms: [1, 1], out: 1 }, 7]
  ] as const) {
    const unstable = unstableOf(start)
    unstable.acceptInProgress()

    t.equal(unstable.offsetInProgress, inProgress, JSON.stringify(start))
    t.equal(unstable.nextSnapshot, undefined)
    t.strictSame(unstable.nextEntries(), [])
  }
})

t.test('what is stable goes, if it is the same entry, and what is behind it stays', async t => {
  for (const after of [undefined, [4, 1]] as const) {
    for (const [terms, out, index, term, state] of [
      [[], 0, 5, 1, [5, 5, []]],
      [[1], 1, 5, 1, [6, 6, []]],
      [[1, 1], 1, 5, 1, [6, 6, [1]]],
      [[1, 1], 2, 5, 1, [6, 7, [1]]],
      [[1, 1, 1], 3, 6, 1, [7, 8, [1]]],
      [[2], 1, 5, 1, [5, 6, [2]]],
      [[1], 1, 4, 1, [5, 6, [1]]],
      [[1], 1, 3, 1, [5, 6, [1]]],
      [[1], 1, 6, 1, [5, 6, [1]]]
    ] as const) {
      const unstable = unstableOf(after === undefined ? { terms, out } : { after, terms, out })
      unstable.stableTo(index, term)

      t.strictSame(stateOf(unstable), state, `${index}/${term} of ${terms.join(' ')}, ${after === undefined ? 'no' : 'a'} snapshot`)
      t.equal(unstable.snapshot?.meta.index, after?.[0], 'a snapshot is not an entry')
    }
  }
})

t.test('new entries are put behind, cut into, or take the place of what is here', async t => {
  for (const [terms, out, from, added, state] of [
    [[1], 0, 6, [1, 1], [5, 5, [1, 1, 1]]],
    [[1], 1, 6, [1, 1], [5, 6, [1, 1, 1]]],
    [[1], 0, 5, [2, 2], [5, 5, [2, 2]]],
    [[1], 0, 4, [2, 2, 2], [4, 4, [2, 2, 2]]],
    [[1], 1, 5, [2, 2], [5, 5, [2, 2]]],
    [[1, 1, 1], 0, 6, [2], [5, 5, [1, 2]]],
    [[1, 1, 1], 0, 7, [2, 2], [5, 5, [1, 1, 2, 2]]],
    [[1, 1, 1], 1, 6, [2], [5, 6, [1, 2]]],
    [[1, 1, 1], 2, 6, [2], [5, 6, [1, 2]]],
    [[1, 1, 1], 3, 7, [2], [5, 7, [1, 1, 2]]]
  ] as const) {
    const unstable = unstableOf({ terms, out })
    unstable.truncateAndAppend(run(from, ...added))

    t.strictSame(stateOf(unstable), state, `${added.join(' ')} at ${from} over ${terms.join(' ')}, ${out} out`)
  }
})
