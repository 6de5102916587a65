import t from 'tap'
import { cidKeyText } from '../../cluster/api/cid-key.ts'
import type { TrackerStatus } from '../../cluster/api/pin-info.ts'
import { FakeClock } from '../../cluster/clock.ts'
import { applyEntries } from '../../cluster/consensus/apply.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createPinTracker } from '../../cluster/pintracker/tracker.ts'
import { pinTrackerSection } from '../../cluster/pintracker/config.ts'
import type { AppliedOps } from '../../cluster/ports.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { eventually } from '../harness/eventually.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { createMemoryIpfs } from '../harness/memory-ipfs.ts'
import type { MemoryIpfs } from '../harness/memory-ipfs.ts'
import { muteListener } from '../harness/mute-listener.ts'
import { cidOf, self } from '../harness/pins.ts'
import { pinTrackerSuite } from './pin-tracker.ts'
import { pin, unpin } from './pin-tracker-kit.ts'
import type { OpenedTracker, TrackerLimits } from './pin-tracker-kit.ts'

const { signal } = new AbortController()

async function openOn (folder: AsyncDisposable & { readonly path: string }, ipfs: MemoryIpfs, clock: FakeClock, limits: TrackerLimits): Promise<OpenedTracker> {
  const store = createStore({ folder: folder.path })
  const state = createPinset({ store })
  await store.start({ signal })
  const tracker = createPinTracker({ ipfs, state, store, clock, log: silentLogger, self }, { ...pinTrackerSection({}, {}), ...limits })
  await tracker.start({ signal })
  let listener: AppliedOps = tracker
  const close = async (): Promise<void> => {
    await tracker[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return {
    tracker,
    ipfs,
    clock,
    async log (...ops) {
      await applyEntries({ state, applied: listener }, [{ ops, index: state.appliedIndex() + 1n }])
    },
    async restart (meanwhile = async () => {}) {
      await tracker[Symbol.asyncDispose]()
      listener = muteListener
      await meanwhile()
      await store[Symbol.asyncDispose]()
      return await openOn(folder, ipfs, clock, limits)
    },
    async [Symbol.asyncDispose] () {
      await close()
      await folder[Symbol.asyncDispose]()
    }
  }
}

pinTrackerSuite('stateless tracker', async (limits = {}) => {
  const opened = await openOn(await temporaryFolder(), createMemoryIpfs(), new FakeClock(), limits)
  await Array.fromAsync(opened.tracker.recoverAll({ signal })) // after the comparison that every start begins with
  return opened
})

t.test('of thousands of pins that come at once those wait outside the queue that nobody waits for, are pin_queued all the same, and pinned as there is room, and so with unpins', async t => {
  await using opened = await openOn(await temporaryFolder(), createMemoryIpfs(), new FakeClock(), { concurrentPins: 50 })
  await Array.fromAsync(opened.tracker.recoverAll({ signal }))
  const count = 1_200
  const gate = opened.ipfs.hold(cidOf(0))

  await opened.log(...Array.from({ length: count }, (_, seed) => pin(seed)))
  await gate.begun
  t.match(await opened.tracker.status(cidOf(count - 1), { signal }), { status: 'pin_queued', name: `pin ${count - 1}`, error: '' })
  t.match((await opened.tracker.settled(cidOf(count - 1), { signal })).info, { status: 'pinned' }, 'who waits for one gets it')
  gate.release()

  await eventually('all are pinned', async () => (await Array.fromAsync(opened.tracker.statusAll(new Set(['pinned']), { signal }))).length === count, { intervalMs: 100 })
  t.equal(opened.tracker.queueLength(), 0)

  await opened.log(...Array.from({ length: count }, (_, seed) => unpin(seed)))
  await eventually('all are unpinned', () => Array.from({ length: count }, (_, seed) => opened.ipfs.has(cidOf(seed))).every(found => found === undefined), { intervalMs: 100 })
})

t.test('of thousands of unpins those that wait outside the queue are listed as unpin_queued like the others, each once and in order', async t => {
  const daemon = createMemoryIpfs()
  const { unpin: unpinNow } = daemon
  const opening = Promise.withResolvers<void>()
  const slow = Object.assign(daemon, {
    async unpin (...call: Parameters<typeof unpinNow>) {
      await opening.promise
      await unpinNow(...call)
    }
  })
  await using opened = await openOn(await temporaryFolder(), slow, new FakeClock(), {})
  await Array.fromAsync(opened.tracker.recoverAll({ signal }))
  const count = 1_200
  const cids = Array.from({ length: count }, (_, seed) => cidOf(seed))
  await opened.log(...cids.map((_, seed) => pin(seed)))
  const listed = async (...filter: readonly TrackerStatus[]): Promise<readonly string[]> => (await Array.fromAsync(opened.tracker.statusAll(new Set(filter), { signal }))).map(({ cid }) => cidKeyText(cid))
  await eventually('all are pinned', async () => (await listed('pinned')).length === count, { intervalMs: 100 })

  await opened.log(...cids.map((_, seed) => unpin(seed)))

  const inOrder = cids.map(cidKeyText).sort()
  t.strictSame(await listed('unpin_queued', 'unpinning'), inOrder)
  t.strictSame(await listed(), inOrder)
  t.ok((await listed('unpin_queued')).length >= count - 4)
  t.match(await opened.tracker.status(cids.at(-1)!, { signal }), { status: 'unpin_queued' })
  opening.resolve()
  await eventually('all are unpinned', async () => (await listed()).length === 0, { intervalMs: 100 })
})
