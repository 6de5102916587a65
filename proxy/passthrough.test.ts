import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import t from 'tap'
import { freePort } from '../cluster/consensus/raft/processes/ports.ts'
import { createLogger } from '../cluster/log.ts'
import { closed } from '../ipfs-compat-tests/harness/closed.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import { selfSigned } from '../ipfs-compat-tests/harness/self-signed.ts'
import type { Answer } from '../ipfs-compat-tests/harness/scripted-daemon.ts'

const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
/** The proxy asks for its own address when it starts; tests are about what comes after. */
const scripted = (answer: Answer, options?: Parameters<typeof scriptedDaemon>[1]) =>
  scriptedDaemon((socket, head, rest) => head.includes('X-Own-Address-Check') ? socket.write(empty) : answer(socket, head, rest), options)
const post = (path: string, headers = ''): string => `POST /api/v0/${path} HTTP/1.1\r\nHost: proxy.example\r\n${headers}\r\n`
const isWhole = (text: string): boolean => text.endsWith('0\r\n\r\n') || /\r\n0\r\n[^]*\r\n\r\n$/.test(text)

t.test('an answer comes out as it went in: order, case, repeats, chunks, trailers', async t => {
  const answer = 'HTTP/1.1 200 Fine\r\nx-B: 2\r\nX-a: 1\r\nX-a: 3\r\nTrailer: X-Stream-Error\r\nDate: Sun, 22 Nov 2026 07:31:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Stream-Error: g\xc3\xbct & <long>\r\n\r\n'
  await using daemon = await scripted(socket => socket.write(Buffer.from(answer, 'latin1')))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('id', 'Content-Length: 0\r\n'))

  t.equal(await readAll(client, isWhole), answer)
  client.destroy()
})

t.test('a request goes in as it came, but for what belongs to the connection', async t => {
  await using daemon = await scripted(socket => socket.write(empty))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('cat?arg=a%20b&x=\xff;y', 'X-One: 1\r\nx-two: 2\r\nAuthorization: Bearer mine\r\nUser-Agent: curl\r\nTE: trailers\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 0\r\n').replace('\xff', '%ff'))
  await readAll(client, text => text.endsWith('\r\n\r\n'))

  const head = daemon.heads.at(-1)!
  t.match(head, /^POST \/api\/v0\/cat\?arg=a%20b&x=%ff;y HTTP\/1\.1\r\n/)
  t.match(head, /\r\nX-One: 1\r\nx-two: 2\r\nAuthorization: Bearer mine\r\nUser-Agent: curl/)
  t.notMatch(head, /upgrade: h2c|\r\nTE:|proxy\.example/i)
  client.destroy()
})

t.test('the client is told at once that an answer has begun, by each byte of its head', async t => {
  await using daemon = await scripted(socket => socket.write(Buffer.from('HTTP/1.1 200 OK\r\nX-Name: z\xc3\xbc\r\nTransfer-Encoding: chunked\r\n\r\n', 'latin1')))
  await using proxy = await proxyAlone(daemon.multiaddr)
  for (const header of ['', 'TE: trailers\r\n']) {
    const client = proxy.connect()

    client.write(post('log/tail', `${header}Content-Length: 0\r\n`))

    t.match(await readAll(client, text => text.includes('\r\n\r\n')), /^HTTP\/1\.1 200 OK\r\nX-Name: z\xc3\xbc\r\n/)
    client.destroy()
  }
})

