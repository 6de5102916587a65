import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createStore } from './store.ts'

const { signal } = new AbortController()

async function written (folder: string): Promise<string> {
  await using store = createStore({ folder })
  await store.start({ signal })
  const table = store.table('a')
  await store.write(() => { for (let i = 0; i < 2_000; i++) table.put(Buffer.from(`row ${i}`), Buffer.alloc(1_000)) }, 4 << 20)
  return join(folder, 'store.mdb')
}

t.test('a store that was cut short is refused, saying so', async t => {
  const folder = t.testdir()
  await truncate(await written(folder), 64 << 10)

  await t.rejects(createStore({ folder }).start({ signal }), { code: 'ERR_STORAGE', message: /store\.mdb is damaged: 65536 bytes are there of \d{7}/ })
})

t.test('a file that is no store is refused', async t => {
  const folder = t.testdir()
  await writeFile(join(folder, 'store.mdb'), Buffer.alloc(100_000, 'not a store '))

  await t.rejects(createStore({ folder }).start({ signal }), { code: 'ERR_STORAGE', message: /is damaged, or no store/ })
})

t.test('a file that was made and never written is a new store', async t => {
  const folder = t.testdir()
  await writeFile(join(folder, 'store.mdb'), '')

  await using store = createStore({ folder })
  await store.start({ signal })

  t.equal(store.table('a').count(), 0)
})
