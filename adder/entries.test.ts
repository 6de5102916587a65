import t from 'tap'
import { addEntries, symlinkMode } from './entries.ts'
import type { MultipartPart } from '../cluster/api/kubo/multipart.ts'

const part = (filename: string, type = '', field = 'file'): MultipartPart => ({
  headers: new Map([['content-disposition', `form-data; name="${field}"; filename="${filename}"`], ...type === '' ? [] : [['content-type', type] as const]]),
  body: { async * [Symbol.asyncIterator] () {} }
})

async function pathsOf (parts: readonly MultipartPart[]): Promise<string[]> {
  const source = (async function * () { yield * parts })()
  const entries = await Array.fromAsync(addEntries(source), ({ kind, path, isTop }) => `${isTop ? '' : '  '}${path}${kind === 'directory' ? '/' : ''}`)
  return entries
}

t.test('names are unescaped as Go, JavaScript and curl escape them', async t => {
  t.strictSame(await pathsOf([part('a+b%2Bc'), part('with%20space'), part('raw name'), part('100%'), part('1+1%')]), ['a b+c', 'with space', 'raw name', '100%', '1+1%'])
})

t.test('no name leads out of the upload', async t => {
  t.strictSame(await pathsOf([part('..%2F..%2Fup'), part('/abs'), part('.'), part('a/..//./b')]), ['up', 'abs', '', 'b'])
})

t.test('control characters in a name stay what they are', async t => {
  t.strictSame(await pathsOf([part('a%00b%0Ac')]), ['a\0b\nc'])
})

t.test('directories that only show in names come before what is in them', async t => {
  t.strictSame(await pathsOf([part('t/s/b'), part('t/c'), part('t/s/d')]), ['t/', '  t/s/', '  t/s/b', '  t/c', '  t/s/', '  t/s/d'])
})

t.test('a directory ends when something else comes, and is another when it comes back', async t => {
  const directory = 'application/x-directory'
  t.strictSame(await pathsOf([part('t', directory), part('t/a'), part('x'), part('t/b'), part('t', directory), part('t/c')]), ['t/', '  t/a', 'x', 't/', '  t/b', 't/', '  t/c'])
})

t.test('what would be inside a file is not there', async t => {
  t.strictSame(await pathsOf([part('t'), part('t/a'), part('u')]), ['t', 'u'])
})

t.test('a part that tells no name ends the upload, as in Kubo', async t => {
  t.strictSame(await pathsOf([part('a'), { headers: new Map(), body: part('').body }, part('b')]), ['a'])
})

const metadata = [
  ['file', { mode: 0, mtime: undefined }],
  ['file?mode=0644&mtime=1700000000&mtime-nsecs=5', { mode: 0o644, mtime: { secs: 1_700_000_000n, nsecs: 5 } }],
  ['file?mode=020000000755&mtime=x', { mode: 0o20000000755, mtime: undefined }],
  ['file?mtime=-5&mtime-nsecs=999', { mode: 0, mtime: { secs: -5n, nsecs: 999 } }],
  ['file?mtime-nsecs=7', { mode: 0, mtime: { secs: 0n, nsecs: 7 } }],
  ['file?mtime=0&mtime-nsecs=-1', { mode: 0, mtime: { secs: -1n, nsecs: 999_999_999 } }],
  ['file?mode=0755', { mode: 0o755, mtime: { secs: 0n, nsecs: 0 } }],
  ['file?mode=abc&mtime=x', { mode: 0, mtime: undefined }]
] as const

for (const [field, wanted] of metadata) {
  t.test(`metadata of ${field} is what Go reads`, async t => {
    const source = (async function * () { yield part('a', '', field) })()

    const [entry] = await Array.fromAsync(addEntries(source))

    t.strictSame(entry!.metadata, wanted)
  })
}

t.test('a symbolic link has the mode that Go gives every link', async t => {
  const source = (async function * () { yield part('l', 'application/symlink', 'file?mode=0644') })()

  const [entry] = await Array.fromAsync(addEntries(source))

  t.match(entry, { kind: 'symlink', metadata: { mode: symlinkMode } })
})
