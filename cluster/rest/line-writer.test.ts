import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { FakeClock } from '../clock.ts'
import { LineWriter } from './line-writer.ts'

const { signal } = new AbortController()

class FakeResponse extends EventEmitter {
  readonly written: string[] = []
  hasRoom = true

  write (text: string): boolean {
    this.written.push(text)
    return this.hasRoom
  }
}

function writing (): { readonly response: FakeResponse, readonly writer: LineWriter, readonly clock: FakeClock } {
  const [response, clock] = [new FakeResponse(), new FakeClock()]
  return { response, clock, writer: new LineWriter(response as unknown as ServerResponse, clock) }
}

t.test('the first line goes out at once, those behind it together, soon', async t => {
  const { response, writer, clock } = writing()

  for (const line of ['a', 'b', 'c']) await writer.write(line, signal)
  t.strictSame(response.written, ['a'])

  clock.advance(100)
  t.strictSame(response.written, ['a', 'bc'])
})

t.test('the first line has left before there is a second', async t => {
  const { writer } = writing()
  let hasLeft = false
  setImmediate(() => { hasLeft = true })

  await writer.write('a', signal)

  t.ok(hasLeft)
})

t.test('many lines do not wait for the clock', async t => {
  const { response, writer } = writing()

  for (let i = 0; i < 200; i++) await writer.write('x'.repeat(1024), signal)
  writer.flush()

  t.equal(response.written.join('').length, 200 * 1024)
  t.equal(response.written.length, 5, '64 KiB at a time')
})

t.test('a client that does not read is waited for, until it reads or the signal aborts', async t => {
  const { response, writer } = writing()
  const leaving = new AbortController()
  response.hasRoom = false
  let isWritten = false

  const written = writer.write('a', signal).then(() => { isWritten = true })
  await Promise.resolve()
  t.notOk(isWritten)
  response.emit('drain')
  await written

  const next = writer.write('x'.repeat(100_000), leaving.signal)
  leaving.abort(new Error('gone'))
  await t.rejects(next, { message: 'gone' })
})

t.test('what is held back is not sent once the writer is disposed', async t => {
  const { response, writer, clock } = writing()
  await writer.write('a', signal)
  await writer.write('b', signal)

  writer[Symbol.dispose]()
  clock.advance(1_000)

  t.strictSame(response.written, ['a'])
})
