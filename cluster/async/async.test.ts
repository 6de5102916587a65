import t from 'tap'
import { FakeClock } from '../clock.ts'
import { abortable } from './abortable.ts'
import { createBackground } from './background.ts'
import { breathing } from './breathe.ts'
import { deadline } from './deadline.ts'
import { pause } from './pause.ts'
import { createWorkerPool } from './worker-pool.ts'

t.test('waiting for what never comes can be given up, and a failure that comes later harms nobody', async t => {
  const late = Promise.withResolvers<void>()
  const giving = new AbortController()

  const waiting = abortable(late.promise, giving.signal)
  giving.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  late.reject(new Error('nobody listens'))
  await new Promise(resolve => setImmediate(resolve))

  await t.rejects(abortable(Promise.resolve(1), giving.signal), { message: 'enough' }, 'given up before is given up')
})

t.test('a deadline aborts with its name, and not at all once it is disposed', async t => {
  const clock = new FakeClock()
  using due = deadline(clock, 100, 'the work', new AbortController().signal)
  const undone = deadline(clock, 100, 'other work', new AbortController().signal)
  undone[Symbol.dispose]()

  clock.advance(100)

  t.match(due.signal.reason, { code: 'ERR_TIMEOUT', message: 'the work took longer than 100 ms' })
  t.equal(undone.signal.aborted, false)
})

t.test('a pause ends on time, or at once when it is given up', async t => {
  const clock = new FakeClock()
  const giving = new AbortController()
  const whole = pause(clock, 100, new AbortController().signal)
  const cut = pause(clock, 100, giving.signal)

  giving.abort(new Error('enough'))
  clock.advance(100)

  await t.rejects(cut, { message: 'enough' })
  await whole
})

t.test('no more workers run than there are places, and all that is queued is done', async t => {
  const tasks = Array.from({ length: 20 }, (_, i) => i)
  const done: number[] = []
  let running = 0
  let most = 0
  const finished = Promise.withResolvers<void>()
  await using pool = createWorkerPool(3, () => tasks.shift(), async task => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setImmediate(resolve))
    running--
    done.push(task)
    if (done.length === 20) finished.resolve()
  })

  for (let i = 0; i < 20; i++) pool.wake()
  await finished.promise

  t.equal(most, 3)
  t.equal(done.length, 20)
})

t.test('a task that comes in the very moment a worker found nothing is not forgotten', async t => {
  const tasks: (() => void)[] = []
  await using pool = createWorkerPool(1, () => tasks.shift(), async task => task())
  for (let i = 0; i < 100; i++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    tasks.push(resolve)
    pool.wake()
    await promise
  }

  t.pass('all were done')
})

t.test('the end of a pool waits for what runs and begins nothing new', async t => {
  const gate = Promise.withResolvers<void>()
  const tasks = [1, 2]
  const done: number[] = []
  const pool = createWorkerPool(1, () => tasks.shift(), async task => {
    await gate.promise
    done.push(task)
  })
  pool.wake()

  const ending = pool[Symbol.asyncDispose]()
  gate.resolve()
  await ending

  t.strictSame(done, [1])
})

t.test('what runs in the background has an owner: its failures are told, and the end waits for it', async t => {
  const failures: unknown[] = []
  const background = createBackground(err => failures.push(err))
  const gate = Promise.withResolvers<void>()
  let isDone = false
  background.run(Promise.reject(new Error('broken')))
  background.run(gate.promise.then(() => { isDone = true }))

  setImmediate(gate.resolve)
  await background[Symbol.asyncDispose]()

  t.equal(isDone, true)
  t.match(failures, [{ message: 'broken' }])
})

t.test('a long row lets others run in between', async t => {
  let turns = 0
  let isCounting = true
  setImmediate(function count () {
    turns++
    if (isCounting) setImmediate(count)
  })
  let items = 0

  for await (const _item of breathing(Array.from({ length: 5_000 }), { signal: new AbortController().signal })) items++

  isCounting = false
  t.equal(items, 5_000)
  t.ok(turns >= 5)
})

t.test('the first of a long row does not wait for those behind it', async t => {
  let items = 0
  let itemsByThen = 0
  setImmediate(() => { itemsByThen = items })

  for await (const _item of breathing(Array.from({ length: 500 }), { signal: new AbortController().signal })) items++

  t.equal(itemsByThen, 1)
})
