import t from 'tap'
import { FakeClock } from '../clock.ts'
import { untilGivenUp } from './give-up.ts'

async function * endsNever (...items: readonly number[]): AsyncGenerator<number> {
  yield * items
  await new Promise(() => {})
}

t.test('items come through, and the end', async t => {
  const { signal } = new AbortController()

  t.strictSame(await Array.fromAsync(untilGivenUp((async function * () { yield * [1, 2, 3] })(), { signal })), [1, 2, 3])
})

t.test('who waits is let go when the signal aborts, though the source never ends', async t => {
  const giving = new AbortController()
  const items = untilGivenUp(endsNever(1), { signal: giving.signal })
  await items.next()

  const waiting = items.next()
  giving.abort(new Error('the client went away'))

  await t.rejects(waiting, { message: 'the client went away' })
})

t.test('a source that falls silent is given up; one that is only slow is not', async t => {
  const clock = new FakeClock()
  const items = untilGivenUp(endsNever(1, 2), { signal: new AbortController().signal, stall: { clock, timeoutMs: 100, what: 'upload' } })
  await items.next()
  clock.advance(99)
  await items.next()

  const waiting = items.next()
  clock.advance(99)
  clock.advance(1)

  await t.rejects(waiting, { code: 'ERR_STALLED', message: 'upload: nothing came for 100 ms' })
})

t.test('time in which nobody asks for an item does not count', async t => {
  const clock = new FakeClock()
  const items = untilGivenUp((async function * () { yield * [1, 2] })(), { signal: new AbortController().signal, stall: { clock, timeoutMs: 100, what: 'upload' } })
  await items.next()

  clock.advance(1_000)

  t.strictSame(await items.next(), { done: false, value: 2 })
})

t.test('a source that is left early is told', async t => {
  let isClosed = false
  const source = (async function * () { try { yield 1; yield 2 } finally { isClosed = true } })()

  for await (const _ of untilGivenUp(source, { signal: new AbortController().signal })) break

  t.equal(isClosed, true)
})
