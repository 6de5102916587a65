import type { Stream } from '@libp2p/interface'
import t from 'tap'
import { FakeClock } from '../../cluster/clock.ts'
import { readMessages, writeMessage } from './message-stream.ts'

const stallTimeoutMs = 60_000

/** As much of a stream as is used here. */
class FakeStream extends EventTarget {
  status = 'open'
  writableNeedsDrain = false
  readonly written: Uint8Array[] = []
  aborted: Error | undefined

  send (bytes: Uint8Array): boolean {
    this.written.push(bytes)
    return !this.writableNeedsDrain
  }

  abort (err: Error): void {
    this.aborted = err
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }

  come (...bytes: number[]): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: Uint8Array.from(bytes) }))
  }
}

function reading (unfinished = { bytes: 0 }) {
  const stream = new FakeStream()
  const heard: number[][] = []
  readMessages(stream as unknown as Stream, unfinished, bytes => { heard.push([...bytes]) })
  return { stream, heard, unfinished }
}

t.test('messages are put together however they are cut', async t => {
  const { stream, heard, unfinished } = reading()

  stream.come(2)
  stream.come(7, 8, 1, 9, 0, 3, 1)
  t.strictSame(heard, [[7, 8], [9], []])
  t.equal(unfinished.bytes, 2)
  stream.come(2, 3)

  t.strictSame(heard.at(-1), [1, 2, 3])
  t.equal(unfinished.bytes, 0)
})

t.test('a message that would be too long ends its stream, before it is held', async t => {
  for (const [what, bytes] of [['4 MiB and a byte', [0x81, 0x80, 0x80, 0x02]], ['a length without end', [0xff, 0xff, 0xff, 0xff]]] as const) {
    const { stream, heard, unfinished } = reading()

    stream.come(...bytes)

    t.match(stream.aborted, Error, what)
    t.strictSame([heard, unfinished.bytes], [[], 0])
  }
})

t.test('a peer cannot have much lying about in many streams', async t => {
  const unfinished = { bytes: 0 }
  const streams = Array.from({ length: 6 }, () => reading(unfinished).stream)
  const almost = new Array<number>(4 * 1024 * 1024 - 1).fill(0)

  for (const stream of streams) {
    stream.come(0x80, 0x80, 0x80, 0x02)
    stream.dispatchEvent(Object.assign(new Event('message'), { data: Uint8Array.from(almost) }))
  }

  t.strictSame(streams.map(({ status }) => status), ['open', 'open', 'open', 'aborted', 'aborted', 'aborted'])
  t.ok(unfinished.bytes <= 16 * 1024 * 1024)
})

t.test('what a message is taken for may fail: then its stream ends', async t => {
  const stream = new FakeStream()
  readMessages(stream as unknown as Stream, { bytes: 0 }, () => { throw new Error('no message') })

  stream.come(1, 1)

  t.match(stream.aborted, { message: 'no message' })
})

t.test('a message is written once the other side has taken what was before it', async t => {
  const stream = new FakeStream()
  stream.writableNeedsDrain = true
  let isWritten = false
  const writing = writeMessage(stream as unknown as Stream, [Uint8Array.of(1, 2), Uint8Array.of(3)], { clock: new FakeClock(), stallTimeoutMs }).then(() => { isWritten = true })
  await new Promise(setImmediate)
  t.notOk(isWritten)

  stream.writableNeedsDrain = false
  stream.dispatchEvent(new Event('drain'))
  await writing

  t.strictSame(stream.written.map(bytes => [...bytes]), [[3, 1, 2, 3]])
})

t.test('a stream that ends, or takes nothing any more, is not waited for', async t => {
  const clock = new FakeClock()
  const ended = new FakeStream()
  ended.writableNeedsDrain = true
  const writing = writeMessage(ended as unknown as Stream, [Uint8Array.of(1)], { clock, stallTimeoutMs })
  ended.abort(new Error('reset'))
  await t.rejects(writing, { message: 'the stream was closed' })

  const stalled = new FakeStream()
  stalled.writableNeedsDrain = true
  const stuck = writeMessage(stalled as unknown as Stream, [Uint8Array.of(1)], { clock, stallTimeoutMs })
  clock.advance(stallTimeoutMs)
  await t.rejects(stuck, { message: 'the peer has taken nothing for 60000 ms' })
})
