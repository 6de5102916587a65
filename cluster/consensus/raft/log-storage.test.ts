import t from 'tap'
import { FakeClock } from '../../clock.ts'
import { openLogStorage } from './log-storage.ts'
import type { RaftStorage } from './storage.ts'
import { allKept, allLost, CrashDisk } from './testing/crash-disk.ts'
import type { Fate } from './testing/crash-disk.ts'
import type { Entry, HardState, SnapshotMeta } from './core/types.ts'

const folder = '/raft'
const conf = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
const entry = (index: number, term = 1, bytes = 40): Entry => ({ type: 'EntryNormal', index, term, data: new Uint8Array(bytes).fill(index) })
const entries = (from: number, to: number, term = 1, bytes = 40): Entry[] => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term, bytes))
const hard = (term: number, commit: number, vote = 1): HardState => ({ term, commit, vote })
const meta = (index: number, term = 1): SnapshotMeta => ({ index, term, confState: conf })

async function open (disk: CrashDisk, options: { heldBytesMax?: number, clock?: FakeClock } = {}): Promise<RaftStorage> {
  return await openLogStorage({ folder, disk, clock: new FakeClock(), nodeId: 1, segmentBytes: 2_048, ...options })
}

/** Everything an outsider can see of the log, as one comparable text. */
function shown ({ log }: RaftStorage): string {
  const { hard: { term, vote } } = log.initialState()
  const all = log.lastIndex() < log.firstIndex() ? [] : log.entries(log.firstIndex(), log.lastIndex() + 1, Infinity)
  if (!Array.isArray(all)) throw new Error(String(all))
  return `term ${term} vote ${vote} from ${log.firstIndex()}: ${all.map(e => `${e.term}/${e.index}/${e.data[0]}/${e.data.length}`).join(' ')}`
}

/** What a follower's life asks of its log: appends, a conflict, votes, compaction, a snapshot from the leader. */
const life: ReadonlyArray<(storage: RaftStorage) => Promise<void>> = [
  s => s.append({ hard: hard(1, 0), entries: entries(1, 3), mustSync: true }),
  s => s.append({ entries: entries(4, 12, 1, 90), mustSync: true }),
  s => s.append({ hard: hard(2, 3, 2), entries: [], mustSync: true }),
  s => s.append({ hard: hard(2, 5, 2), entries: entries(8, 10, 2), mustSync: true }),
  s => s.append({ entries: entries(11, 24, 2, 100), mustSync: true }),
  s => s.setBase(meta(9, 2)),
  s => s.append({ hard: hard(3, 20, 1), entries: entries(25, 27, 3), mustSync: true }),
  s => s.append({ hard: hard(4, 20, 1), entries: [], mustSync: true }),
  s => s.setBase(meta(26, 4)),
  s => s.setBase(meta(60, 4)),
  s => s.append({ hard: hard(4, 61, 1), entries: entries(61, 64, 4), mustSync: true })
]

/** The state after each step of `life`, from an undisturbed run. */
async function expectedStates (): Promise<string[]> {
  await using storage = await open(new CrashDisk())
  const states = [shown(storage)]
  for (const step of life) {
    await step(storage)
    states.push(shown(storage))
  }
  return states
}

/** Lives until the power goes; tells how many steps were acknowledged. */
async function liveUntilCrash (disk: CrashDisk, from: number): Promise<number> {
  let done = from
  try {
    const storage = await open(disk)
    for (const step of life.slice(from)) {
      await step(storage)
      done++
    }
    await storage[Symbol.asyncDispose]()
  } catch (err) {
    const { code, cause } = err as { code?: string, cause?: { code?: string } }
    if (code !== 'CRASHED' && cause?.code !== 'CRASHED') throw err
  }
  return done
}

function seededFate (seed: number): Fate {
  let state = seed * 2_654_435_761 >>> 0
  return () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 >>> 0
    return (state >>> 8) / 2 ** 24
  }
}

t.test('LR-07 LR-08 the power goes at every single step, and nothing acknowledged is lost', async t => {
  const states = await expectedStates()
  const fates: Fate[] = [allLost, allKept, ...Array.from({ length: 12 }, (_, seed) => seededFate(seed + 1))]
  const whole = new CrashDisk()
  await liveUntilCrash(whole, 0)
  let tried = 0

  for (let crashAtStep = 1; crashAtStep <= whole.steps; crashAtStep++) {
    for (const [f, fate] of fates.entries()) {
      const disk = new CrashDisk()
      disk.faults = { crashAtStep }
      const acknowledged = await liveUntilCrash(disk, 0)
      const found = disk.afterPowerLoss(fate)
      const storage = await open(found)
      const seen = shown(storage)
      await storage[Symbol.asyncDispose]()

      const allowed = states.slice(acknowledged, acknowledged + 2)
      if (!allowed.includes(seen)) t.fail(`step ${crashAtStep}, fate ${f}: ${seen} is none of ${allowed.join(' or ')}`)
      tried++
    }
  }

  t.ok(tried > 500, `${tried} crashes`)
})

