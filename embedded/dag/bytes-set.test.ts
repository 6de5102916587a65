import { hash } from 'node:crypto'
import t from 'tap'
import { createBytesSet } from './bytes-set.ts'

const digest = (i: number): Buffer => hash('sha256', String(i), 'buffer')

t.test('what was added is in it once, and nothing else is', async t => {
  const set = createBytesSet()

  for (let i = 0; i < 50_000; i++) set.add(digest(i))

  t.equal(set.size, 50_000)
  t.notOk(Array.from({ length: 50_000 }, (_, i) => set.add(digest(i))).some(Boolean))
  t.notOk(Array.from({ length: 1_000 }, (_, i) => set.has(digest(-1 - i))).some(Boolean))
})

t.test('a byte string and the beginning of it are two', async t => {
  const set = createBytesSet()

  t.ok(set.add(Buffer.from([1, 2, 3])))
  t.ok(set.add(Buffer.from([1, 2])))
  t.ok(set.add(Buffer.alloc(0)))

  t.equal(set.size, 3)
})

t.test('strings that differ in the middle only are told apart', async t => {
  const set = createBytesSet()

  for (let i = 0; i < 256; i++) set.add(Buffer.concat([Buffer.of(1), Buffer.of(i), Buffer.alloc(30)]))

  t.equal(set.size, 256)
})
