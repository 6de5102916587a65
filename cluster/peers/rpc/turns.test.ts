import t from 'tap'
import { Turns } from './turns.ts'

const { signal } = new AbortController()

t.test('so many at once and no more; who waits comes in order; another key is not held up', async t => {
  const turns = new Turns<string>(2)
  const [first] = [await turns.take('a', signal), await turns.take('a', signal)]
  const entered: string[] = []
  const waiting = ['third', 'fourth'].map(name => turns.take('a', signal).then(turn => { entered.push(name); return turn }))

  await turns.take('b', signal)
  t.strictSame(entered, [])
  first![Symbol.dispose]()
  const third = await waiting[0]!
  t.strictSame(entered, ['third'])
  third[Symbol.dispose]()
  await waiting[1]

  t.strictSame(entered, ['third', 'fourth'])
})

t.test('waiting can be given up, and the place goes to the next', async t => {
  const turns = new Turns<string>(1)
  const first = await turns.take('a', signal)
  const controller = new AbortController()
  const given = turns.take('a', controller.signal)
  const next = turns.take('a', signal)

  controller.abort(new Error('no more'))
  await t.rejects(given, { message: 'no more' })
  first[Symbol.dispose]()

  t.ok(await next)
  await t.rejects(turns.take('b', controller.signal), { message: 'no more' })
})
