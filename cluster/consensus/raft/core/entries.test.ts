import t from 'tap'
import { countWithin, emptyData, entriesBytes, entryBytes, limitEntries, payloadBytes, refusedChange } from './entries.ts'
import type { Entry } from './types.ts'

const entry = (index: number, size: number, term = 1): Entry =>
  ({ term, index, type: 'EntryNormal', data: size === 0 ? emptyData : new Uint8Array(size) })

t.test('an entry takes its tags, its numbers and its payload', async t => {
  t.equal(entryBytes(entry(1, 0)), 4)
  t.equal(entryBytes({ ...entry(1, 0), type: 'EntryConfChangeV2' }), 6)
  t.equal(entryBytes({ ...entry(1, 0), ...refusedChange }), 6)
  t.equal(entryBytes(entry(1, 127)), 4 + 2 + 127)
  t.equal(entryBytes(entry(1, 128)), 4 + 3 + 128)
  t.strictSame([2 ** 7, 2 ** 14, 2 ** 21, 2 ** 28, 2 ** 35, 2 ** 42, 2 ** 49].map(index => entryBytes(entry(index, 0))), [5, 6, 7, 8, 9, 10, 11])
  t.strictSame([2 ** 7, 2 ** 14, 2 ** 21, 2 ** 28, 2 ** 35, 2 ** 42, 2 ** 49].map(index => entryBytes(entry(index - 1, 0))), [4, 5, 6, 7, 8, 9, 10])
})

t.test('as many entries as fit are taken, and always one', async t => {
  const entries = [entry(1, 10), entry(2, 10), entry(3, 10)]
  const each = entryBytes(entries[0]!)

  t.strictSame([0, each, 2 * each - 1, 2 * each, 3 * each].map(max => limitEntries(entries, max).length), [1, 1, 1, 2, 3])
  t.equal(limitEntries(entries, Infinity), entries)
  t.equal(countWithin(entries, 1, 1, 99), 0)
  t.equal(countWithin(entries, 1, 3, each), 1)
})

t.test('sums', async t => {
  t.equal(entriesBytes([entry(1, 0), entry(2, 1)]), 4 + 7)
  t.equal(payloadBytes([entry(1, 3), entry(2, 4)]), 7)
  t.equal(payloadBytes([entry(1, 0)]), 0, 'what is empty costs nothing of what may be uncommitted')
})
