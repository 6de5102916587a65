import t from 'tap'
import { Channel } from './channel.ts'

t.test('items come in order, then the end', async t => {
  const channel = new Channel<number>(10)
  for (const item of [1, 2, 3]) await channel.send(item)
  channel.close()

  t.strictSame(await Array.fromAsync(channel), [1, 2, 3])
})

t.test('who sends waits for room', async t => {
  const channel = new Channel<number>(2)
  let sent = 0
  const sending = (async () => { for (; sent < 10; sent++) await channel.send(sent); channel.close() })()
  await new Promise(setImmediate)
  t.equal(sent, 2)

  const taken = await Array.fromAsync(channel)
  await sending

  t.equal(taken.length, 10)
})

t.test('an error comes behind the items before it', async t => {
  const channel = new Channel<number>(10)
  await channel.send(1)
  channel.close({ error: new Error('broken') })
  const items = channel[Symbol.asyncIterator]()

  t.strictSame(await items.next(), { done: false, value: 1 })
  await t.rejects(items.next(), { message: 'broken' })
})

t.test('when nobody takes any more, sending ends', async t => {
  const channel = new Channel<number>(1)
  await channel.send(1)
  const waiting = channel.send(2)

  for await (const _ of channel) break

  await waiting
  await channel.send(3)
  t.pass('no sender waits for ever')
})
