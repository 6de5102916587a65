import t from 'tap'
import { other, pinOf, self } from '../ipfs-compat-tests/harness/pins.ts'
import type { TrackerStatus } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import { silentLogger } from './log.ts'
import type { PeerRpc, Reached } from './peer-ports.ts'
import type { PinTracker } from './ports.ts'
import { createTelling } from './telling.ts'

const never = { signal: new AbortController().signal }
const askedBy = (peer: PeerId, id: number) => ({ ask: { peer, id } })

async function arrange ({ status = 'pinned' as TrackerStatus, cause = undefined as unknown, isStarted = true } = {}) {
  const applied: string[] = []
  const calls: { readonly peer: PeerId, readonly reports: readonly Reached[] }[] = []
  const tracker = {
    pinned: ({ name }: { name: string }) => { applied.push(name) },
    settled: async () => ({ info: { status }, cause })
  } as unknown as PinTracker
  const rpc = { call: async (peer: PeerId, _method: unknown, reports: readonly Reached[]) => { calls.push({ peer, reports }) } } as unknown as Pick<PeerRpc, 'call'>
  const telling = createTelling({ self, tracker, rpc, log: silentLogger })
  if (isStarted) await telling.start(never)
  return { telling, applied, calls }
}

t.test('what was asked for by another peer is told to it, several at once in one call', async t => {
  const { telling, applied, calls } = await arrange()

  for (const id of [1, 2, 3]) telling.pinned(pinOf(id), askedBy(other, id))
  await new Promise(setImmediate)

  t.strictSame(applied, ['pin 1', 'pin 2', 'pin 3'])
  t.strictSame(calls, [{ peer: other, reports: [1, 2, 3].map(id => ({ id, outcome: 'held', error: undefined })) }])
  await telling[Symbol.asyncDispose]()
})

t.test('nothing is told of what this peer asked for itself, is not to hold, or was applied before the start', async t => {
  const { telling, calls } = await arrange()
  const early = await arrange({ isStarted: false })

  telling.pinned(pinOf('own'), askedBy(self, 1))
  telling.pinned(pinOf('elsewhere', { replication: { min: 1, max: 1 }, allocations: [other] }), askedBy(other, 2))
  telling.pinned(pinOf('unasked'), {})
  early.telling.pinned(pinOf('early'), askedBy(other, 3))
  await new Promise(setImmediate)

  t.strictSame([...calls, ...early.calls], [])
  t.equal(early.applied.length, 1)
  for (const one of [telling, early.telling]) await one[Symbol.asyncDispose]()
})

t.test('a failure is told with its error, and what was changed meanwhile as overtaken', async t => {
  const error = new Error('block was not found')
  const failed = await arrange({ status: 'pin_error', cause: error })
  const overtaken = await arrange({ status: 'unpinned' })

  for (const { telling } of [failed, overtaken]) telling.pinned(pinOf('a'), askedBy(other, 7))
  await new Promise(setImmediate)

  t.strictSame(failed.calls[0]?.reports, [{ id: 7, outcome: 'failed', error }])
  t.strictSame(overtaken.calls[0]?.reports, [{ id: 7, outcome: 'overtaken', error: undefined }])
  for (const { telling } of [failed, overtaken]) await telling[Symbol.asyncDispose]()
})
