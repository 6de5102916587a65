import t from 'tap'
import { FakeClock } from '../cluster/clock.ts'
import { batches } from './batches.ts'
import { noEntryMetadata } from './entries.ts'
import type { AddEntry } from './entries.ts'

const limits = { isWhole: false, idleMs: 25, gatheredBytesMax: 100, gatheredEntriesMax: 8 }
const entry = (path: string, kind: AddEntry['kind'] = 'file', chunks: AsyncIterable<Uint8Array> | readonly number[] = [10], isTop = !path.includes('/')): AddEntry => ({
  kind, path, isTop, metadata: noEntryMetadata,
  content: Symbol.asyncIterator in chunks ? chunks : (async function * () { for (const length of chunks) yield new Uint8Array(length) })()
})

async function * upload (...entries: (AddEntry | Promise<AddEntry>)[]): AsyncGenerator<AddEntry> {
  for (const each of entries) yield await each
}

async function readBatches (source: AsyncIterable<AddEntry>, options = limits, clock = new FakeClock()): Promise<string[][]> {
  const all: string[][] = []
  for await (const { entries } of batches(source, options, clock)) {
    const names: string[] = []
    all.push(names)
    for await (const { path, content } of entries) names.push(`${path} ${(await Array.fromAsync(content)).reduce((sum, chunk) => sum + chunk.byteLength, 0)}`)
  }
  return all
}

t.test('small entries that come at once are one batch', async t => {
  const all = await readBatches(upload(entry('a'), entry('b'), entry('d', 'directory', []), entry('d/x'), entry('d/y'), entry('c')))

  t.strictSame(all, [['a 10', 'b 10', 'd 0', 'd/x 10', 'd/y 10', 'c 10']])
})

t.test('an entry that is too large begins a batch of its own, from its first byte', async t => {
  const all = await readBatches(upload(entry('a'), entry('big', 'file', [60, 60, 60, 60]), entry('c')))

  t.strictSame(all, [['a 10'], ['big 240', 'c 10']])
})

t.test('a directory that is too large begins a batch with all that is in it', async t => {
  const all = await readBatches(upload(entry('a'), entry('d', 'directory', []), entry('d/x', 'file', [70]), entry('d/y', 'file', [70]), entry('d/z')))

  t.strictSame(all, [['a 10'], ['d 0', 'd/x 70', 'd/y 70', 'd/z 10']])
})

t.test('a batch has a bound', async t => {
  const all = await readBatches(upload(...Array.from({ length: 20 }, (_, i) => entry(`f${i}`, 'file', [1]))))

  t.strictSame(all.map(names => names.length), [9, 9, 2])
})

t.test('what is under one root is one batch, whatever its size', async t => {
  const all = await readBatches(upload(entry('a', 'file', [500]), entry('b', 'file', [500])), { ...limits, isWhole: true })

  t.strictSame(all, [['a 500', 'b 500']])
})

t.test('a pause before the next entry ends the batch', async t => {
  const clock = new FakeClock()
  const late = Promise.withResolvers<AddEntry>()
  const reading = batches(upload(entry('a'), late.promise), limits, clock)

  const first = await reading.next()
  const rest = first.value!.entries[Symbol.asyncIterator]()
  await rest.next()
  const ended = rest.next()
  await new Promise(setImmediate)
  clock.advance(25)

  t.equal((await ended).done, true)
  late.resolve(entry('b'))
  const second = await reading.next()
  t.strictSame((await Array.fromAsync(second.value!.entries)).map(({ path }) => path), ['b'])
})

t.test('a pause in the middle of an entry ends the batch before it, and loses none of its bytes', async t => {
  const clock = new FakeClock()
  const late = Promise.withResolvers<number>()
  const slow = (async function * () { yield new Uint8Array(3); yield new Uint8Array(await late.promise) })()
  const reading = batches(upload(entry('a'), entry('b', 'file', slow)), limits, clock)

  const first = await reading.next()
  const rest = first.value!.entries[Symbol.asyncIterator]()
  await rest.next()
  const ended = rest.next()
  await new Promise(setImmediate)
  clock.advance(25)
  t.equal((await ended).done, true)
  late.resolve(4)
  const second = await reading.next()
  const [b] = await Array.fromAsync(second.value!.entries)

  t.equal(Buffer.concat(await Array.fromAsync(b!.content)).length, 7)
})

t.test('an upload that breaks off leaves the batch of what was complete, then says so', async t => {
  const broken = (async function * () { yield new Uint8Array(3); throw new Error('cut') })()
  const reading = batches(upload(entry('a'), entry('b'), entry('c', 'file', broken)), limits, new FakeClock())

  const first = await reading.next()
  const names = (await Array.fromAsync(first.value!.entries)).map(({ path }) => path)

  t.strictSame(names, ['a', 'b'])
  await t.rejects(reading.next(), { message: 'cut' })
})