t.test('an answer that the daemon breaks off is broken off', async t => {
  await using daemon = await scripted(socket => { socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', () => socket.destroy()) })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('cat', 'Content-Length: 0\r\n'))

  const got = await readAll(client).catch((err: NodeJS.ErrnoException) => err.code)
  t.notMatch(got, /\r\n0\r\n\r\n$/, 'never an orderly end')
  client.destroy()
})

t.test('a client that goes ends its request at the daemon', async t => {
  const arrived = Promise.withResolvers<Socket>()
  await using daemon = await scripted(socket => arrived.resolve(socket))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  client.write(post('pin/verify', 'Content-Length: 0\r\n'))
  const upstream = await arrived.promise

  client.destroy()

  await closed(upstream)
  t.pass('closed')
})

t.test('a client that closes its connection is told so where Go tells it', async t => {
  await using daemon = await scripted(socket => socket.write('HTTP/1.1 200 OK\r\nVary: Origin\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('id', 'connection: close\r\nTE: trailers\r\nContent-Length: 0\r\n'))

  t.equal(await readAll(client), 'HTTP/1.1 200 OK\r\nVary: Origin\r\nDate: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
})

t.test('heads of nearly a mebibyte pass, both ways', async t => {
  const long = 'x'.repeat(900_000)
  await using daemon = await scripted((socket, head) => socket.write(`HTTP/1.1 200 OK\r\nX-Long: ${head.includes(long) ? long : 'short'}\r\nContent-Length: 0\r\n\r\n`))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post(`cat?arg=${long}`, 'Content-Length: 0\r\n'))

  t.equal((await readAll(client, text => text.endsWith('\r\n\r\n'))).length, `HTTP/1.1 200 OK\r\nX-Long: ${long}\r\nContent-Length: 0\r\n\r\n`.length)
  client.destroy()
})

t.test('the daemon may be behind a unix socket', async t => {
  await using daemon = await scripted(socket => socket.write(empty), { path: join(tmpdir(), `quorum-${randomUUID()}.sock`) })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('id', 'Content-Length: 0\r\n'))

  t.match(await readAll(client, text => text.endsWith('\r\n\r\n')), /^HTTP\/1\.1 200 OK/)
  client.destroy()
})

t.test('a request is never sent twice', async t => {
  await using daemon = await scripted(socket => socket.destroy())
  await using proxy = await proxyAlone(daemon.multiaddr)
  const from = daemon.heads.length
  const client = proxy.connect()

  client.write(post('key/gen?arg=once', 'Content-Length: 0\r\n'))

  t.match(await readAll(client, text => text.includes('}')), /^HTTP\/1\.1 502 Bad Gateway/)
  t.equal(daemon.heads.length - from, 1)
  client.destroy()
})

t.test('long trailers pass', async t => {
  const answer = `HTTP/1.1 200 OK\r\nTrailer: X-Stream-Error\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Stream-Error: ${'e'.repeat(60_000)}\r\n\r\n`
  await using daemon = await scripted(socket => socket.write(answer))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('repo/verify', 'Content-Length: 0\r\n'))

  t.equal(await readAll(client, text => text.endsWith('e\r\n\r\n')), answer)
  client.destroy()
})

t.test('no query is ever logged', async t => {
  let logged = ''
  const log = createLogger(line => { logged += line }, new Map([['*', 'debug']]))
  await using daemon = await scripted(socket => socket.destroy())
  await using proxy = await proxyAlone(daemon.multiaddr, {}, log)

  for (const path of ['id', 'pin/add']) {
    const client = proxy.connect()
    client.write(post(`${path}?arg=x&api-auth=bearer:hush`, 'Connection: close\r\nContent-Length: 0\r\n'))
    await readAll(client)
  }

  t.match(logged, 'cannot be reached')
  t.notMatch(logged, 'hush')
})

t.test('the daemon may speak TLS', async t => {
  const tls = await selfSigned()
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, tls.cert])
  t.teardown(() => setDefaultCACertificates(before))
  await using daemon = await scripted(socket => socket.write(empty), { tls })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('id', 'Content-Length: 0\r\n'))

  t.match(await readAll(client, text => text.endsWith('\r\n\r\n')), /^HTTP\/1\.1 200 OK/)
  client.destroy()
})

t.test('without a daemon the answer says so, in the form of a Kubo error', async t => {
  await using proxy = await proxyAlone('/ip4/127.0.0.1/tcp/1')
  for (const path of ['id', 'pin/ls', 'repo/stat']) {
    const client = proxy.connect()
    client.write(post(path, 'Connection: close\r\nContent-Length: 0\r\n'))

    const answer = await readAll(client)

    t.match(answer, /^HTTP\/1\.1 502 Bad Gateway\r\n[^]*\{"Message":"the IPFS daemon at http:\/\/127\.0\.0\.1:1 cannot be reached: [^]*ECONNREFUSED[^]*","Code":0,"Type":"error"\}\n$/, path)
  }
})

t.test('a proxy whose daemon is itself does not start', async t => {
  const port = await freePort()

  await t.rejects(proxyAlone(`/dns4/localhost/tcp/${port}`, { listen_multiaddress: `/ip4/127.0.0.1/tcp/${port}` }), {
    code: 'ERR_INVALID_ARGUMENT', message: /node_multiaddress: .* leads to the proxy itself/
  })
})