t.test('LR-07 the power goes again at every step of the start after a crash', async t => {
  const states = await expectedStates()
  const crashSteps = [9, 12, 15, 20, 26, 33, 40]
  let tried = 0

  for (const crashAtStep of crashSteps) {
    for (let again = 1; again <= 12; again++) {
      const disk = new CrashDisk()
      disk.faults = { crashAtStep }
      const acknowledged = await liveUntilCrash(disk, 0)
      const second = disk.afterPowerLoss(seededFate(again))
      second.faults = { crashAtStep: again }
      const after = await liveUntilCrash(second, life.length)
      const third = second.afterPowerLoss(seededFate(again + 100))
      await using storage = await open(third)

      t.ok(states.slice(acknowledged, acknowledged + 2).includes(shown(storage)), `crash ${crashAtStep}, then ${again}`)
      t.equal(after, life.length)
      tried++
    }
  }
  t.ok(tried > 80)
})

t.test('LR-09 a flipped bit in what was acknowledged is refused, not forgotten', async t => {
  const healthy = new CrashDisk()
  await liveUntilCrash(healthy, 0)
  const names = (await healthy.list(folder)).filter(name => name.endsWith('.log'))
  let refused = 0

  for (const name of names) {
    const used = (await healthy.readFile(`${folder}/${name}`))!.findLastIndex(byte => byte !== 0)
    for (let at = 0; at <= used; at += 7) {
      const disk = healthy.afterPowerLoss(allKept)
      disk.rot(`${folder}/${name}`, at)
      const before = await open(healthy.afterPowerLoss(allKept)).then(shown)
      try {
        const storage = await open(disk)
        t.equal(shown(storage), before, `${name}, byte ${at}: if it starts, nothing may be missing`)
      } catch (err) {
        t.match(err, { code: 'ERR_RAFT_LOG_DAMAGED', message: /verify/ })
        refused++
      }
    }
  }

  t.ok(refused > 50, `${refused} times refused`)
})

t.test('without its sync mark a log still proves that what came before its last group was safe', async t => {
  const healthy = new CrashDisk()
  const storage = await openLogStorage({ folder, disk: healthy, clock: new FakeClock(), nodeId: 1, segmentBytes: 64 * 1_024 })
  for (let i = 0; i < 10; i++) await storage.append({ hard: hard(1, 0), entries: [entry(i + 1)], mustSync: true })
  await storage[Symbol.asyncDispose]()
  await healthy.remove(`${folder}/synced`)
  const used = (await healthy.readFile(`${folder}/00000001.log`))!.findLastIndex(byte => byte !== 0)
  const lastRecord = (used - 8 >> 3 << 3) - 80

  let refused = 0
  for (let at = 0; at < lastRecord; at += 5) {
    const disk = healthy.afterPowerLoss(allKept)
    disk.rot(`${folder}/00000001.log`, at)
    const last = await open(disk).then(({ log }) => log.lastIndex(), err => { refused++; return err.code })
    // Padding may rot without harm.
    t.ok(last === 10 || last === 'ERR_RAFT_LOG_DAMAGED', `byte ${at}`)
  }
  t.ok(refused > lastRecord / 5 * 0.9)
})

t.test('LR-08 a group of which only some sectors reached the disk is no damage, and leaves nothing behind', async t => {
  for (let seed = 1; seed <= 200; seed++) {
    const disk = new CrashDisk()
    const storage = await openLogStorage({ folder, disk, clock: new FakeClock(), nodeId: 1, segmentBytes: 64 * 1_024 })
    await storage.append({ hard: hard(1, 0), entries: entries(1, 2), mustSync: true })
    let cut = false
    disk.faults.beforeStep = what => { if (what === 'sync' && cut) throw new Error('no power') }
    // The first is under way when the others queue up, so these are one group of several records.
    const first = storage.append({ entries: [entry(3, 1, 500)], mustSync: true })
    const rest = [4, 5, 6, 7].map(index => storage.append({ entries: [entry(index, 1, 500)], mustSync: true }))
    await first
    cut = true
    await Promise.allSettled(rest)

    const found = disk.afterPowerLoss(seededFate(seed))
    const again = await openLogStorage({ folder, disk: found, clock: new FakeClock(), segmentBytes: 64 * 1_024 })
    const last = again.log.lastIndex()
    t.ok(last >= 3, `seed ${seed}: what was acknowledged is there`)
    // As long as the lost one, so that a survivor behind it would line up with the end of the new record.
    await again.append({ entries: [entry(last + 1, 1, 500)], mustSync: true })
    const third = await open(found.afterPowerLoss(allKept))
    t.equal(third.log.lastIndex(), last + 1, `seed ${seed}: no survivor of the torn group comes back`)
  }
})

