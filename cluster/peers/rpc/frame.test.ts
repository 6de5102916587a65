import t from 'tap'
import { encodeFrame, FrameReader } from './frame.ts'
import type { Frame } from './frame.ts'

const frames: ReadonlyArray<readonly [Frame['kind'], number, readonly Uint8Array[]]> = [
  ['ask', 1, [Buffer.from('method'), Buffer.from('argument')]], ['item', 0, []], ['result', 2 ** 40, [Buffer.alloc(5_000, 7)]], ['end', 3, []]
]

t.test('frames arrive whole however they were cut', async t => {
  const stream = Buffer.concat(frames.flatMap(([kind, id, body]) => encodeFrame(kind, id, body)))
  for (const size of [1, 3, 5, 100, 10_000]) {
    const reader = new FrameReader(5_000)
    const found: Frame[] = []
    for (let at = 0; at < stream.length; at += size) found.push(...reader.push(stream.subarray(at, at + size)))

    t.strictSame(found, frames.map(([kind, id, body]) => ({ kind, id, body: Buffer.concat(body) })), `in pieces of ${size}`)
  }
})

t.test('a frame that is too long is refused by its length, before a byte of it is held', async t => {
  const [head] = encodeFrame('item', 0, [Buffer.alloc(5_100)])
  t.throws(() => [...new FrameReader(5_000).push(head!.subarray(0, 4))], /^a frame of 5102 bytes: at most 5000 are expected/)
})

t.test('a frame of an unknown kind, or without one, is refused', async t => {
  t.throws(() => [...new FrameReader(10).push(Uint8Array.of(2, 0, 0, 0, 77, 0))], /unknown kind/)
  t.throws(() => [...new FrameReader(10).push(Uint8Array.of(0, 0, 0, 0))])
})
