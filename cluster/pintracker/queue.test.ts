import t from 'tap'
import { PriorityQueue } from './queue.ts'

const items = (...names: string[]): { readonly name: string }[] => names.map(name => ({ name }))
const first = { isPriority: true }
const later = { isPriority: false }

t.test('priority first, then who came first', async t => {
  const queue = new PriorityQueue<{ readonly name: string }>(10)
  const [a, b, c, d] = items('a', 'b', 'c', 'd')
  queue.push(a!, later)
  queue.push(b!, first)
  queue.push(c!, later)
  queue.push(d!, first)

  t.strictSame([queue.shift(), queue.shift(), queue.shift(), queue.shift(), queue.shift()], [b, d, a, c, undefined])
})

t.test('one more than fits is refused, priority or not', async t => {
  const queue = new PriorityQueue(2)
  const [a, b, c] = items('a', 'b', 'c')

  t.strictSame([queue.push(a!, later), queue.push(b!, first), queue.push(c!, first)], [true, true, false])
  queue.delete(a!)
  t.equal(queue.push(c!, first), true)
})

t.test('who waits for room is told when there is', async t => {
  const queue = new PriorityQueue(2)
  const [a, b] = items('a', 'b')
  queue.push(a!, later)
  queue.push(b!, later)
  let hasRoom = false
  const waiting = queue.shorterThan(1).then(() => { hasRoom = true })

  queue.shift()
  await Promise.resolve()
  t.equal(hasRoom, false)
  queue.shift()
  await waiting

  t.equal(hasRoom, true)
})
