import { hash } from 'node:crypto'
import { appendFile, readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { create } from 'multiformats/hashes/digest'
import { createStore } from '../../cluster/store/store.ts'
import { openBlockLog } from './block-log.ts'
import type { BlockLog } from './block-log.ts'

const { signal } = new AbortController()

async function opened (folder: string): Promise<{ log: BlockLog } & AsyncDisposable> {
  const stack = new AsyncDisposableStack()
  const store = stack.use(createStore({ folder }))
  await store.start({ signal })
  const log = stack.use(await openBlockLog(join(folder, 'blocks'), store))
  return { log, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

function block (text: string, bytes = 1_000): { readonly key: Uint8Array, readonly bytes: Buffer } {
  const content = Buffer.alloc(bytes, text)
  return { key: create(0x12, hash('sha256', content, 'buffer')).bytes, bytes: content }
}

async function diskBytes (folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(join(folder, 'blocks'))).map(async name => (await stat(join(folder, 'blocks', name))).size))
  return sizes.reduce((a, b) => a + b, 0)
}

t.test('blocks are there after the log was opened again, those of no bytes too', async t => {
  const folder = t.testdir()
  const blocks = [block('a'), block('b', 3_000_000), block('', 0)]
  {
    await using at = await opened(folder)
    await Promise.all(blocks.map(({ key, bytes }) => at.log.put(key, bytes)))
  }

  await using at = await opened(folder)

  for (const { key, bytes } of blocks) t.ok(Buffer.from(at.log.get(key)!).equals(bytes))
  t.equal(at.log.lengthOf(blocks[1]!.key), 3_000_000)
  t.equal(at.log.count(), 3)
})

t.test('a block that comes twice, or while it is being written, is written once', async t => {
  const folder = t.testdir()
  await using at = await opened(folder)
  const { key, bytes } = block('twice')

  await Promise.all([at.log.put(key, bytes), at.log.put(key, bytes)])
  await at.log.put(key, bytes)

  t.equal(await diskBytes(folder), bytes.length)
})

t.test('what a crash left behind the last block is in nobody\'s way', async t => {
  const folder = t.testdir()
  const [first, second] = [block('first'), block('second')]
  {
    await using at = await opened(folder)
    await at.log.put(first.key, first.bytes)
  }
  await appendFile(join(folder, 'blocks', '00000001.blocks'), 'half a bl')

  await using at = await opened(folder)
  await at.log.put(second.key, second.bytes)

  for (const { key, bytes } of [first, second]) t.ok(Buffer.from(at.log.get(key)!).equals(bytes))
})

t.test('compacting gives the space of deleted blocks back and keeps the others', async t => {
  const folder = t.testdir()
  await using at = await opened(folder)
  const blocks = Array.from({ length: 100 }, (_, i) => block(`block ${i}`, 10_000))
  await Promise.all(blocks.map(({ key, bytes }) => at.log.put(key, bytes)))
  await Promise.all(blocks.slice(10).map(({ key }) => at.log.delete(key)))

  await at.log.compact({ signal })

  t.equal(await diskBytes(folder), 100_000)
  for (const { key, bytes } of blocks.slice(0, 10)) t.ok(Buffer.from(at.log.get(key)!).equals(bytes))
  t.equal([...at.log.multihashes()].length, 10)
})

t.test('blocks that come while it is compacted are kept', async t => {
  await using at = await opened(t.testdir())
  const old = Array.from({ length: 100 }, (_, i) => block(`old ${i}`))
  const fresh = Array.from({ length: 100 }, (_, i) => block(`fresh ${i}`))
  await Promise.all(old.map(({ key, bytes }) => at.log.put(key, bytes)))
  await Promise.all(old.slice(1).map(({ key }) => at.log.delete(key)))

  await Promise.all([at.log.compact({ signal }), ...fresh.map(({ key, bytes }) => at.log.put(key, bytes))])

  for (const { key, bytes } of [old[0]!, ...fresh]) t.ok(Buffer.from(at.log.get(key)!).equals(bytes))
})

t.test('a file of blocks that was cut short is damage, and said to be', async t => {
  const folder = t.testdir()
  await using at = await opened(folder)
  const { key, bytes } = block('whole')
  await at.log.put(key, bytes)

  await truncate(join(folder, 'blocks', '00000001.blocks'), 10)

  t.throws(() => at.log.get(key), { code: 'ERR_STORAGE', message: /damaged: .*00000001\.blocks ends before 1000/ })
})
