import t from 'tap'
import { MemoryLog } from '../replay/memory-log.ts'
import { RaftInvariantError } from './assert.ts'
import { emptyData, entryBytes } from './entries.ts'
import { RaftLog } from './log.ts'
import type { Entry, Index, Snapshot, Term } from './types.ts'

const run = (from: Index, ...terms: readonly Term[]): readonly Entry[] =>
  terms.map((term, at) => ({ term, index: from + at, type: 'EntryNormal', data: emptyData }))
const noSnapshot = (): never => { throw new Error('none') }
const snapshot = (index: Index, term: Term): Snapshot =>
  ({ meta: { index, term, confState: { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: emptyData })

/** Terms by index from 1; the first `stable` ones in storage, which forgets those up to `compacted`. */
function logOf (terms: readonly Term[], { stable = terms.length, compacted = 0 } = {}): RaftLog {
  const reader = new MemoryLog(noSnapshot)
  reader.append(run(1, ...terms.slice(0, stable)))
  if (compacted > 0) reader.compact(compacted)
  const log = new RaftLog(reader, Infinity, undefined)
  log.append(run(1, ...terms), stable)
  return log
}
const termsOf = (log: RaftLog): readonly Term[] => (log.slice(log.firstIndex(), log.lastIndex() + 1, Infinity) as readonly Entry[]).map(({ term }) => term)

t.test('of an append only what is new or differs is written', async t => {
  for (const [from, terms, written] of [
    [1, [1], []], [1, [1, 2], []], [1, [1, 2, 2], []], [2, [2, 2], []], [3, [2], []],
    [1, [1, 2, 2, 4], [4]], [3, [2, 4, 4], [4, 5]], [4, [4], [4]],
    [1, [1, 3], [2]], [2, [2, 3], [3]], [1, [1, 2, 3, 4], [3, 4]]
  ] as const) {
    const log = logOf([1, 2, 2])
    log.tryAppend(from - 1, log.term(from - 1) as Term, run(from, ...terms), 0)

    t.strictSame(log.unstable.nextEntries().map(({ index }) => index), written, `${terms.join(' ')} at ${from}`)
  }
})

t.test('appending gives the whole log, and writes from the first entry that changed', async t => {
  for (const [from, added, terms, offset] of [
    [3, [], [1, 2], 3], [3, [2], [1, 2, 2], 3], [1, [2], [2], 1], [2, [3, 3], [1, 3, 3], 2]
  ] as const) {
    const log = logOf([1, 2])
    log.append(run(from, ...added))

    t.strictSame(termsOf(log), terms)
    t.equal(log.unstable.offset, offset)
  }
})

t.test('an append is taken where the logs agree, commits what it proves, and never cuts what is committed', async t => {
  // Our log has terms 1 2 3, index 1 of which is committed.
  for (const [prevTerm, prev, added, told, last, commit, terms] of [
    [2, 3, [4], 3, undefined, 1, [1, 2, 3]],
    [3, 4, [4], 3, undefined, 1, [1, 2, 3]],
    [3, 3, [], 3, 3, 3, [1, 2, 3]],
    [3, 3, [], 4, 3, 3, [1, 2, 3]],
    [3, 3, [], 2, 3, 2, [1, 2, 3]],
    [3, 3, [], 0, 3, 1, [1, 2, 3]],
    [0, 0, [], 3, 0, 1, [1, 2, 3]],
    [3, 3, [4], 3, 4, 3, [1, 2, 3, 4]],
    [3, 3, [4], 4, 4, 4, [1, 2, 3, 4]],
    [3, 3, [4], 5, 4, 4, [1, 2, 3, 4]],
    [3, 3, [4, 4], 5, 5, 5, [1, 2, 3, 4, 4]],
    [2, 2, [4], 3, 3, 3, [1, 2, 4]],
    [1, 1, [4], 3, 2, 2, [1, 4]],
    [1, 1, [4, 4], 3, 3, 3, [1, 4, 4]]
  ] as const) {
    const log = logOf([1, 2, 3])
    log.commitTo(1)

    t.equal(log.tryAppend(prev, prevTerm, run(prev + 1, ...added), told), last, `${added.join(' ')} after ${prevTerm}/${prev}, commit ${told}`)
    t.strictSame([log.committed, termsOf(log)], [commit, terms])
  }
  const log = logOf([1, 2, 3])
  log.commitTo(1)
  t.throws(() => log.tryAppend(0, 0, run(1, 4), 3), RaftInvariantError)
})

t.test('where another log may agree is looked for by term, and ends where ours is compacted', async t => {
  for (const [compacted, terms, from, term, found] of [
    [0, [2, 2, 5, 5, 5], 6, 10, [6, 0]], [0, [2, 2, 5, 5, 5], 5, 5, [5, 5]], [0, [2, 2, 5, 5, 5], 5, 4, [2, 2]],
    [0, [2, 2, 5, 5, 5], 5, 2, [2, 2]], [0, [2, 2, 5, 5, 5], 5, 1, [0, 0]], [0, [2, 2, 5, 5, 5], 1, 2, [1, 2]],
    [0, [2, 2, 5, 5, 5], 0, 9, [0, 0]], [2, [2, 3, 5, 5, 5], 4, 4, [2, 3]], [2, [2, 3, 5, 5, 5], 4, 2, [1, 0]]
  ] as const) {
    const { index, term: at } = logOf(terms, { compacted }).findConflictByTerm(from, term)

    t.strictSame([index, at], found, `from ${from} with term ${term}`)
  }
})

t.test('a commit index goes up, stays, and never goes down or beyond the log', async t => {
  for (const [to, expected] of [[3, 3], [1, 2], [2, 2]] as const) {
    const log = logOf([1, 2, 3])
    log.commitTo(2)
    log.commitTo(to)
    t.equal(log.committed, expected)
  }
  t.throws(() => { logOf([1, 2, 3]).commitTo(4) }, RaftInvariantError)
})

t.test('compacting storage changes nothing of what is behind it', async t => {
  const reader = new MemoryLog(noSnapshot)
  reader.append(run(1, 1, 2, 3, 4, 5))
  const log = new RaftLog(reader, Infinity, undefined)
  log.append(run(6, 6, 7, 8))
  log.commitTo(5)
  log.appliedTo(5, 0)
  reader.compact(3)

  t.match({ first: log.firstIndex(), last: log.lastIndex() }, { first: 4, last: 8 })
  t.strictSame([3, 4, 5, 6, 7, 8].map(index => log.term(index)), [3, 4, 5, 6, 7, 8])
  t.strictSame([3, 4, 8].map(index => log.matches(index, index)), [true, true, true])
  t.strictSame(log.unstable.nextEntries().map(({ index }) => index), [6, 7, 8])
  log.append(run(9, 9))
  t.equal(log.lastIndex(), 9)
  t.strictSame(termsOf(log), [4, 5, 6, 7, 8, 9])
})

t.test('storage is compacted step by step, never back and never beyond its end', async t => {
  const reader = new MemoryLog(noSnapshot)
  reader.append(run(1, ...Array.from({ length: 1_000 }, () => 1)))
  const left: number[] = []
  for (const to of [300, 500, 800, 900]) {
    reader.compact(to)
    left.push(reader.lastIndex() - reader.firstIndex() + 1)
  }

  t.strictSame(left, [700, 500, 200, 100])
  t.throws(() => { reader.compact(800) }, /compaction/)
  t.throws(() => { reader.compact(1_001) }, RangeError)
})

t.test('a log that starts from a snapshot is empty behind it, committed up to it, and knows its term', async t => {
  const reader = new MemoryLog(noSnapshot)
  reader.applySnapshot(snapshot(1_000, 1_000))
  const log = new RaftLog(reader, Infinity, undefined)

  t.match(log, { committed: 1_000, applied: 1_000, unstable: { offset: 1_001, length: 0 } })
  t.strictSame([log.firstIndex(), log.lastIndex(), log.term(1_000)], [1_001, 1_000, 1_000])
})

t.test('entries are stable once storage has them, whatever snapshot came before', async t => {
  for (const [after, index, term, offset] of [
    [5, 6, 2, 7], [5, 7, 2, 8], [5, 5, 2, 6], [5, 4, 2, 6], [5, 6, 3, 6], [5, 5, 3, 6]
  ] as const) {
    const reader = new MemoryLog(noSnapshot)
    reader.applySnapshot(snapshot(after, 2))
    const log = new RaftLog(reader, Infinity, undefined)
    log.append(run(6, 2, 2))
    reader.append(run(6, 2, 2))
    log.stableTo(index, term)

    t.equal(log.unstable.offset, offset, `${term}/${index}`)
  }
})

t.test('a range is in the log, compacted, or a bug', async t => {
  const log = logOf([1, 1, 1, 1, 1, 1, 1, 1], { compacted: 3 })
  for (const [lo, hi, length] of [[4, 4, 0], [4, 5, 1], [4, 9, 5], [8, 9, 1], [9, 9, 0]] as const) t.equal(log.slice(lo, hi, Infinity).length, length)

  for (const [lo, hi] of [[3, 4], [1, 9], [2, 2]] as const) t.equal(log.slice(lo, hi, Infinity), 'compacted')
  for (const [lo, hi] of [[6, 5], [4, 10], [10, 10]] as const) t.throws(() => log.slice(lo, hi, Infinity), RaftInvariantError, `${lo} to ${hi}`)
})

t.test('pages put together are the range, whatever they hold at most and wherever storage ends', async t => {
  const size = entryBytes(run(1, 1)[0]!)
  for (const stable of [0, 1, 4, 7]) {
    for (const entriesMost of [0, 1, 2, 3, 100]) {
      const log = logOf([1, 1, 1, 1, 1, 1, 1], { stable })
      const seen: Index[] = []
      for (let at = 2; at <= 7;) {
        const page = log.slice(at, 8, entriesMost * size) as readonly Entry[]
        t.ok(page.length > 0 && page.length <= Math.max(1, entriesMost))
        seen.push(...page.map(({ index }) => index))
        at += page.length
      }
      t.strictSame(seen, [2, 3, 4, 5, 6, 7])
    }
  }
})
