import t from 'tap'
import { CID } from 'multiformats/cid'
import { ClusterError, KuboRepliedError } from '../api/errors.ts'
import { readMultipart } from '../api/kubo/multipart.ts'
import { FakeClock } from '../clock.ts'
import type { Block, NamedRoot } from '../ports.ts'
import { importBlocks } from './import-blocks.ts'
import type { DaemonRequest, Requests } from './requests.ts'

const cid = CID.parse('bafkqaaa')
const other = CID.parse('QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn')
const { signal } = new AbortController()
const root = (name = ''): NamedRoot => ({ cid, name })

interface Imported { readonly query: Record<string, string>, readonly parts: Buffer[], readonly whole: Buffer }

/** A daemon that takes an import apart and answers with these lines. */
function fakeRequests (answer: (request: DaemonRequest) => AsyncIterable<Uint8Array> = () => lines({})): { requests: Requests, imports: Imported[], named: string[], writes: number[] } {
  const imports: Imported[] = []
  const named: string[] = []
  const writes: number[] = []
  const requests: Requests = {
    async post (_path, request) {
      const boundary = /boundary=(.*)$/.exec(request.headers!['content-type']!)![1]!
      const chunks = await Array.fromAsync(request.body as AsyncIterable<Uint8Array>)
      writes.push(...chunks.map(chunk => chunk.byteLength))
      const whole = (async function * () { yield Buffer.concat(chunks) })()
      const parts = await Array.fromAsync(readMultipart(whole, boundary), async ({ body }) => Buffer.concat(await Array.fromAsync(body)))
      imports.push({ query: Object.fromEntries(request.query!), parts, whole: Buffer.concat(chunks) })
      return { status: 200, headers: {}, body: answer(request), trailers: () => ({}) }
    },
    async json (path, { query }) { named.push(`${path} ${new URLSearchParams([...query!].map(([name, value]): [string, string] => [name, value]))}`); return {} as never },
    async [Symbol.asyncDispose] () {}
  }
  return { requests, imports, named, writes }
}

