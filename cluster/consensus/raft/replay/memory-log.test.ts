import t from 'tap'
import { emptyData, entryBytes } from '../core/entries.ts'
import { MemoryLog, StorageRefusal } from './memory-log.ts'
import type { Entry, Index, Snapshot, Term } from '../core/types.ts'

const run = (from: Index, ...terms: readonly Term[]): readonly Entry[] => terms.map((term, at) => ({ term, index: from + at, type: 'EntryNormal', data: emptyData }))
const snapshotAt = (index: Index, term: Term): Snapshot =>
  ({ meta: { index, term, confState: { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: emptyData })

/** Starts behind a snapshot at 3, of term 3, with the entries 4 and 5 of terms 4 and 5. */
function logOf (): MemoryLog {
  const log = new MemoryLog(() => snapshotAt(3, 3))
  log.applySnapshot(snapshotAt(3, 3))
  log.append(run(4, 4, 5))
  return log
}
const termsOf = (log: MemoryLog): unknown => {
  const entries = log.entries(log.firstIndex(), log.lastIndex() + 1, Infinity)
  return typeof entries === 'string' ? entries : entries.map(({ term }) => term)
}

t.test('terms are known from the last compacted entry to the last one', async t => {
  t.strictSame([2, 3, 4, 5, 6].map(index => logOf().term(index)), ['compacted', 3, 4, 5, 'unavailable'])
})

t.test('entries are given as asked for, cut at the bound, one at least; compacted ones are not there', async t => {
  const log = logOf()
  log.append(run(6, 6))
  const size = entryBytes(run(4, 4)[0]!)
  for (const [lo, hi, max, expected] of [
    [4, 5, Infinity, [4]], [4, 6, Infinity, [4, 5]], [4, 7, Infinity, [4, 5, 6]],
    [4, 7, 0, [4]], [4, 7, 2 * size, [4, 5]], [4, 7, 3 * size - 1, [4, 5]], [4, 7, 3 * size, [4, 5, 6]]
  ] as const) t.strictSame((log.entries(lo, hi, max) as readonly Entry[]).map(({ index }) => index), expected)

  for (const lo of [2, 3]) t.equal(log.entries(lo, 6, Infinity), 'compacted')
})

t.test('the first index moves with compaction, the last with what is appended', async t => {
  const log = logOf()
  t.strictSame([log.firstIndex(), log.lastIndex()], [4, 5])
  log.append(run(6, 5))
  log.compact(4)

  t.strictSame([log.firstIndex(), log.lastIndex()], [5, 6])
})

t.test('compaction leaves the term of the last entry it takes, and is never undone', async t => {
  for (const [to, first, term, length] of [[4, 5, 4, 1], [5, 6, 5, 0]] as const) {
    const log = logOf()
    log.compact(to)

    t.strictSame([log.firstIndex(), log.term(to), log.lastIndex() - log.firstIndex() + 1], [first, term, length])
  }
  for (const to of [2, 3]) t.throws(() => { logOf().compact(to) }, StorageRefusal)
})

t.test('appending replaces what follows the first new entry, and leaves out what is compacted', async t => {
  for (const [entries, terms] of [
    [run(1, 1, 2), [4, 5]], [run(3, 3, 4, 5), [4, 5]], [run(3, 3, 6, 6), [6, 6]], [run(3, 3, 4, 5, 5), [4, 5, 5]],
    [run(2, 3, 3, 5), [5]], [run(4, 5), [5]], [run(6, 5), [4, 5, 5]]
  ] as const) {
    const log = logOf()
    log.append(entries)

    t.strictSame(termsOf(log), terms)
  }
  t.throws(() => { logOf().append(run(7, 5)) }, RangeError, 'a gap')
})

t.test('a newer snapshot takes the place of everything, an older one is refused', async t => {
  const log = logOf()
  log.applySnapshot(snapshotAt(9, 7))
  t.strictSame([log.firstIndex(), log.lastIndex(), log.term(9)], [10, 9, 7])

  t.throws(() => { log.applySnapshot(snapshotAt(3, 3)) }, StorageRefusal)
})
