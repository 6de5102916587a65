import t from 'tap'
import { cidOf, pinOf } from '../../ipfs-compat-tests/harness/pins.ts'
import type { Pin } from '../api/pin.ts'
import { cidKeyText } from '../api/cid-key.ts'
import { isPriority, retryDelayMs, statusOf } from './operation.ts'
import { Operations } from './operations.ts'
import type { Operation, OperationWish } from './operations.ts'

const wish = (type: OperationWish['type'], given: Partial<Pin> = {}): OperationWish => ({
  type, cid: cidOf('a'), key: cidKeyText(cidOf('a')), pin: type === 'pin' ? pinOf('a', given) : undefined, found: undefined, announcing: {}, asked: false, attempts: 0, sinceMs: 0, isPriority: true
})

t.test('the words are those of ipfs-cluster', async t => {
  const phases = ['queued', 'in_progress', 'error', 'done'] as const

  t.strictSame(phases.map(phase => statusOf('pin', phase)), ['pin_queued', 'pinning', 'pin_error', 'pinned'])
  t.strictSame(phases.map(phase => statusOf('unpin', phase)), ['unpin_queued', 'unpinning', 'unpin_error', 'unpinned'])
  t.strictSame(phases.map(phase => statusOf('release', phase)), ['remote', 'remote', 'remote', 'remote'])
})

t.test('a pause doubles with each failure, up to twelve minutes', async t => {
  t.strictSame([1, 2, 3, 6, 7, 60].map(retryDelayMs), [15_000, 30_000, 60_000, 480_000, 720_000, 720_000])
})

t.test('young pins that have not failed often go first', async t => {
  const rules = { priorityPinMaxAge: 1_000, priorityPinMaxRetries: 2 }

  t.equal(isPriority({ ageMs: 999, attempts: 2 }, rules), true)
  t.equal(isPriority({ ageMs: 1_000, attempts: 0 }, rules), false)
  t.equal(isPriority({ ageMs: 0, attempts: 3 }, rules), false)
})

t.test('the same wish is absorbed; one that means something else to the daemon replaces what runs', async t => {
  const cancelled: Operation[] = []
  const operations = new Operations()
  const { operation: first } = operations.begin(wish('pin'), gone => cancelled.push(gone))

  t.equal(operations.begin(wish('pin', { name: 'other' }), gone => cancelled.push(gone)).isNew, false, 'while it waits it takes on anything')
  t.equal(first.pin?.name, 'other')
  first.phase = 'in_progress'
  t.equal(operations.begin(wish('pin', { name: 'other', metadata: { a: 'b' } }), gone => cancelled.push(gone)).isNew, false)
  t.strictSame(cancelled, [])
  const second = operations.begin(wish('pin', { name: 'third' }), gone => cancelled.push(gone))

  t.equal(second.isNew, true)
  t.strictSame(cancelled, [first])
  t.equal(first.cancelling.signal.aborted, true)
  t.match(await first.ended.promise, { kind: 'replaced', by: second.operation })
})

t.test('what replaces a running operation begins when that has stopped', async t => {
  const operations = new Operations()
  const { operation: pin } = operations.begin(wish('pin'), () => {})
  pin.phase = 'in_progress'
  const { operation: unpin } = operations.begin(wish('unpin'), () => {})
  let hasStopped = false
  const waiting = unpin.previousStopped.then(() => t.equal(hasStopped, true))

  await Promise.resolve()
  hasStopped = true
  pin.stopped.resolve()

  await waiting
})

t.test('what never ran holds up nobody', async t => {
  const operations = new Operations()
  operations.begin(wish('pin'), () => {})
  const { operation: unpin } = operations.begin(wish('unpin'), () => {})

  await unpin.previousStopped

  operations.remove(unpin)
  t.equal(operations.size, 0)
})