async function * lines (...values: readonly object[]): AsyncGenerator<Uint8Array> {
  for (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`)
}

async function * blocksOf (count: number, bytes: number): AsyncGenerator<Block> {
  for (let i = 0; i < count; i++) yield { cid, bytes: new Uint8Array(bytes) }
}

t.test('blocks go in one part without roots, the roots in another without blocks', async t => {
  const { requests, imports } = fakeRequests()

  const unpinned = await importBlocks({ requests, clock: new FakeClock() }, blocksOf(3, 2), Promise.resolve([root()]), { signal })

  t.strictSame(unpinned, [])
  const [{ query, parts }] = imports as [Imported]
  t.strictSame(query, { 'pin-roots': 'true', 'allow-big-block': 'true' })
  t.match(parts[0]!.toString('latin1'), /^\x11.eroots\x80gversion\x01/s, 'no roots')
  t.match(parts[1]!.toString('latin1'), /eroots.+gversion\x01$/s, 'nothing behind the header')
})

t.test('the daemon has to read to the end of the body: before that Kubo does not notice that a caller who waits for a pin has left', async t => {
  const { requests, imports } = fakeRequests()

  await importBlocks({ requests, clock: new FakeClock() }, blocksOf(1, 2), Promise.resolve([root()]), { signal })

  t.match(imports[0]!.whole.toString('latin1'), /\r\n--ipfs-quorum-[0-9a-f-]+--$/, 'behind a line end Kubo would read no further')
})

t.test('the roots are asked for only after the last block', async t => {
  const { requests } = fakeRequests()
  const roots = Promise.withResolvers<readonly NamedRoot[]>()
  const source = (async function * () {
    yield { cid, bytes: new Uint8Array(1) }
    roots.resolve([root()])
  })()

  await importBlocks({ requests, clock: new FakeClock() }, source, roots.promise, { signal })

  t.pass('it ends')
})

t.test('small blocks are gathered into large writes, large ones are not copied', async t => {
  const { requests, writes } = fakeRequests()

  await importBlocks({ requests, clock: new FakeClock() }, blocksOf(10_000, 100), Promise.resolve([]), { signal })
  t.ok(writes.length < 30, `${writes.length} writes`)

  writes.length = 0
  await importBlocks({ requests, clock: new FakeClock() }, blocksOf(2, 262_144), Promise.resolve([]), { signal })
  t.equal(writes.filter(bytes => bytes === 262_144).length, 2)
})

t.test('a large block that came with its section goes on in one write', async t => {
  const { requests, writes } = fakeRequests()
  const bytes = Buffer.alloc(262_144)
  const section = Buffer.concat([Buffer.from([0x84, 0x80, 0x10]), cid.bytes, bytes])

  await importBlocks({ requests, clock: new FakeClock() }, (async function * () { yield { cid, bytes: section.subarray(-bytes.length), section } })(), Promise.resolve([]), { signal })

  t.equal(writes.filter(length => length >= bytes.length).join(), String(section.length))
  t.equal(writes.length, 4, 'the head of the part, of the CAR, the block, and the end')
})

t.test('a root that is named gets its name once it is pinned', async t => {
  const { requests, named } = fakeRequests(() => lines({ Root: { Cid: { '/': String(cid) }, PinErrorMsg: '' } }, { Root: { Cid: { '/': String(other) }, PinErrorMsg: 'ipld: could not find it' } }))

  const unpinned = await importBlocks({ requests, clock: new FakeClock() }, blocksOf(0, 0), Promise.resolve([root('a name'), { cid: other, name: 'gone' }]), { signal })

  t.strictSame(named, ['pin/add arg=bafkqaaa&name=a+name'])
  t.match(unpinned, [{ cid: other, error: { message: 'ipld: could not find it' } }])
})

t.test('what is not to be announced is neither when it is pinned nor when it is named', async t => {
  const { requests, imports, named } = fakeRequests()

  await importBlocks({ requests, clock: new FakeClock() }, blocksOf(1, 10), Promise.resolve([root('n')]), { signal, unannounced: ['root'] })

  t.match(imports, [{ query: { 'fast-provide-root': 'false' } }])
  t.strictSame(named, ['pin/add arg=bafkqaaa&name=n&fast-provide-root=false'])
})

t.test('when the pin is refused nothing is named and the import breaks off', async t => {
  const { requests, imports } = fakeRequests()
  const refused = Promise.reject(new Error('refused'))
  refused.catch(() => {})

  await t.rejects(importBlocks({ requests, clock: new FakeClock() }, blocksOf(1, 1), refused, { signal }), { message: 'refused' })
  t.equal(imports.length, 0)
})

t.test('what the daemon says is what the caller hears', async t => {
  const refusal = new KuboRepliedError('import failed: unexpected EOF', { status: 500, kuboCode: 0 })
  const requests = { ...fakeRequests().requests, post: async () => { throw refusal } }

  await t.rejects(importBlocks({ requests, clock: new FakeClock() }, blocksOf(1, 1), Promise.resolve([]), { signal }), refusal)
})

t.test('a daemon that waits for a missing block is given up, later the more it was sent', async t => {
  const clock = new FakeClock()
  const isSent = Promise.withResolvers<void>()
  const { requests } = fakeRequests(({ signal }) => (async function * () {
    isSent.resolve()
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })())
  const importing = importBlocks({ requests, clock }, blocksOf(1_000, 1), Promise.resolve([root()]), { signal })
  await isSent.promise

  clock.advance(139_999)
  await new Promise(setImmediate)
  clock.advance(1)

  await t.rejects(importing, { code: 'ERR_STALLED' } satisfies Partial<ClusterError>)
})

t.test('the time a caller has left is the daemon\'s to heed', async t => {
  const { requests, imports } = fakeRequests()

  await importBlocks({ requests, clock: new FakeClock() }, blocksOf(1, 1), Promise.resolve([]), { signal, timeoutMs: 900.4 })

  t.equal(imports[0]!.query['timeout'], '901ms')
})
