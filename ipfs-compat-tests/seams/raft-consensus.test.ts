import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { raftSection } from '../../cluster/consensus/config.ts'
import { createRaftConsensus } from '../../cluster/consensus/raft-consensus.ts'
import { realDisk } from '../../cluster/consensus/raft/disk.ts'
import type { Disk } from '../../cluster/consensus/raft/disk.ts'
import { openLogStorage } from '../../cluster/consensus/raft/log-storage.ts'
import { monotonicClock } from '../../cluster/consensus/raft/monotonic-clock.ts'
import { allKept, allLost, CrashDisk } from '../../cluster/consensus/raft/testing/crash-disk.ts'
import { createLogger } from '../../cluster/log.ts'
import type { AppliedOps } from '../../cluster/ports.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { eventually } from '../harness/eventually.ts'
import { muteListener } from '../harness/mute-listener.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { cidOf, pinOf, self } from '../harness/pins.ts'
import { consensusSuite } from './consensus.ts'
import type { OpenedConsensus } from './consensus.ts'

const { signal } = new AbortController()

interface Settings {
  readonly snapshotThreshold?: number
  /** Of the log, in `logFolder`. */
  readonly disk?: Disk
  readonly logFolder?: string
  /** Gets the lines of the log. */
  readonly lines?: string[]
}

async function openOn (folder: AsyncDisposable & { readonly path: string }, applied: AppliedOps, settings: Settings = {}): Promise<OpenedConsensus> {
  const { snapshotThreshold = 8_192, disk = realDisk, logFolder = `${folder.path}/raft`, lines = [] } = settings
  const store = createStore({ folder: folder.path })
  await store.start({ signal })
  const consensus = createRaftConsensus(
    { store, state: createPinset({ store }), applied, self, log: createLogger(line => { lines.push(line) }, new Map()), disk, failed (err) { throw err } },
    { ...raftSection({ heartbeat_timeout: '100ms', election_timeout: '100ms', trailing_logs: 10, snapshot_threshold: snapshotThreshold }, {}), folder: logFolder, found: () => true }
  )
  await consensus.start({ signal })
  const close = async (): Promise<void> => {
    await consensus[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return {
    consensus,
    async reopen (applied) {
      await close()
      return await openOn(folder, applied, settings)
    },
    async [Symbol.asyncDispose] () {
      await close()
      await folder[Symbol.asyncDispose]()
    }
  }
}

consensusSuite('raft of one voter on a pinset', async applied => await openOn(await temporaryFolder(), applied))
consensusSuite('raft that drops its log every few entries', async applied => await openOn(await temporaryFolder(), applied, { snapshotThreshold: 20 }))

t.test('a folder of an earlier version, which had a log of one voter, is taken over whole, revisions going on', async t => {
  const folder = await temporaryFolder()
  const before = new URL('../harness/fixtures/one-voter-store.mdb.gz', import.meta.url)
  await writeFile(`${folder.path}/store.mdb`, gunzipSync(await readFile(before)))

  const first = await openOn(folder, muteListener)
  const after = await first.consensus.log([{ kind: 'pin', pin: pinOf('c') }], { signal })
  await using again = await first.reopen(muteListener)

  const { state } = again.consensus
  t.ok(after > 30n, 'it had 30 entries')
  for (const [seed, revision] of [['a', 1n], ['b', 2n], ['many 24', 30n]] as const) {
    const found = await state.get(cidOf(seed))
    t.ok(found?.pin.cid.equals(cidOf(seed)))
    t.match(found, { revision, pin: { name: `pin ${seed}`, mode: 'recursive', timestampMs: 1_700_000_000_000 } })
  }
  t.equal(await state.get(cidOf('gone')), undefined)
  t.match(await Array.fromAsync(state.expired(4_102_444_800_000, { signal })), [{ pin: { name: 'pin expiring' } }])
  t.equal(await state.count(), 29)
  t.equal(again.consensus.leader(), self)
  t.strictSame(again.consensus.peerset(), [self])
})

t.test('a pinset whose log is gone is not opened under another', async t => {
  const folder = await temporaryFolder()
  const opened = await openOn(folder, muteListener)
  await opened.consensus.log([{ kind: 'pin', pin: pinOf('a') }], { signal })
  const copy = await temporaryFolder()
  t.teardown(() => copy[Symbol.asyncDispose]())
  await opened.consensus[Symbol.asyncDispose]()
  await cp(folder.path, copy.path, { recursive: true })
  await rm(`${copy.path}/raft`, { recursive: true })
  await opened[Symbol.asyncDispose]()

  await t.rejects(openOn(copy, muteListener), { code: 'ERR_STORAGE', message: /the log that belongs to this pinset is not in .*raft any more: put it back/ })
})

t.test('alone, what the log had not synced when the power went is in the pinset all the same', async t => {
  const folder = await temporaryFolder()
  const disk = new CrashDisk()
  await using opened = await openOn(folder, muteListener, { disk, logFolder: '/raft' })
  let last = 0n
  for (const name of ['a', 'b', 'c', 'd']) last = await opened.consensus.log([{ kind: 'pin', pin: pinOf(name) }], { signal })
  const copy = await temporaryFolder()
  await cp(`${folder.path}/store.mdb`, `${copy.path}/store.mdb`)

  await using again = await openOn(copy, muteListener, { disk: disk.afterPowerLoss(allLost), logFolder: '/raft' })

  t.ok(await lastIndexOf(disk.afterPowerLoss(allLost)) < last, 'there was something to lose')
  t.equal(await again.consensus.state.count(), 4)
  const revision = await again.consensus.log([{ kind: 'pin', pin: pinOf('e') }], { signal })
  t.ok(revision > (await again.consensus.state.get(cidOf('d')))!.revision)
})

t.test('alone, a log whose unsynced end was damaged says what it lacks and that nothing is lost', async t => {
  const folder = await temporaryFolder()
  const disk = new CrashDisk()
  await using opened = await openOn(folder, muteListener, { disk, logFolder: '/raft' })
  for (const name of ['a', 'b', 'c', 'd']) await opened.consensus.log([{ kind: 'pin', pin: pinOf(name) }], { signal })
  const placeOf = async (name: string): Promise<number> => Buffer.from((await disk.readFile('/raft/00000001.log'))!).indexOf(cidOf(name).multihash.digest)
  await eventually('all of it is written', async () => await placeOf('d') > 0)
  const copy = await temporaryFolder()
  await cp(`${folder.path}/store.mdb`, `${copy.path}/store.mdb`)
  const killed = disk.afterPowerLoss(allKept)
  killed.rot('/raft/00000001.log', await placeOf('a'))

  const lines: string[] = []
  await using again = await openOn(copy, muteListener, { disk: killed, logFolder: '/raft', lines })

  t.equal(await again.consensus.state.count(), 4)
  t.match(lines.join(''), /"level":"warn".*the end of the raft log cannot be read from entry \d+ on \(\/raft\/00000001.log, byte \d+\).*tools\/main.ts verify FOLDER.*The state here holds all up to entry \d+: nothing is lost/)
})

async function lastIndexOf (disk: CrashDisk): Promise<number> {
  await using storage = await openLogStorage({ folder: '/raft', disk, clock: monotonicClock })
  return storage.log.lastIndex()
}
