import t from 'tap'
import { MemoryLog } from '../replay/memory-log.ts'
import { RaftInvariantError } from './assert.ts'
import { emptyData, entryBytes } from './entries.ts'
import { RaftLog } from './log.ts'
import type { Entry, LogReader, Snapshot } from './types.ts'

const entry = (index: number, term: number, size = 0): Entry =>
  ({ term, index, type: 'EntryNormal', data: size === 0 ? emptyData : new Uint8Array(size) })
const noSnapshot = (): never => { throw new Error('none') }

/** Terms by index from 1; the first `stable` ones in storage. */
function logOf (terms: readonly number[], { stable = terms.length, applyingBytesMax = Infinity } = {}): RaftLog {
  const entries = terms.map((term, at) => entry(at + 1, term))
  const reader = new MemoryLog(noSnapshot)
  reader.append(entries.slice(0, stable))
  const log = new RaftLog(reader, applyingBytesMax, undefined)
  log.append(entries, stable)
  return log
}
const termsOf = (log: RaftLog): readonly number[] => {
  const entries = log.slice(1, log.lastIndex() + 1, Infinity)
  return typeof entries === 'string' ? [] : entries.map(({ term }) => term)
}

t.test('an append that does not fit is refused and changes nothing', async t => {
  const log = logOf([1, 1, 2])

  t.equal(log.tryAppend(3, 1, [entry(4, 3)], 4), undefined)
  t.equal(log.tryAppend(7, 2, [], 7), undefined)
  t.strictSame(termsOf(log), [1, 1, 2])
  t.equal(log.committed, 0)
})

t.test('entries that are held already are not cut, whatever order appends come in', async t => {
  const log = logOf([1, 1, 2, 2, 2])

  t.equal(log.tryAppend(1, 1, [entry(2, 1), entry(3, 2)], 0), 3)

  t.strictSame(termsOf(log), [1, 1, 2, 2, 2])
})

t.test('a conflicting tail is replaced, a committed one never', async t => {
  const log = logOf([1, 1, 2, 2], { stable: 3 })
  log.commitTo(2)

  t.equal(log.tryAppend(2, 1, [entry(3, 3)], 2), 3)
  t.strictSame(termsOf(log), [1, 1, 3])
  t.throws(() => log.tryAppend(1, 1, [entry(2, 3)], 2), RaftInvariantError)
})

t.test('LR-01: a commit index proves no more than the append that carries it', async t => {
  const log = logOf([1, 1, 2, 2, 2])

  log.tryAppend(2, 1, [], 5)
  t.equal(log.committed, 2, 'the stale entries after 2 are not committed')
  log.tryAppend(2, 1, [entry(3, 3)], 9)
  t.equal(log.committed, 3)
})

t.test('what is committed was not lost here', async t => {
  t.throws(() => { logOf([1]).commitTo(2) }, RaftInvariantError)
})

t.test('a leader commits by counting only what is of its own term', async t => {
  const log = logOf([1, 2, 2])

  t.notOk(log.tryCommit(3, 3))
  t.ok(log.tryCommit(2, 2))
  t.equal(log.committed, 2)
  t.notOk(log.tryCommit(1, 1), 'and never takes it back')
})

t.test('a log is more up to date by its last term, then by its length', async t => {
  const log = logOf([1, 2, 2])

  t.ok(log.isUpToDate({ term: 3, index: 1 }))
  t.ok(log.isUpToDate({ term: 2, index: 3 }))
  t.notOk(log.isUpToDate({ term: 2, index: 2 }))
  t.notOk(log.isUpToDate({ term: 1, index: 9 }))
})

t.test('one term is skipped at a time when looking for where logs agree', async t => {
  const log = logOf([1, 3, 3, 3, 5, 5, 5])

  t.strictSame(log.findConflictByTerm(7, 4), { index: 4, term: 3 })
  t.strictSame(log.findConflictByTerm(7, 2), { index: 1, term: 1 })
  t.strictSame(log.findConflictByTerm(7, 0), { index: 0, term: 0 })
})

t.test('entries are cut at the bound across stable and unstable, but never to none', async t => {
  const log = logOf([1, 1, 1, 1], { stable: 2 })
  const size = entryBytes(entry(1, 1))
  const count = (max: number): number => log.slice(1, 5, max).length

  t.strictSame([1, 2, 3, 4].map(index => log.slice(index, index, 0)), [[], [], [], []])
  t.strictSame([0, size, 2 * size, 3 * size - 1, 3 * size, Infinity].map(count), [1, 1, 2, 2, 3, 4])
})

t.test('with storage behind, only what it holds is applied', async t => {
  const log = logOf([1, 1, 1, 1], { stable: 2 })
  log.commitTo(3)

  t.equal(log.nextCommitted(false).length, 2)
  t.equal(log.nextCommitted(true).length, 3)
})

t.test('applying is paused at its bound and goes on when some of it is done', async t => {
  const size = entryBytes(entry(1, 1))
  const log = logOf([1, 1, 1, 1], { applyingBytesMax: 2 * size + 1 })
  log.commitTo(4)

  const first = log.nextCommitted(true)
  t.equal(first.length, 2)
  log.acceptApplying(2, 2 * size, true)
  t.notOk(log.hasNextCommitted(true), 'the next one would pass the bound')
  log.appliedTo(1, size)
  t.ok(log.hasNextCommitted(true))
  t.strictSame(log.nextCommitted(true).map(({ index }) => index), [3])
})

