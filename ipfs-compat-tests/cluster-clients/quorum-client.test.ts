/** The client of this project against a peer. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { ClusterClientError, createClient } from '../../client/client.ts'
import type { Added, ClusterClient, FileToAdd } from '../../client/client.ts'
import { chainCar, wideCar } from '../harness/cars.ts'
import { startPeer } from '../harness/peer.ts'

t.setTimeout(1_800_000)

const peer = await startPeer({ env: { CLUSTER_PEERNAME: 'alice' } })
t.teardown(() => peer[Symbol.asyncDispose]())
const client = createClient({ url: peer.rest })
const absent = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'
const nowhere = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

const rowsOf = async (rows: AsyncIterable<Added>): Promise<readonly Added[]> => await Array.fromAsync(rows)

function * megabytes (): Generator<Uint8Array> {
  for (let i = 0; i < 3; i++) yield new Uint8Array(1024 * 1024).fill(i)
}

t.test('says who is asked and who belongs', async t => {
  const id = await client.id()

  t.match(id, { id: peer.cluster.self, peername: 'alice', ipfs: { id: peer.values.PEER_ID } })
  t.strictSame(await Array.fromAsync(client.peers()), [id])
  t.match(await client.version(), /^\d+\.\d+\.\d+/)
  t.equal(await client.health(), undefined)
  t.match(await client.graph(), { cluster_id: peer.cluster.self })
  t.strictSame(await client.alerts(), [])
  t.strictSame(await client.bandwidth(), {})
  t.match(await client.metricNames(), ['freespace', 'ping', 'pinqueue'])
  t.match(await client.metrics('ping'), [{ name: 'ping', peer: peer.cluster.self }])
  t.match(await client.openApi(), { openapi: '3.1.0' })
})

t.test('adds a file, pins it with what is asked for, tells where it stands and unpins it', async t => {
  const expireAt = new Date('2100-01-31T12:00:00Z')
  const origin = `/ip4/192.0.2.1/tcp/4001/p2p/${peer.values.PEER_ID}`

  const added = await client.addFile('hello\n', { name: 'greeting', metadata: { lang: 'en', 'ä': 'ö&=' }, expireAt, wait: 'all' })

  t.match(added, { cid: absent, name: 'greeting', size: 14 })
  t.match(await client.allocation(absent), { name: 'greeting', metadata: { lang: 'en', 'ä': 'ö&=' }, expire_at: '2100-01-31T12:00:00Z' })
  t.match(await client.status(absent), { peer_map: { [peer.cluster.self]: { status: 'pinned', peername: 'alice' } } })
  t.match(await client.status(absent, { local: true }), { cid: absent })
  t.match(await client.reasons(absent), [{ peer: peer.cluster.self, chosen: true }])
  t.match(await client.pin(absent, { name: 'again', origins: [origin, origin], userAllocations: [peer.cluster.self] }), { name: 'again', origins: [origin, origin], metadata: null })
  t.match(await client.recover(absent), { cid: absent })
  t.match(await client.unpin(absent), { cid: absent, name: 'again' })
  await t.rejects(client.unpin(absent), { name: 'ClusterClientError', code: 404, message: 'pin is not part of the pinset' })
})

t.test('adds folders, also from what is only known as it comes, and tells of the progress', async t => {
  const progress: { name: string, bytes: number }[] = []
  async function * files (): AsyncGenerator<FileToAdd> {
    yield { path: 'top/deep/a ü%.txt', content: 'a' }
    yield { path: 'top/empty' }
    yield { path: 'top/big', content: { async * [Symbol.asyncIterator] () { yield * megabytes() } } }
    yield { path: 'top/blob', content: new Blob(['b']) }
    yield { path: 'top/stream', content: new Blob(['c']).stream() }
  }

  const rows = await rowsOf(client.add(files(), { cidVersion: 1, onProgress: one => { progress.push(one) } }))

  t.strictSame(rows.map(({ name }) => name).sort(), ['top', 'top/big', 'top/blob', 'top/deep', 'top/deep/a ü%.txt', 'top/empty', 'top/stream'])
  t.equal(progress.filter(({ name }) => name === 'top/big').at(-1)?.bytes, 3 * 1024 * 1024)
  const top = rows.find(({ name }) => name === 'top')!.cid
  t.match(await client.pin(`/ipfs/${top}/deep/a ü%.txt`), { cid: rows.find(({ name }) => name.startsWith('top/deep/a'))!.cid })
  await client.unpin(`/ipfs/${top}/deep/a ü%.txt`)
  t.match(await client.unpin(top), { cid: top })
})

t.test('wraps files that are known whole in a folder', async t => {
  const rows = await rowsOf(client.add([{ path: 'a', content: 'x' }, { path: 'b', content: new Uint8Array([1, 2]) }], { wrapWithDirectory: true, name: 'wrapped' }))

  t.strictSame(rows.map(({ name }) => name), ['a', 'b', ''])
  t.match(await Array.fromAsync(client.allocations()), [{ cid: rows[2]!.cid, name: 'wrapped' }])
  await client.unpin(rows[2]!.cid)
})

t.test('adds CARs, each root a pin', async t => {
  const cars = [chainCar(2), wideCar(1)]

  const rows = await rowsOf(client.addCars(cars.map(({ pieces }) => new Blob([Buffer.concat(pieces)])), { noPin: false }))

  t.strictSame(rows.map(({ cid }) => cid), cars.map(({ root }) => root))
  for (const { cid } of rows) await client.unpin(cid)
})

t.test('lists by pages, by status, by CIDs, and all', async t => {
  const cids: string[] = []
  for (const content of ['1', '2', '3']) cids.push((await client.addFile(content, { wait: 'all' })).cid)

  const all = await Array.fromAsync(client.allocations(), ({ cid }) => cid)
  const [first] = await Array.fromAsync(client.statuses({ limit: 1, filter: ['pinned', 'pin_error'] }))
  const rest = await Array.fromAsync(client.statuses({ after: first!.cid, local: true, filter: ['pinned'] }), ({ cid }) => cid)

  t.strictSame([...all].sort(), [...cids].sort())
  t.strictSame([first!.cid, ...rest], all)
  t.strictSame(await Array.fromAsync(client.statuses({ cids: [cids[2]!, absent] }), ({ cid }) => cid), [cids[2]!, absent])
  t.strictSame(await Array.fromAsync(client.recoverAll()), [])
  t.strictSame(await Array.fromAsync(client.audit({ local: true })), [])
  for (const cid of cids) await client.unpin(cid)
  t.match(await client.collectGarbage({ local: true }), { peer_map: { [peer.cluster.self]: { peername: 'alice' } } })
})

t.test('an error has the code and the words of the peer', async t => {
  const failures: readonly [() => Promise<unknown>, number, RegExp][] = [
    [async () => await client.pin('nonsense'), 400, /^error decoding Cid/],
    [async () => await client.allocation(absent), 404, /not part of the pinset/],
    [async () => await client.pin(nowhere, { replication: 5 }), 500, /^not enough peers/],
    [async () => await client.pin(nowhere, { expireIn: '1ms' }), 400, /^parameter expire-in invalid/],
    [async () => await client.removePeer(peer.values.PEER_ID!), 400, /is not a member/],
    [async () => await client.token(), 401, /unauthorized/],
    [async () => await Array.fromAsync(client.statuses({ after: 'x' })), 400, /^parameter after invalid/],
    [async () => await rowsOf(client.add([{ path: 'a', content: 'a' }], { chunker: 'nonsense' })), 400, /^parameter chunker/],
    [async () => await rowsOf(client.addCars(['no car'])), 400, /CAR|EOF/],
    [async () => await createClient({ url: 'http://127.0.0.1:1' }).id(), 0, /ECONNREFUSED|bad port/]
  ]

  for (const [failed, code, message] of failures) {
    const err = await failed().then(() => undefined, (err: unknown) => err)
    t.ok(err instanceof ClusterClientError)
    t.match(err, { code, message })
  }
})

t.test('every call is given up by its signal, with the signal\'s reason', async t => {
  const reason = new Error('enough')
  const calls: readonly ((signal: AbortSignal) => Promise<unknown>)[] = [
    async signal => await client.id({ signal }),
    async signal => await client.pin(nowhere, { signal, wait: 'all' }),
    async signal => await Array.fromAsync(client.statuses({ signal })),
    async signal => await client.addFile('x', { signal })
  ]

  for (const call of calls) await t.rejects(call(AbortSignal.abort(reason)), reason)
  const leaving = new AbortController()
  const waiting = client.pin(nowhere, { signal: leaving.signal, wait: 'all' })
  leaving.abort(reason)
  await t.rejects(waiting, reason)
})

t.test('an upload that is given up halfway is left, and its source too', async t => {
  const leaving = new AbortController()
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  async function * endless (): AsyncGenerator<Uint8Array> {
    try {
      for (let i = 0; ; i++) {
        yield new Uint8Array(65_536)
        if (i === 20) leaving.abort(new Error('enough'))
      }
    } finally {
      leave()
    }
  }

  await t.rejects(client.addFile(endless(), { signal: leaving.signal }), { message: 'enough' })
  await left
})

/** Answers each path with what stands for it, then goes on or not. */
async function scripted (answers: Readonly<Record<string, { readonly status?: number, readonly lines: readonly string[], readonly isCut?: boolean }>>): Promise<AsyncDisposable & { readonly asked: readonly string[], readonly host: string, readonly client: () => ClusterClient }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.headers.authorization ?? ''} ${request.url}`)
    const { status = 200, lines, isCut = false } = answers[request.url!.split('?')[0]!] ?? { lines: [] }
    response.writeHead(status).flushHeaders()
    for (const line of lines) response.write(line)
    if (isCut) response.destroy()
    else response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    asked,
    host,
    client: () => createClient({ url: `http://${host}` }),
    async [Symbol.asyncDispose] () { server.close().closeAllConnections() }
  }
}

