/** Entries that the state vouches for: shown at once, written a little later. */
import t from 'tap'
import { FakeClock } from '../../clock.ts'
import { openLogStorage } from './log-storage.ts'
import type { RaftStorage } from './storage.ts'
import { allKept, allLost, CrashDisk } from './testing/crash-disk.ts'
import { verify } from './tools/inspect.ts'
import type { Entry, HardState } from './core/types.ts'

const entry = (index: number, bytes = 40): Entry => ({ type: 'EntryNormal', index, term: 1, data: new Uint8Array(bytes).fill(index) })
const entries = (from: number, to: number, bytes = 40): Entry[] => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, bytes))
const hard = (commit: number): HardState => ({ term: 1, commit, vote: 1 })

async function open (disk: CrashDisk, { clock = new FakeClock(), heldBytesMax = 1 << 20 } = {}): Promise<RaftStorage> {
  return await openLogStorage({ folder: '/raft', disk, clock, nodeId: 1, segmentBytes: 2_048, heldBytesMax })
}

t.test('what is owed is seen at once, written a little later, and there after a restart', async t => {
  const disk = new CrashDisk()
  const clock = new FakeClock()
  const storage = await open(disk, { clock })
  await storage.append({ hard: hard(0), entries: [], mustSync: true })
  const steps = disk.steps

  const written = storage.appendBehind({ hard: hard(0), entries: entries(1, 3) })

  t.equal(storage.log.lastIndex(), 3)
  t.equal(disk.steps, steps, 'nothing has been written yet')
  clock.advance(100)
  await written
  await using again = await open(disk.afterPowerLoss(allKept))
  t.match(again.log.entries(1, 4, Infinity), entries(1, 3))
  await storage[Symbol.asyncDispose]()
})

t.test('an entry that is synced takes along what is owed before it', async t => {
  const disk = new CrashDisk()
  const storage = await open(disk)
  await storage.append({ hard: hard(0), entries: [], mustSync: true })

  void storage.appendBehind({ entries: entries(1, 3) })
  void storage.appendBehind({ hard: hard(3), entries: entries(4, 4) })
  await storage.append({ entries: entries(5, 5), mustSync: true })

  await using again = await open(disk.afterPowerLoss(allLost))
  t.match(again.log.entries(1, 6, Infinity), entries(1, 5))
  await storage[Symbol.asyncDispose]()
})

t.test('the power goes at every step while files change under what is owed, and the log is never taken for a damaged one', async t => {
  let wasCrashed = true
  for (let crashAtStep = 20; wasCrashed; crashAtStep++) {
    const disk = new CrashDisk()
    const clock = new FakeClock()
    const storage = await open(disk, { clock })
    await storage.append({ hard: hard(0), entries: [], mustSync: true })
    disk.faults = { crashAtStep }
    try {
      for (let index = 1; index < 40; index += 2) {
        const writing = [storage.appendBehind({ hard: hard(index - 1), entries: [entry(index, 300)] }), storage.appendBehind({ hard: hard(index), entries: [entry(index + 1, 300)] })]
        clock.advance(100)
        await Promise.all(writing)
        if (index === 21) await storage.setBase({ index: 12, term: 1, confState: storage.base.confState })
      }
      wasCrashed = false
    } catch { /* the power has gone */ }
    try { await storage[Symbol.asyncDispose]() } catch { /* so has the disk */ }

    for (const fate of [allKept, allLost]) {
      const after = await open(disk.afterPowerLoss(fate))
      const { log } = after
      const kept = log.lastIndex() < log.firstIndex() ? [] : log.entries(log.firstIndex(), log.lastIndex() + 1, Infinity)
      if (kept.length > 0) t.match(kept, entries(log.firstIndex(), log.lastIndex(), 300))
      await after[Symbol.asyncDispose]()
    }
  }
})

t.test('too much is not owed: the next one waits for the file', async t => {
  const clock = new FakeClock()
  await using storage = await open(new CrashDisk(), { clock })
  let index = 0
  const isTaken = (): boolean => storage.appendBehind({ entries: [entry(++index, 100_000)] }) !== undefined

  while (isTaken()) t.ok(index < 20)
  await storage.append({ entries: [entry(index, 40)], mustSync: true })

  t.ok(index > 1)
  t.ok(isTaken(), 'there is room again')
})

t.test('what is owed can be read although no more is to be held in memory', async t => {
  const clock = new FakeClock()
  await using storage = await open(new CrashDisk(), { clock, heldBytesMax: 100 })

  const writing = storage.appendBehind({ entries: entries(1, 20) })

  t.match(storage.log.entries(1, 21, Infinity), entries(1, 20))
  clock.advance(100)
  await writing
  void storage.appendBehind({ entries: entries(21, 22) })
  t.match(storage.log.entries(1, 23, Infinity), entries(1, 22))
})

t.test('what cannot be written is told to who appended it, and from then on nothing is taken', async t => {
  const disk = new CrashDisk()
  const clock = new FakeClock()
  await using storage = await open(disk, { clock })
  disk.faults.beforeStep = () => { throw Object.assign(new Error('rotten'), { code: 'EIO' }) }

  const writing = storage.appendBehind({ entries: entries(1, 2) })
  clock.advance(100)

  await t.rejects(writing!, { code: 'ERR_RAFT_STORAGE_FAILED' })
  t.equal(storage.appendBehind({ entries: entries(3, 3) }), undefined)
})

t.test('an end that cannot be read and was never synced is told of, with what is behind it, and erased', async t => {
  const disk = new CrashDisk()
  const clock = new FakeClock()
  const storage = await open(disk, { clock })
  await storage.append({ hard: hard(0), entries: [entry(1)], mustSync: true })
  let readable = 0
  for (const index of [2, 3, 4]) {
    const writing = storage.appendBehind({ entries: [entry(index)] })
    clock.advance(100)
    await writing
    if (index === 2) readable = (await disk.readFile('/raft/00000001.log'))!.findLastIndex(byte => byte !== 0)
  }
  const after = disk.afterPowerLoss(allKept)
  after.rot('/raft/00000001.log', readable)

  t.match(await verify(after, '/raft'), { sound: true, lastIndex: 1, torn: /from entry 2 on \(\/raft\/00000001.log, byte \d+\), but 2 records behind it can/ })
  const told = await open(after)
  t.match(told.torn, { file: '/raft/00000001.log', index: 2, survivors: 2 })
  t.equal(told.log.lastIndex(), 1)
  t.equal((await open(after.afterPowerLoss(allKept))).torn, undefined, 'it was erased')
  await Promise.all([storage, told].map(async each => { await each[Symbol.asyncDispose]() }))
})
