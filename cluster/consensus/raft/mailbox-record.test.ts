import { join } from 'node:path'
import { readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { createRecorder, replayRecord } from './mailbox-record.ts'
import { Group } from './testing/group.ts'

t.test('a record of a leader\'s life repeats itself to the letter, and a changed one does not', async t => {
  const path = join(t.testdir(), 'record')
  const recorder = createRecorder(path)
  const group = new Group({ snapshots: { thresholdEntries: 40, trailingEntries: 5 } })
  await group.start(1, { found: true, recorder, config: { priority: 1 } })
  await group.until(() => group.node(1).status().role === 'leader')
  await group.join(2)
  await group.join(3)
  for (let i = 0; i < 150; i++) await group.add(i % 3 + 1, `k${i % 5}`, 1)
  group.network.isolate(1)
  await group.add(2, 'k', 1)
  group.network.heal()
  await group.node(1).readBarrier({ signal: group.signal })
  await group[Symbol.asyncDispose]()
  await recorder[Symbol.asyncDispose]()

  const repetition = await replayRecord(path)

  t.match(repetition, { repeats: true })
  t.ok(repetition.compared > 5)

  const bytes = await readFile(path)
  const shorter = join(t.testdir(), 'other')
  await writeFile(shorter, withoutFrames(bytes, 40, 20))
  t.match(await replayRecord(shorter).catch(() => ({ repeats: false })), { repeats: false }, 'some inputs are missing')
})

/** The record without `count` frames from the nth on. */
function withoutFrames (bytes: Buffer, n: number, count: number): Buffer {
  const skip = (at: number, frames: number): number => frames === 0 ? at : skip(at + 8 + bytes.readUInt32LE(at), frames - 1)
  const from = skip(0, n)
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(skip(from, count))])
}