t.test('a log that ends before what is known to be committed is refused', async t => {
  const disk = new CrashDisk()
  const storage = await open(disk)
  await storage.append({ hard: hard(1, 99), entries: entries(1, 2), mustSync: true })
  await storage[Symbol.asyncDispose]()

  await t.rejects(open(disk), { code: 'ERR_RAFT_LOG_DAMAGED', message: /99, which is known to be committed/ })
})

t.test('a term older than the log is refused', async t => {
  const disk = new CrashDisk()
  const storage = await open(disk)
  await storage.append({ hard: hard(1, 0), entries: entries(1, 2, 5), mustSync: true })
  await storage[Symbol.asyncDispose]()

  await t.rejects(open(disk), { code: 'ERR_RAFT_LOG_DAMAGED', message: /term 5 is newer/ })
})

t.test('LR-10 after a failed sync nothing is acknowledged any more, although the disk is well again', async t => {
  const disk = new CrashDisk()
  const storage = await open(disk)
  let failures = 1
  disk.faults.beforeStep = what => { if (what === 'sync' && failures-- > 0) throw Object.assign(new Error('i/o error'), { code: 'EIO' }) }

  await t.rejects(storage.append({ hard: hard(1, 0), entries: entries(1, 2), mustSync: true }), { code: 'ERR_RAFT_STORAGE_FAILED' })
  await t.rejects(storage.append({ entries: entries(1, 2), mustSync: true }), { code: 'ERR_RAFT_STORAGE_FAILED' })

  t.equal(storage.log.lastIndex(), 0)
})

t.test('LR-11 a full disk delays, and is survived without a restart', async t => {
  const disk = new CrashDisk()
  const clock = new FakeClock()
  await using storage = await open(disk, { clock })
  let full = true
  disk.faults.beforeStep = what => { if (full && (what === 'write' || what === 'create')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' }) }
  let acknowledged = false
  const appended = storage.append({ hard: hard(1, 0), entries: entries(1, 9, 1, 400), mustSync: true }).then(() => { acknowledged = true })
  while (!storage.status().waitingForSpace) await Promise.resolve()

  clock.advance(5_000)
  for (let i = 0; i < 50; i++) await Promise.resolve()
  t.notOk(acknowledged, 'waits while the disk is full')
  full = false
  clock.advance(5_000)
  await appended

  t.equal(storage.log.lastIndex(), 9)
})

t.test('entries that are no longer held in memory are read back from the file', async t => {
  const disk = new CrashDisk()
  await using storage = await open(disk, { heldBytesMax: 300 })
  await storage.append({ hard: hard(1, 0), entries: entries(1, 20), mustSync: true })
  await storage.append({ entries: entries(21, 40), mustSync: true })

  const seen = storage.log.entries(1, 41, Infinity)

  t.match(seen, entries(1, 40))
})

t.test('who it is survives, and each start is counted', async t => {
  const disk = new CrashDisk()
  const first = await open(disk)
  await first.adoptCluster('one')
  await t.rejects(first.adoptCluster('two'), /belongs to cluster one/)
  await t.rejects(open(disk), /in use/, 'a second process is kept out')
  await first[Symbol.asyncDispose]()

  await using second = await open(disk)

  t.match(second.identity, { nodeId: 1, clusterId: 'one', incarnation: first.identity.incarnation, boot: 2 })
})

t.test('a wiped folder is somebody else, and half a folder is refused', async t => {
  const disk = new CrashDisk()
  const before = await open(disk)
  await before.append({ hard: hard(4, 0), entries: [], mustSync: true })
  await before[Symbol.asyncDispose]()

  const wiped = await open(new CrashDisk())
  t.not(wiped.identity.incarnation, before.identity.incarnation)

  const withoutIdentity = disk.afterPowerLoss(allKept)
  await withoutIdentity.remove(`${folder}/identity`)
  await t.rejects(open(withoutIdentity), { code: 'ERR_RAFT_LOG_DAMAGED' })

  const withoutLog = disk.afterPowerLoss(allKept)
  await withoutLog.remove(`${folder}/00000001.log`)
  await t.rejects(open(withoutLog), { code: 'ERR_RAFT_LOG_DAMAGED' })
})

t.test('what waits while a group is written is the next group: the figures show how many entries share a sync', async t => {
  await using storage = await open(new CrashDisk())
  const first = storage.append({ hard: hard(1, 0), entries: entries(1, 1), mustSync: true })
  const rest = [2, 3, 4].map(index => storage.append({ entries: [entry(index)], mustSync: true }))

  await Promise.all([first, ...rest])

  const { syncs, syncSeconds, groupEntries, busy, oldestSeconds } = storage.status()
  t.equal(syncs, 2)
  t.equal(syncSeconds.count, 2)
  t.match(groupEntries, { count: 2, sum: 4, max: 3 })
  t.ok(busy > 0 && busy <= 1)
  t.ok(oldestSeconds !== undefined && oldestSeconds >= 0)
})

t.test('an empty log has no oldest entry', async t => {
  await using storage = await open(new CrashDisk())

  t.equal(storage.status().oldestSeconds, undefined)
})