t.test('nothing is applied twice, nor before it is committed', async t => {
  const log = logOf([1, 1, 1])
  log.commitTo(2)
  log.appliedTo(2, 0)

  t.throws(() => { log.appliedTo(1, 0) }, RaftInvariantError)
  t.throws(() => { log.appliedTo(3, 0) }, RaftInvariantError)
})

t.test('entries that storage is still reading are waited for', async t => {
  const memory = new MemoryLog(noSnapshot)
  memory.append([entry(1, 1), entry(2, 1)])
  let isRead = false
  const reader: LogReader = {
    initialState: () => memory.initialState(),
    firstIndex: () => memory.firstIndex(),
    lastIndex: () => memory.lastIndex(),
    term: index => memory.term(index),
    entries: (lo, hi, max) => isRead ? memory.entries(lo, hi, max) : 'pending',
    snapshot: noSnapshot
  }
  const log = new RaftLog(reader, Infinity, undefined)
  log.commitTo(2)

  t.equal(log.nextCommitted(true).length, 0)
  t.notOk(log.hasNextCommitted(true), 'asking again would be asking in vain')
  isRead = true
  log.entriesFetched()
  t.equal(log.nextCommitted(true).length, 2)
})

t.test('compacted entries have no term, but for the last of them', async t => {
  const memory = new MemoryLog(noSnapshot)
  memory.append([entry(1, 1), entry(2, 1), entry(3, 2)])
  memory.compact(2)
  const log = new RaftLog(memory, Infinity, undefined)

  t.strictSame([0, 1, 2, 3, 4].map(index => log.term(index)), [undefined, undefined, 1, 2, undefined])
  t.equal(log.slice(2, 4, Infinity), 'compacted')
})

t.test('with a snapshot still to be installed the log starts behind it, whatever storage holds', async t => {
  const log = logOf([1, 1, 2, 2])
  const confState = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
  const snapshot: Snapshot = { meta: { index: 9, term: 3, confState }, data: emptyData }
  log.restore(snapshot)
  log.append([entry(10, 3), entry(11, 3)])

  t.match({ first: log.firstIndex(), last: log.lastIndex(), committed: log.committed }, { first: 10, last: 11, committed: 9 })
  t.strictSame([3, 8, 9, 10, 11, 12].map(index => log.term(index)), [undefined, undefined, 3, 3, 3, undefined])
  t.equal(log.slice(3, 5, Infinity), 'compacted')
  t.equal(log.slice(9, 11, Infinity), 'compacted')
  t.equal(log.slice(10, 12, Infinity).length, 2)
  t.equal(log.snapshot(), snapshot)
  log.commitTo(10)
  t.notOk(log.hasNextCommitted(true), 'it is applied first')
})

t.test('a snapshot that takes back what is committed is a bug', async t => {
  const log = logOf([1, 1])
  log.commitTo(2)
  const confState = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }

  t.throws(() => { log.restore({ meta: { index: 2, term: 1, confState }, data: emptyData }) }, RaftInvariantError)
})

t.test('storage', async t => {
  const behind = (stored: readonly Entry[]): RaftLog => {
    const reader = new MemoryLog(noSnapshot)
    const log = new RaftLog(reader, Infinity, undefined)
    log.append([entry(1, 1), entry(2, 1), entry(3, 1)])
    reader.append(stored)
    return log
  }

  t.test('is asked for what it says it holds', async t => {
    const log = behind([entry(1, 1), entry(2, 1)])
    log.stableTo(2, 1)

    t.equal(log.unstable.offset, 3)
    t.strictSame(termsOf(log), [1, 1, 1])
  })

  t.test('that says it holds what it does not is not believed', async t => {
    t.throws(() => { behind([entry(1, 1)]).stableTo(2, 1) }, RaftInvariantError, 'nothing there')
    t.throws(() => { behind([entry(1, 1), entry(2, 2)]).stableTo(2, 1) }, RaftInvariantError, 'another entry')
  })

  t.test('may say late that it holds what has been replaced since', async t => {
    const log = behind([entry(1, 1), entry(2, 1), entry(3, 1)])
    log.append([entry(2, 2)])
    log.stableTo(3, 1)
    log.stableTo(2, 1)

    t.equal(log.unstable.offset, 1)
    t.strictSame(termsOf(log), [1, 2])
  })
})

t.test('what is handed out to be applied is counted until it is applied', async t => {
  const size = entryBytes(entry(1, 1))
  const log = logOf([1, 1, 1, 1, 1], { applyingBytesMax: 2 * size })
  log.commitTo(3)
  log.acceptApplying(1, size, true)
  t.ok(log.hasNextCommitted(true) === false, 'one more would have fitted: it was left out')
  log.appliedTo(1, size)
  t.strictSame(log.nextCommitted(true).map(({ index }) => index), [2, 3])
  log.acceptApplying(3, 2 * size, true)
  log.commitTo(5)
  t.notOk(log.hasNextCommitted(true), 'full to the byte')
  log.appliedTo(2, size)

  t.strictSame(log.nextCommitted(true).map(({ index }) => index), [4])
  t.match({ applied: log.applied, applying: log.applying }, { applied: 2, applying: 3 })
})

t.test('what was applied without having been handed out is not handed out', async t => {
  const log = logOf([1, 1, 1])
  log.commitTo(3)
  log.appliedTo(2, 0)

  t.strictSame(log.nextCommitted(true).map(({ index }) => index), [3])
})
