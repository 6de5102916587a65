import t from 'tap'
import { MemoryLog } from '../replay/memory-log.ts'
import { emptyData, entryBytes } from './entries.ts'
import { RaftLog } from './log.ts'
import type { Entry, Index, Snapshot } from './types.ts'

const entryOf = (index: Index): Entry => ({ term: 1, index, type: 'EntryNormal', data: emptyData })
const size = entryBytes(entryOf(4))
const snapshot = (index: Index): Snapshot =>
  ({ meta: { index, term: 1, confState: { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: emptyData })

/** Starts behind a snapshot at 3, with entries 4, 5 and 6, of which storage holds 4; 4 and 5 are committed. */
function logOf ({ room = Infinity, committed = 5 } = {}): RaftLog {
  const reader = new MemoryLog(() => snapshot(3))
  reader.applySnapshot(snapshot(3))
  const log = new RaftLog(reader, room, undefined)
  log.append([4, 5, 6].map(entryOf))
  reader.append([entryOf(4)])
  log.stableTo(4, 1)
  log.commitTo(committed)
  return log
}
const next = (log: RaftLog, allowUnstable: boolean): readonly Index[] => {
  t.equal(log.hasNextCommitted(allowUnstable), log.nextCommitted(allowUnstable).length > 0, 'what is said to be there is there')
  return log.nextCommitted(allowUnstable).map(({ index }) => index)
}

t.test('what is to be applied: committed, not handed out yet, and stable unless it need not be', async t => {
  for (const [applied, applying, allowUnstable, expected] of [
    [3, 3, true, [4, 5]], [3, 4, true, [5]], [3, 5, true, []], [4, 4, true, [5]], [5, 5, true, []], [4, 5, true, []],
    [3, 3, false, [4]], [3, 4, false, []], [4, 4, false, []], [5, 5, false, []]
  ] as const) {
    const log = logOf()
    log.appliedTo(applied, 0)
    if (applying > applied) log.acceptApplying(applying, 0, applying > 4) // 5 is not stable: leaving it out is no pause

    t.strictSame(next(log, allowUnstable), expected, `applied ${applied}, out ${applying}, ${allowUnstable ? 'any' : 'stable'}`)
  }
})

t.test('nothing is to be applied while a snapshot is to be, or while the bound is met', async t => {
  const restoring = logOf()
  restoring.restore(snapshot(9))
  t.strictSame(next(restoring, true), [])

  const full = logOf({ room: size })
  full.acceptApplying(4, size, true)
  t.strictSame(next(full, true), [])
})

t.test('handing out pauses at the bound, or before what would pass it', async t => {
  for (const [room, upTo, entries, allowUnstable, isPaused] of [
    [10 * size, 4, 1, true, true], // 5 could have come along
    [10 * size, 5, 2, true, false],
    [2 * size, 5, 2, true, true],
    [2 * size - 1, 4, 1, true, true],
    [10 * size, 4, 1, false, false], // 5 is not stable
    [size, 4, 1, false, true]
  ] as const) {
    const log = logOf({ room })
    log.acceptApplying(upTo, entries * size, allowUnstable)
    log.commitTo(6)

    t.equal(log.hasNextCommitted(true), !isPaused, `${entries} of ${room} bytes, up to ${upTo}`)
  }
})

t.test('applying makes room by what was applied', async t => {
  for (const [room, applied, bytes, isPaused] of [
    [2 * size, 4, size, false], [2 * size, 5, 2 * size, false], [2 * size, 4, 0, true], [size, 4, size, true], [3 * size, 4, 0, false]
  ] as const) {
    const log = logOf({ room })
    log.acceptApplying(5, 2 * size, true)
    log.commitTo(6)
    log.appliedTo(applied, bytes)

    t.match(log, { applied, applying: 5 })
    t.equal(log.hasNextCommitted(true), !isPaused, `room for ${room}, applied ${applied}, freed ${bytes}`)
  }
})
