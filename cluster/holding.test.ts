import t from 'tap'
import { pinOf, self, other } from '../ipfs-compat-tests/harness/pins.ts'
import { ClusterError, KuboRepliedError } from './api/errors.ts'
import type { PinInfo, TrackerStatus } from './api/pin-info.ts'
import { FakeClock } from './clock.ts'
import { createHolding } from './holding.ts'
import type { PeerRpc } from './peer-ports.ts'

const { cid } = pinOf('held')
const never = { signal: new AbortController().signal }
const unreachable = new ClusterError('ERR_PEER_FAILED', 'it is not there')

/** What the other peer says each time it is asked; the last again and again. */
function arrange (...says: readonly (TrackerStatus | Error)[]) {
  const clock = new FakeClock()
  const asked: string[] = []
  const call = async (_peer: unknown, method: string): Promise<PinInfo> => {
    const said = says[Math.min(asked.length, says.length - 1)]!
    asked.push(method)
    if (said instanceof Error) throw said
    return { cid, name: '', peer: other, status: said, timestampMs: 0, error: 'no such block', attemptCount: 0, isPriority: false }
  }
  const holding = createHolding({ self, rpc: { call } as unknown as Pick<PeerRpc, 'call'>, clock })
  return { clock, asked, holding }
}

/** Lets what is waiting go on for so long, a second at a time. */
async function pass (clock: FakeClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    clock.advance(1_000)
    await new Promise(setImmediate)
  }
}

t.test('what a peer tells is the answer, and it is not asked', async t => {
  const { holding, asked } = arrange('pinned')
  using wait = holding.begin(cid)

  const held = wait.heldBy(other, never)
  holding.reached(other, [{ id: wait.ask.id, outcome: 'held', error: undefined }])

  t.equal(await held, true)
  t.strictSame(asked, [])
})

t.test('what was told before anybody waited counts, and what nobody waits for any more is dropped', async t => {
  const { holding } = arrange('pinned')
  const wait = holding.begin(cid)
  holding.reached(other, [{ id: wait.ask.id, outcome: 'overtaken', error: undefined }, { id: 99, outcome: 'held', error: undefined }])

  t.equal(await wait.heldBy(other, never), false)
  wait[Symbol.dispose]()
  t.doesNotThrow(() => { holding.reached(other, [{ id: wait.ask.id, outcome: 'held', error: undefined }]) })
})

t.test('a peer that has not begun with a pin that is waited for is told to', async t => {
  const { holding, asked, clock } = arrange('unexpectedly_unpinned', 'pin_queued', 'pinned')
  using wait = holding.begin(cid)

  const held = wait.heldBy(other, never)
  await pass(clock, 12)

  t.equal(await held, true)
  t.strictSame(asked, ['PinTracker.Status', 'PinTracker.Recover', 'PinTracker.Status'])
})

t.test('a failure that is told is thrown as it is', async t => {
  const { holding } = arrange('pinned')
  using wait = holding.begin(cid)
  const error = new KuboRepliedError('block was not found', { status: 500, kuboCode: 0 })

  holding.reached(other, [{ id: wait.ask.id, outcome: 'failed', error }])

  await t.rejects(wait.heldBy(other, never), error)
})

t.test('a peer that tells nothing is asked every five seconds, until it holds it', async t => {
  const { holding, clock, asked } = arrange('pin_queued', 'pinning', 'pinned')
  using wait = holding.begin(cid)

  const held = wait.heldBy(other, never)
  await pass(clock, 4)
  t.strictSame(asked, [])
  await pass(clock, 11)

  t.equal(await held, true)
  t.strictSame(asked, ['PinTracker.Status', 'PinTracker.Status', 'PinTracker.Status'])
})

t.test('a peer that cannot be reached has fifteen seconds to come back', async t => {
  const patient = arrange(unreachable, unreachable, 'pinned')
  const lost = arrange(unreachable)
  using first = patient.holding.begin(cid)
  using second = lost.holding.begin(cid)

  const [held, failed] = [first.heldBy(other, never), second.heldBy(other, never)]
  const rejected = t.rejects(failed, unreachable)
  await Promise.all([pass(patient.clock, 20), pass(lost.clock, 25)])

  t.equal(await held, true)
  await rejected
})

t.test('a peer that knows nothing of the pin for fifteen seconds says that somebody else has changed it', async t => {
  const { holding, clock } = arrange('unpinned')
  using wait = holding.begin(cid)

  const held = wait.heldBy(other, never)
  await pass(clock, 25)

  t.equal(await held, false)
})

t.test('a peer that says so holds a pin now, and no other does', async t => {
  const [holds, fails, silent] = [arrange('pinned'), arrange('pin_error'), arrange(unreachable)].map(({ holding }) => holding)

  t.equal(await holds!.isHeldBy(other, cid, never), true)
  t.equal(await fails!.isHeldBy(other, cid, never), false)
  t.equal(await silent!.isHeldBy(other, cid, never), false)
})

t.test('a wait can be given up', async t => {
  const { holding } = arrange('pinning')
  using wait = holding.begin(cid)
  const leaving = new AbortController()

  const held = wait.heldBy(other, leaving)
  leaving.abort(new Error('the client has left'))

  await t.rejects(held, { message: 'the client has left' })
})