t.test('a stream that fails after its first line fails here too; lines may come in pieces', async t => {
  await using server = await scripted({
    '/pins': { lines: ['{"cid":"a"}\n{"c', 'id":"b"}', '\n', '{"code":500,"message":"the disk is gone"}\n'] },
    '/allocations': { lines: ['{"cid":"a"}\n{"ci'] },
    '/peers': { lines: ['{"id":"a"}\n'], isCut: true }
  })
  const seen: string[] = []

  await t.rejects((async () => { for await (const { cid } of server.client().statuses()) seen.push(cid) })(), { code: 500, message: 'the disk is gone' })
  t.strictSame(seen, ['a', 'b'])
  await t.rejects(Array.fromAsync(server.client().allocations()), { code: 0, message: /middle of a line/ })
  await t.rejects(Array.fromAsync(server.client().peers()), { name: 'ClusterClientError', code: 0 })
})

t.test('credentials go with every call, from the address or beside it; the address may have a path', async t => {
  await using server = await scripted({ '/a/version': { lines: ['{"version":"1"}'] } })
  const { host } = server

  await createClient({ url: `http://${host}/a/` }).version()
  await createClient({ url: `http://al%C3%AFce:s%3Acret@${host}/a` }).version()
  await createClient({ url: `http://${host}/a`, credentials: { user: 'alïce', password: 's:cret' } }).version()
  await createClient({ url: `http://${host}/a`, credentials: { token: 'x.y.z' } }).version()

  const basic = `Basic ${Buffer.from('alïce:s:cret').toString('base64')}`
  t.strictSame(server.asked, [' /a/version', `${basic} /a/version`, `${basic} /a/version`, 'Bearer x.y.z /a/version'])
})

t.test('what stands in front of the peer and speaks otherwise is told as it is', async t => {
  await using server = await scripted({ '/id': { status: 502, lines: ['<h1>Bad Gateway</h1>\n'] }, '/version': { lines: ['no JSON'] } })

  await t.rejects(server.client().id(), { code: 502, message: '<h1>Bad Gateway</h1>' })
  await t.rejects(server.client().version(), { name: 'ClusterClientError', code: 0 })
})
