import t from 'tap'
import { cidOf } from '../../ipfs-compat-tests/harness/pins.ts'
import { temporaryFolder } from '../../ipfs-compat-tests/harness/folder.ts'
import { cidKey } from '../api/cid-key.ts'
import { FakeClock } from '../clock.ts'
import type { IpfsConnector } from '../ports.ts'
import { createPeerStore } from '../state/peer-store.ts'
import { createExpectations } from './expectations.ts'
import { createForesight } from './foresight.ts'
import { createTrackerIndex } from './tracker-index.ts'

const never = { signal: new AbortController().signal }

t.test('what the tracker pins while an import is about to is known to be its own, not what the daemon had before', async t => {
  await using folder = await temporaryFolder()
  await using store = createPeerStore({ folder: folder.path })
  await store.start(never)
  const index = createTrackerIndex(store)
  const clock = new FakeClock()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  async function pinStatus (): Promise<{ status: 'recursive', name: string }> {
    await answered
    return { status: 'recursive', name: '' }
  }
  const ipfs = { pinStatus } as unknown as IpfsConnector
  const expectations = createExpectations({ ipfs, index, clock, foresight: createForesight({ ipfs, clock }, never) })
  const cid = cidOf('pinned by both')

  const expecting = expectations.expect(cid, Promise.resolve(), never)
  const noting = index.hold(cidKey(cid), { before: undefined, isConfirmed: false, sinceMs: 1 })
  answer()
  await Promise.all([expecting, noting])

  t.strictSame(index.held(cidKey(cid)), { before: undefined, isConfirmed: false, sinceMs: 1 })
})

t.test('a note is known while it is on its way to the disk, and not after it was taken back', async t => {
  await using folder = await temporaryFolder()
  await using store = createPeerStore({ folder: folder.path })
  await store.start(never)
  const index = createTrackerIndex(store)
  const key = cidKey(cidOf('noted'))
  const held = { before: undefined, isConfirmed: true, sinceMs: 1 }

  const noting = index.hold(key, held)
  t.strictSame(index.held(key), held)
  const forgetting = index.forget(key)
  await Promise.all([noting, forgetting])

  t.equal(index.held(key), undefined)
})
