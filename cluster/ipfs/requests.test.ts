import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { FakeClock } from '../clock.ts'
import { parseEndpoint } from '../config/endpoint.ts'
import { jsonLines } from './kubo-reply.ts'
import { createRequests } from './requests.ts'
import type { Requests } from './requests.ts'

const { signal } = new AbortController()

interface Opened extends AsyncDisposable { readonly requests: Requests, readonly clock: FakeClock, readonly seen: IncomingMessage[], readonly port: number }

/** A daemon that answers with `answer`. */
async function daemon (answer: RequestListener, { apiAuth, socket }: { apiAuth?: string, socket?: string } = {}): Promise<Opened> {
  const seen: IncomingMessage[] = []
  const server = createServer((req, res) => { seen.push(req); answer(req, res) })
  server.listen(socket ?? { port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const { port } = (socket === undefined ? server.address() : { port: 0 }) as AddressInfo
  const clock = new FakeClock()
  const requests = createRequests({ clock }, { endpoint: parseEndpoint(socket === undefined ? `/ip4/127.0.0.1/tcp/${port}` : `/unix${socket}`), apiAuth })
  return {
    requests, clock, seen, port,
    async [Symbol.asyncDispose] () {
      await requests[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
    }
  }
}

const ok = (body: string): RequestListener => (_req, res) => { res.end(body) }

t.test('arguments keep their order and their repetitions', async t => {
  await using opened = await daemon(ok('{"ok":true}'))

  const answer = await opened.requests.json('pin/update', { query: [['arg', 'b'], ['arg', 'a&ü'], ['unpin', 'false']], signal })

  t.strictSame(answer, { ok: true })
  t.match(opened.seen[0], { method: 'POST', url: '/api/v0/pin/update?arg=b&arg=a%26%C3%BC&unpin=false' })
})

t.test('credentials are sent as the daemon expects them', async t => {
  await using basic = await daemon(ok('{}'), { apiAuth: 'basic:me:se:cret' })
  await using bearer = await daemon(ok('{}'), { apiAuth: 'bearer:tok:en' })

  await basic.requests.json('id', { signal })
  await bearer.requests.json('id', { signal })

  t.equal(basic.seen[0]?.headers.authorization, `Basic ${Buffer.from('me:se:cret').toString('base64')}`)
  t.equal(bearer.seen[0]?.headers.authorization, 'Bearer tok:en')
})

t.test('a daemon on a unix socket is reached', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'quorum-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await using opened = await daemon(ok('{"ID":"x"}'), { socket: join(folder, 'api.sock') })

  t.strictSame(await opened.requests.json('id', { signal }), { ID: 'x' })
})

t.test('what the daemon says of an error comes to the letter, JSON or plain text', async t => {
  const answers = [[500, '{"Message":"path \'x\' is not pinned","Code":0,"Type":"error"}\n'], [400, 'argument "ipfs-path" is required\n'], [403, '403 - Forbidden']] as const
  await using opened = await daemon((_req, res) => {
    const [status, body] = answers[opened.seen.length - 1]!
    res.writeHead(status).end(body)
  })

  await t.rejects(opened.requests.json('x', { signal }), { code: 'ERR_IPFS_REPLIED', message: 'path \'x\' is not pinned', status: 500, kuboCode: 0 })
  await t.rejects(opened.requests.json('x', { signal }), { message: 'argument "ipfs-path" is required', status: 400 })
  await t.rejects(opened.requests.json('x', { signal }), { message: '403 - Forbidden', status: 403 })
})

t.test('an error in the trailer is thrown after what came before it', async t => {
  await using opened = await daemon((_req, res) => {
    res.writeHead(200, { trailer: 'X-Stream-Error' })
    res.write('{"Progress":1}\n')
    res.addTrailers({ 'X-Stream-Error': Buffer.from('größer als erlaubt').toString('latin1') })
    res.end()
  })
  const { body } = await opened.requests.post('pin/add', { signal })
  const lines: unknown[] = []

  const reading = (async () => { for await (const line of jsonLines(body)) lines.push(line) })()

  await t.rejects(reading, { code: 'ERR_IPFS_REPLIED', message: 'größer als erlaubt' })
  t.strictSame(lines, [{ Progress: 1 }])
})

t.test('an answer that breaks off is an error, not an end', async t => {
  await using opened = await daemon((_req, res) => {
    res.writeHead(200)
    res.write('{"Progress":1}\n', () => { res.destroy() })
  })
  const { body } = await opened.requests.post('pin/add', { signal })

  await t.rejects(Array.fromAsync(jsonLines(body)), { code: 'ERR_IPFS_UNREACHABLE' })
})

t.test('who gives up is let go at once, before and after the answer has begun, and the daemon learns of it', async t => {
  const gone = Promise.withResolvers<void>()
  await using opened = await daemon((req, res) => {
    if (req.url === '/api/v0/mute') res.once('close', gone.resolve)
    else res.write('{}\n')
  })
  const first = new AbortController()
  const second = new AbortController()

  const mute = opened.requests.post('mute', { signal: first.signal })
  while (opened.seen.length === 0) await new Promise(resolve => setImmediate(resolve))
  first.abort(new Error('no patience'))
  await t.rejects(mute, { message: 'no patience' })
  await gone.promise
  const { body } = await opened.requests.post('talking', { signal: second.signal })
  second.abort(new Error('heard enough'))

  await t.rejects(Array.fromAsync(body), { message: 'heard enough' })
})

t.test('a request that may take so long and no longer ends with what it was', async t => {
  await using opened = await daemon(() => {})
  const waiting = opened.requests.json('id', { signal, timeoutMs: 5_000 })
  while (opened.seen.length === 0) await new Promise(resolve => setImmediate(resolve))

  opened.clock.advance(5_000)

  await t.rejects(waiting, { code: 'ERR_TIMEOUT', message: 'id took longer than 5000 ms' })
})

t.test('a body is pulled no faster than the daemon takes it', async t => {
  let pulled = 0
  async function * endless (): AsyncGenerator<Uint8Array> {
    for (;;) {
      pulled += 64
      yield Buffer.alloc(64 << 10)
    }
  }
  const held: ServerResponse[] = []
  await using opened = await daemon((req, res) => { req.pause(); held.push(res) })
  const giving = new AbortController()

  const sending = opened.requests.post('dag/import', { body: endless(), signal: giving.signal })
  let before = -1
  while (before !== pulled || held.length === 0) {
    before = pulled
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  giving.abort(new Error('enough'))

  await t.rejects(sending, { message: 'enough' })
  t.ok(pulled < 32 << 10, `${pulled} KiB were pulled`)
})

t.test('while the daemon is away requests wait for one probe a second, and go on when it is back', async t => {
  const clock = new FakeClock()
  let isBack = false
  const server = createServer((_req, res) => res.end('{"Version":"x"}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  await using requests = createRequests({ clock }, { endpoint: parseEndpoint(`/ip4/127.0.0.1/tcp/${port}`), apiAuth: undefined })
  for (let i = 0; i < 10; i++) await t.rejects(requests.json('id', { signal }), { code: 'ERR_IPFS_UNREACHABLE', message: /ECONNREFUSED/ })

  const slowed = Promise.allSettled([requests.json('id', { signal }), requests.json('id', { signal })]).then(outcomes => { isBack = true; return outcomes })
  await new Promise(resolve => setImmediate(resolve))
  t.equal(isBack, false, 'they wait')
  clock.advance(1_000)
  t.match(await slowed, [{ status: 'rejected' }, { status: 'rejected' }], 'and fail with the probe')
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const waiting = requests.json('id', { signal })
  await new Promise(resolve => setImmediate(resolve))
  clock.advance(1_000)

  t.strictSame(await waiting, { Version: 'x' })
  server.closeAllConnections()
  server.close()
})
