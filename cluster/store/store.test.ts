import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createStore } from './store.ts'
import type { Store } from './store.ts'

const { signal } = new AbortController()
const key = Buffer.from('key')

async function folder (): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'quorum-store-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function opened (path: string): Promise<Store> {
  const store = createStore({ folder: path })
  await store.start({ signal })
  return store
}

t.test('what is written is there after the store was opened again', async t => {
  await using at = await folder()
  {
    await using store = await opened(at.path)
    const table = store.table('a')
    await store.write(() => table.put(key, Buffer.from('value')))
  }

  await using store = await opened(at.path)

  t.equal(String(store.table('a').get(key)), 'value')
})

t.test('what is handed in within one turn stands or falls together', async t => {
  await using at = await folder()
  await using store = await opened(at.path)
  const table = store.table('a')

  const outcomes = await Promise.allSettled([
    store.write(() => table.put(key, Buffer.from('1'))),
    store.write(() => { throw new Error('no') }),
    store.write(() => table.put(Buffer.from('other'), Buffer.from('1')))
  ])

  t.match(outcomes, [{ reason: { message: 'no' } }, { reason: { message: 'no' } }, { reason: { message: 'no' } }])
  t.equal(table.count(), 0)
  await store.write(() => table.put(key, Buffer.from('2')))
  t.equal(String(table.get(key)), '2', 'and the next one is unharmed')
})

t.test('what is written soon goes in front of the next transaction, alone when there is none, and at last when the store closes', async t => {
  await using at = await folder()
  {
    await using store = await opened(at.path)
    const table = store.table('a')

    const soon = store.writeSoon(() => table.put(key, Buffer.from('soon')))
    t.equal(await store.write(() => String(table.get(key))), 'soon')
    await soon

    await store.writeSoon(() => table.put(key, Buffer.from('alone')))
    t.equal(String(table.get(key)), 'alone')

    void store.writeSoon(() => table.put(key, Buffer.from('last')))
  }

  await using store = await opened(at.path)

  t.equal(String(store.table('a').get(key)), 'last')
})

t.test('works of one transaction see what those before them wrote', async t => {
  await using at = await folder()
  await using store = await opened(at.path)
  const table = store.table('a')

  const [, seen] = await Promise.all([
    store.write(() => table.put(key, Buffer.from('1'))),
    store.write(() => String(table.get(key)))
  ])

  t.equal(seen, '1')
})

t.test('within a transaction a row that was removed is gone, and what is read through has not been changed in it', async t => {
  await using at = await folder()
  await using store = await opened(at.path)
  const [table, untouched] = [store.table('a'), store.table('b')]
  await store.write(() => { table.put(key, Buffer.from('1')); untouched.put(key, Buffer.from('2')) })

  const seen = await store.write(() => {
    const before = String(table.get(key))
    table.remove(key)
    t.throws(() => table.entries(), /being changed/)
    return [before, table.get(key), [...untouched.entries()].length]
  })

  t.strictSame(seen, ['1', undefined, 1])
  t.equal(table.get(key), undefined)
  t.equal(await store.write(() => 'nothing to change'), 'nothing to change')
})

t.test('a view does not change', async t => {
  await using at = await folder()
  await using store = await opened(at.path)
  const table = store.table('a')
  await store.write(() => table.put(key, Buffer.from('before')))
  using view = store.view()

  await store.write(() => { table.put(key, Buffer.from('after')); table.put(Buffer.from('more'), key) })

  t.equal(String(table.get(key, view)), 'before')
  t.equal([...table.entries({}, view)].length, 1)
  t.equal(table.count(), 2)
})

t.test('ranges are ordered by bytes, from one end or the other', async t => {
  await using at = await folder()
  await using store = await opened(at.path)
  const table = store.table('a')
  await store.write(() => { for (const byte of [200, 3, 100, 4]) table.put(Buffer.of(byte), key) })

  const bytes = (range: Parameters<typeof table.entries>[0]): number[] => [...table.entries(range)].map(({ key }) => key[0]!)

  t.strictSame(bytes({}), [3, 4, 100, 200])
  t.strictSame(bytes({ from: Buffer.of(4), to: Buffer.of(200) }), [4, 100])
  t.strictSame(bytes({ reverse: true, limit: 1 }), [200])
})

t.test('writing outside a transaction is a bug', async t => {
  await using at = await folder()
  await using store = await opened(at.path)

  t.throws(() => store.table('a').put(key, key), { code: 'ERR_ASSERTION' })
})

t.test('a store of a later format is refused', async t => {
  await using at = await folder()
  {
    await using store = await opened(at.path)
    const meta = store.table('meta')
    await store.write(() => meta.put(Buffer.from('format'), Buffer.of(9)))
  }

  const store = createStore({ folder: at.path })

  await t.rejects(store.start({ signal }), { code: 'ERR_STORAGE', message: /format 9, written by a newer version of this program; this one reads up to format 1\. Upgrade the program/ })
  await store[Symbol.asyncDispose]()
})

t.test('a folder that cannot be written is refused', async t => {
  await t.rejects(createStore({ folder: '/dev/null/nowhere' }).start({ signal }), { code: 'ERR_STORAGE' })
})

t.test('on a full disk writes are refused whole, the process lives and goes on when there is room', { skip: process.platform === 'win32' }, async t => {
  await using at = await folder()
  const child = fileURLToPath(new URL('testing/fill-disk.ts', import.meta.url))

  // Without tap's part in NODE_OPTIONS, which ends the process at the signal that Node ignores.
  const { code, output } = await run('bash', ['-c', `unset NODE_OPTIONS; ulimit -f ${9 << 10}; exec "${process.execPath}" "${child}" "${at.path}"`])

  t.equal(code, 0, output)
  const { written, counted, refusals, small } = JSON.parse(output.split('\n').at(-2)!) as Record<string, unknown>
  t.equal(counted, written)
  t.strictSame([refusals, small], [['ERR_STORAGE', 'ERR_STORAGE', 'ERR_STORAGE'], 'written'])
  await using store = await opened(at.path)
  t.equal(store.table('rows').count(), Number(written) + 1)
  const rows = store.table('rows')
  await store.write(() => rows.put(key, Buffer.alloc(1 << 20)), 4 << 20)
})

async function run (command: string, args: readonly string[]): Promise<{ readonly code: number, readonly output: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stderr, child.stdout]) stream.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  const [code] = await once(child, 'close')
  return { code: code as number, output }
}
