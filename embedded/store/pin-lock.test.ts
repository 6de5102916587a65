import t from 'tap'
import { createPinLock } from './pin-lock.ts'

const signal = new AbortController().signal

async function isSettled (promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => true), new Promise<false>(resolve => setImmediate(resolve, false))])
}

t.test('any number may pin at a time, a collection is alone', async t => {
  const lock = createPinLock()
  using first = await lock.forPinning({ signal })
  const second = await lock.forPinning({ signal })

  const collecting = lock.forCollecting({ signal })

  t.equal(await isSettled(collecting), false)
  second[Symbol.dispose]()
  first[Symbol.dispose]()
  t.equal(await isSettled(collecting), true)
})

t.test('who comes to pin behind a waiting collection waits for it, so that none waits for ever', async t => {
  const lock = createPinLock()
  const first = await lock.forPinning({ signal })
  const collecting = lock.forCollecting({ signal })

  const second = lock.forPinning({ signal })

  t.equal(await isSettled(second), false)
  first[Symbol.dispose]()
  ;(await collecting)[Symbol.dispose]()
  t.equal(await isSettled(second), true)
})

t.test('who gives up waiting leaves the queue to the others', async t => {
  const lock = createPinLock()
  using _first = await lock.forPinning({ signal })
  const impatient = new AbortController()
  const collecting = lock.forCollecting({ signal: impatient.signal })
  const second = lock.forPinning({ signal })

  impatient.abort(new Error('no more'))

  await t.rejects(collecting, { message: 'no more' })
  t.equal(await isSettled(second), true)
})

t.test('letting go twice is letting go once', async t => {
  const lock = createPinLock()
  const first = await lock.forPinning({ signal })
  using _second = await lock.forPinning({ signal })

  first[Symbol.dispose]()
  first[Symbol.dispose]()

  t.equal(await isSettled(lock.forCollecting({ signal })), false)
})
