import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { HeldUpdates } from './held-updates.ts'

const frame = (type: number, flags: number, stream: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(12)
  const header = new DataView(bytes.buffer)
  header.setUint8(1, type)
  header.setUint16(2, flags)
  header.setUint32(4, stream)
  header.setUint32(8, length)
  return bytes
}
const update = (stream: number, bytes: number, flags = 0): Uint8Array => frame(1, flags, stream, bytes)

t.test('updates of windows wait until there are enough, and leave as one for each stream', async t => {
  const updates = new HeldUpdates(1_000)

  t.equal(updates.pass(update(1, 400)), undefined)
  t.equal(updates.pass(update(3, 100)), undefined)
  t.equal(updates.pass(update(1, 499)), undefined)
  const sent = updates.pass(update(3, 1))

  t.strictSame(Buffer.from(sent!.subarray()), Buffer.concat([update(1, 899), update(3, 101)]))
  t.equal(updates.pass(update(1, 400)), undefined, 'what was sent is held no longer')
})

t.test('of many streams too few bytes each do not pile up', async t => {
  const updates = new HeldUpdates(1_000)

  const sent = Array.from({ length: 640 }, (_, stream) => updates.pass(update(stream, 1)))

  t.equal(sent.filter(frames => frames !== undefined).length, 10)
  t.ok(sent.every(frames => frames === undefined || frames.byteLength === 64 * 12))
})

t.test('whatever else the muxer sends goes at once, as it is', async t => {
  const updates = new HeldUpdates(1_000)
  const frames = [
    update(1, 100, 1), // opens a stream
    update(1, 0, 4), // ends it
    update(1, 0, 8), // resets it
    frame(2, 1, 0, 7), // a ping
    frame(3, 0, 0, 0), // goes away
    frame(0, 0, 1, 0), // data
    new Uint8ArrayList(frame(0, 0, 1, 3), Buffer.from('abc'))
  ]

  for (const sent of frames) t.equal(updates.pass(sent), sent)
})
