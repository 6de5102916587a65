/** Who may use the REST API, and what comes of clients and daemons that go away. */
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { request as requestOverTls } from 'node:https'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import t from 'tap'
import { FakeClock, systemClock } from '../cluster/clock.ts'
import type { ClusterId } from '../cluster/api/peer.ts'
import type { PeerId } from '../cluster/api/pin.ts'
import type { ClusterApi } from '../cluster/ports.ts'
import type { Adder } from '../adder/adder.ts'
import { ClusterError } from '../cluster/api/errors.ts'
import { createIdentity, writeIdentity } from '../cluster/config/identity.ts'
import { silentLogger } from '../cluster/log.ts'
import { restSection } from '../cluster/rest/config.ts'
import { createRest } from '../cluster/rest/server.ts'
import type { Rest } from '../cluster/rest/server.ts'
import { closed } from './harness/closed.ts'
import { cid, infos, monitor, openRest, overview, self } from './harness/rest-alone.ts'
import { selfSigned } from './harness/self-signed.ts'

interface Answer { readonly status: number, readonly headers: IncomingHttpHeaders, readonly text: string, readonly trailers: NodeJS.Dict<string> }

async function ask (rest: Rest, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const [endpoint] = rest.addresses
  const where = endpoint!.kind === 'tcp' ? { host: endpoint!.host, port: endpoint!.port } : { socketPath: endpoint!.path }
  request({ ...where, path, method, headers, agent: false }, response => {
    let text = ''
    response.setEncoding('utf8').on('data', chunk => { text += chunk }).on('error', reject)
    response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text, trailers: response.trailers }))
  }).on('error', reject).end()
  return await promise
}

t.test('with users configured only they get in; whether we are there is everybody\'s to ask', async t => {
  const rest = await openRest(t, { basic_auth_credentials: { alice: 'secret:1', bob: 'x' } })
  const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` })

  t.match(await ask(rest, '/version', basic('alice:secret:1')), { status: 200 })
  for (const wrong of ['alice:secret', 'alice:', 'bob:secret:1', 'carol:x', ':', 'alice', 'alice:secret:1\u0000']) {
    t.match(await ask(rest, '/version', basic(wrong)), { status: 401, text: /unauthorized: access denied/, headers: { 'www-authenticate': /^Basic realm=/ } }, wrong)
  }
  t.match(await ask(rest, '/version'), { status: 401, text: '{"code":401,"message":"unauthorized: no auth provided"}\n' })
  t.match((await ask(rest, '/version', {})).headers['www-authenticate'], /^Bearer realm=.*, Basic realm="Restricted IPFS Cluster API"$/)
  t.match(await ask(rest, '/version', { authorization: 'Digest x' }), { status: 401 })
  t.match(await ask(rest, '/health'), { status: 204 })
  t.match(await ask(rest, '/healthy'), { status: 401 })
  t.match(await ask(rest, '/version', {}, 'OPTIONS'), { status: 204 })
})

t.test('a token stands for the password that it was given for', async t => {
  const rest = await openRest(t, { basic_auth_credentials: { alice: 'secret', bob: 'x' } })
  const { token } = JSON.parse((await ask(rest, '/token', { authorization: `Basic ${btoa('alice:secret')}` }, 'POST')).text) as { token: string }
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
  const [header, claims, signature] = token.split('.') as [string, string, string]
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url')
  // Made by ipfs-cluster 1.1.6 for a user alice with this password.
  const fromGo = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhbGljZSJ9.cyNU8xTEDNzXijU9Vl5LF5aZ1Y2q91Q_q_VmSddkqII'

  t.equal(token, fromGo)
  t.match(await ask(rest, '/version', bearer(token)), { status: 200 })
  t.match(JSON.parse((await ask(rest, '/token', bearer(token), 'POST')).text), { token })
  const forged = [
    'x', '..', `${header}.${claims}.`, `${header}.${claims}`, `${header}.${part({ iss: 'bob' })}.${signature}`, `${header}.${part({})}.${signature}`,
    `${part({ alg: 'none' })}.${claims}.`, `${part({ alg: 'HS512' })}.${claims}.${signature}`, `${header}.${part({ iss: 'carol' })}.${signature}`, `${header}.${claims}.${signature}AA`
  ]
  for (const wrong of forged) {
    t.match(await ask(rest, '/version', bearer(wrong)), { status: 401, text: /unauthorized: invalid token/, headers: { 'www-authenticate': /^Bearer realm=.*error="invalid_token"$/ } }, wrong)
  }
})

t.test('without users there are no tokens', async t => {
  t.match(await ask(await openRest(t), '/token', {}, 'POST'), { status: 401, text: '{"code":401,"message":"unauthorized"}\n' })
})

t.test('a web page of another site cannot change anything', async t => {
  const rest = await openRest(t, { cors_allowed_origins: ['*'] }, { unpin: () => { throw new Error('reached') } })

  for (const origin of ['https://evil.example', 'null']) {
    t.match(await ask(rest, `/pins/${cid.toString()}`, { origin }, 'DELETE'), { status: 403, text: /not allowed for web pages of/ })
  }
  t.match(await ask(rest, '/version', { origin: 'https://evil.example' }), { status: 200, headers: { 'access-control-allow-origin': '*' } })
})

t.test('pages of the origins configured may do what is configured, others may not read', async t => {
  const rest = await openRest(t, { cors_allowed_origins: ['https://good.example'], cors_allowed_methods: ['GET', 'DELETE'], cors_allowed_headers: ['Authorization'], cors_max_age: '10s' }, {
    unpin: async () => { throw new ClusterError('ERR_PIN_NOT_FOUND', 'whatever') }
  })
  const preflight = { 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' }

  t.match(await ask(rest, `/pins/${cid.toString()}`, { origin: 'https://good.example' }, 'DELETE'), { status: 404 })
  t.match(await ask(rest, '/pins', { origin: 'https://good.example', ...preflight }, 'OPTIONS'), {
    headers: { 'access-control-allow-origin': 'https://good.example', 'access-control-allow-methods': 'DELETE', 'access-control-allow-headers': 'Authorization', 'access-control-max-age': '10' }
  })
  t.notOk('access-control-allow-credentials' in (await ask(rest, '/version', { origin: 'https://good.example' })).headers)
  for (const method of ['GET', 'OPTIONS']) {
    t.notOk('access-control-allow-origin' in (await ask(rest, '/version', { origin: 'https://other.example', ...preflight }, method)).headers, method)
  }
})

t.test('credentials are for pages of the origins that are named only', async t => {
  const origin = 'https://good.example'
  const named = await openRest(t, { cors_allowed_origins: [origin], cors_allow_credentials: true })
  const any = await openRest(t, { cors_allowed_origins: ['*'], cors_allow_credentials: true })

  t.match((await ask(named, '/version', { origin })).headers, { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'Origin' })
  const { headers } = await ask(any, '/version', { origin })
  t.strictSame([headers['access-control-allow-origin'], headers['access-control-allow-credentials']], ['*', undefined])
})

t.test('a name that somebody gave this machine\'s own address is not answered to', async t => {
  const rest = await openRest(t)
  const { port } = rest.addresses[0] as { port: number }

  t.match(await ask(rest, '/version', { host: `evil.example:${port}`, origin: `http://evil.example:${port}` }), { status: 403, text: /names \\"evil\.example\\"/ })
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) t.match(await ask(rest, '/version', { host }), { status: 200 }, host)
})

t.test('with users configured any name will do', async t => {
  const rest = await openRest(t, { basic_auth_credentials: { a: 'b' } })

  t.match(await ask(rest, '/version', { host: 'cluster.example', authorization: `Basic ${btoa('a:b')}` }), { status: 200 })
})

t.test('who comes over libp2p needs a password as anybody, and may call this peer as it likes', async t => {
  const { promise: opened, resolve: open } = Promise.withResolvers<(connection: Duplex) => void>()
  let isClosed = false
  const config = restSection({ http_listen_multiaddress: '/ip4/127.0.0.1/tcp/0', basic_auth_credentials: { alice: 'secret' } }, {})
  const rest = createRest({
    cluster: {} as ClusterApi, overview, monitor, adder: {} as Adder, traffic: () => new Map(), clock: systemClock, log: silentLogger, version: '1',
    overLibp2p: async serve => { open(serve); return { addresses: ['/libp2p'], async [Symbol.asyncDispose] () { isClosed = true } } }
  }, config, '')
  await rest.start({ signal: new AbortController().signal })
  const serve = await opened
  const call = async (headers: Record<string, string>): Promise<number> => {
    const [near, far] = duplexPair()
    serve(far)
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    request({ path: '/version', headers: { host: '12D3KooWPeer', ...headers }, createConnection: () => near as never }, response => { response.resume(); resolve(response.statusCode!) }).on('error', reject).end()
    return await promise
  }

  t.equal(await call({}), 401)
  t.equal(await call({ authorization: `Basic ${btoa('alice:secret')}` }), 200)
  await rest[Symbol.asyncDispose]()
  t.ok(isClosed)
})

t.test('a libp2p listener wants an address, an id and the key of that id', async t => {
  const { id, private_key: privateKey } = JSON.parse(writeIdentity(createIdentity())) as { id: string, private_key: string }
  const other = createIdentity().id
  const address = '/ip4/127.0.0.1/tcp/0'

  t.match(restSection({ libp2p_listen_multiaddress: [address], id, private_key: privateKey }, {}), { libp2pListenMultiaddress: [address], id })
  t.match(restSection({ libp2p_listen_multiaddress: '', id: '', private_key: '' }, {}), { libp2pListenMultiaddress: [], id: undefined }, 'as the Go program writes it')
  t.throws(() => restSection({ libp2p_listen_multiaddress: [address], id }, {}), { message: /^api\.restapi\.libp2p_listen_multiaddress, id, private_key: expected all three or none/ })
  t.throws(() => restSection({ libp2p_listen_multiaddress: [address], id: other, private_key: privateKey }, {}), { message: /the private key belongs to/ })
})

t.test('with a certificate the API speaks TLS, 1.2 at least; who comes without is told so', async t => {
  const { cert, key } = await selfSigned()
  const folder = t.testdir({ 'server.crt': cert, 'server.key': key })
  const rest = await openRest(t, { ssl_cert_file: 'server.crt', ssl_key_file: join(folder, 'server.key') })
  const { port } = rest.addresses[0] as { port: number }
  const get = async (options: object): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    requestOverTls({ host: '127.0.0.1', port, path: '/version', ca: cert, agent: false, ...options }, response => { response.resume(); resolve(response.statusCode!) }).on('error', reject).end()
    return await promise
  }

  t.equal(await get({}), 200)
  await t.rejects(get({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }))
  await t.rejects(get({ ca: [] }), { code: /SELF_SIGNED|UNABLE/ })
  t.match(await ask(rest, '/version'), { status: 400, headers: { connection: 'close' }, text: /"message":"Client sent an HTTP request to an HTTPS server\."/ }, 'without TLS that is all that is answered')
  t.notMatch(await text(connect(port, '127.0.0.1').end('hello\r\n\r\n')).catch(() => ''), /HTTP/, 'what is no HTTP either is cut off')
  t.match(rest.addresses, [{ secure: true }])
})

t.test('a certificate that cannot be read or used keeps the API shut, and says which setting it is', async t => {
  t.testdir({ 'not.pem': 'x' })

  await t.rejects(openRest(t, { ssl_cert_file: 'absent.crt', ssl_key_file: 'absent.key' }), { code: 'ERR_INVALID_ARGUMENT', message: /^api\.restapi: cannot read absent\.crt/ })
  await t.rejects(openRest(t, { ssl_cert_file: 'not.pem', ssl_key_file: 'not.pem' }), { code: 'ERR_INVALID_ARGUMENT', message: /^api\.restapi: ssl_cert_file, ssl_key_file: / })
  t.throws(() => restSection({ ssl_cert_file: 'a' }, {}), { message: /expected both or neither/ })
})

t.test('a stream that fails after its first line says so in the trailer, one that fails before in its status', async t => {
  const failure = new ClusterError('ERR_STORAGE', 'the disk\nis gone\u001b[2J')
  const late = await openRest(t, {}, { async * statusAll () { yield infos[0]!; throw failure } })
  const early = await openRest(t, {}, { async * statusAll () { throw failure } })

  t.match(await ask(late, '/pins'), { status: 200, headers: { trailer: 'X-Stream-Error' }, trailers: { 'x-stream-error': 'the disk is gone [2J' } })
  t.match(await ask(early, '/pins'), { status: 500, text: /"message":"the disk\\nis gone/ })
  t.match(await ask(late, '/pins?stream-error=line'), { status: 200, text: /^\{"cid".*\}\n\{"code":500,"message":"the disk\\nis gone.*"\}\n$/, trailers: { 'x-stream-error': 'the disk is gone [2J' } }, 'and in a line where that is asked for')
})

t.test('a garbage collection tells of each peer what went, what did not, and whether it failed itself', async t => {
  const away = '12D3KooWAway' as PeerId
  const rest = await openRest(t, {}, {
    async id () { return { clusterPeers: [self, away] } as unknown as ClusterId },
    async * repoGc () {
      yield { peer: self, key: cid.toString(), error: '' }
      yield { peer: self, key: '', error: 'a block that stays' }
      yield { peer: away, key: '', error: 'away', isOfPeer: true }
    }
  })

  const { text } = await ask(rest, '/ipfs/gc', {}, 'POST')

  t.strictSame(JSON.parse(text), { peer_map: {
    [self]: { peer: self, peername: '', keys: [{ key: cid.toString() }, { key: null, error: 'a block that stays' }] },
    [away]: { peer: away, peername: '', keys: [], error: 'away' }
  } })
})

t.test('a client of HTTP/1.0, which has no trailers, gets a stream whole, or sees it cut', async t => {
  const whole = await openRest(t)
  const late = await openRest(t, {}, { async * statusAll () { yield infos[0]!; throw new ClusterError('ERR_STORAGE', 'gone') } })
  const get = async ({ addresses: [endpoint] }: Rest): Promise<string> => {
    const socket = connect((endpoint as { port: number }).port, '127.0.0.1').end('GET /pins HTTP/1.0\r\nHost: localhost\r\n\r\n')
    return await text(socket).catch(() => 'cut')
  }

  const answer = await get(whole)

  t.match(answer, /^HTTP\/1\.[01] 200/)
  t.equal(answer.split('\n').filter(line => line.startsWith('{')).length, infos.length)
  t.notMatch(answer, /trailer|transfer-encoding/i)
  t.not((await get(late)).split('\n').filter(line => line.startsWith('{')).length, infos.length)
})

t.test('a stream goes at the pace of its reader, and ends when the reader leaves', async t => {
  let told = 0
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  const rest = await openRest(t, {}, {
    async * statusAll () {
      try {
        for (;;) {
          told++
          yield { ...infos[0]!, name: 'x'.repeat(60_000) }
        }
      } finally {
        leave()
      }
    }
  })
  const { host, port } = rest.addresses[0] as { host: string, port: number }
  const reading = request({ host, port, path: '/pins' }, response => response.once('data', () => { response.pause(); setImmediate(() => reading.destroy()) })).on('error', () => {})
  reading.end()

  await left

  t.ok(told < 1_000, `${told} were asked for`)
})

t.test('closing lets requests in flight end, then gives them up', async t => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const clock = new FakeClock()
  const cluster = { self, async id ({ signal }: { signal: AbortSignal }) { begin(); await new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)) }) } } as unknown as ClusterApi
  const rest = createRest({ cluster, overview, monitor, adder: {} as Adder, traffic: () => new Map(), clock, log: silentLogger, version: '1' }, restSection({ http_listen_multiaddress: '/ip4/127.0.0.1/tcp/0' }, {}), '')
  await rest.start({ signal: new AbortController().signal })
  const asked = ask(rest, '/id')
  await begun

  const closed = rest[Symbol.asyncDispose]()
  clock.advance(2_000)

  t.match(await asked, { status: 500, text: /shutting down/ })
  await closed
  await t.rejects(ask(rest, '/id'), { code: 'ECONNREFUSED' })
})

t.test('who has sent but half of a body does not keep the peer from stopping', async t => {
  const rest = await openRest(t)
  const [endpoint] = rest.addresses
  const client = request({ host: '127.0.0.1', port: endpoint!.kind === 'tcp' ? endpoint!.port : 0, path: '/add', method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': 1_000_000 } })
  const ended = closed(client)
  client.on('error', () => {}).on('response', response => response.resume())
  client.write('--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n')
  await once(client, 'response')

  await rest[Symbol.asyncDispose]()

  await ended
  t.ok(client.destroyed)
})

t.test('a unix socket is its owner\'s only, and one that was left behind is taken over', async t => {
  const path = join(tmpdir(), `quorum-rest-${process.pid}.sock`)
  t.teardown(() => rm(path, { force: true }))
  const leaver = spawn(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`])
  await once(leaver, 'exit')

  const rest = await openRest(t, { http_listen_multiaddress: `/unix${path}` })

  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.match(await ask(rest, '/version', { host: 'whoever.example' }), { status: 200 })
})

t.test('an address that is taken is refused, naming the setting', async t => {
  const first = await openRest(t)
  const { multiaddr } = first.addresses[0]!

  await t.rejects(openRest(t, { http_listen_multiaddress: multiaddr }), { code: 'ERR_STORAGE', message: `api.restapi.http_listen_multiaddress: cannot listen on ${multiaddr}: another process listens there` })
})

t.test('who sends a whole upload without TLS reads why it is not taken', async t => {
  const { cert, key } = await selfSigned()
  t.testdir({ 'server.crt': cert, 'server.key': key })
  const rest = await openRest(t, { ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' })
  const socket = connect((rest.addresses[0] as { port: number }).port, '127.0.0.1').on('error', () => {})
  const said = text(socket)
  socket.write('POST /add HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (let sent = 0; sent < 8; sent++) socket.write(Buffer.alloc(64 * 1024))
  socket.end()

  t.match(await said, /^HTTP\/1\.1 400 Bad Request\r\n/)
})

t.test('what is no request is refused as one would be', async t => {
  const rest = await openRest(t)
  const { port } = rest.addresses[0] as { port: number }

  t.match(await text(connect(port, '127.0.0.1').end('HELLO\r\n\r\n')), /^HTTP\/1.1 400 Bad Request\r\n[^]*\{"code":400,"message":"not an HTTP request"\}\n$/)
})

t.test('an upload that turns into rubbish ends the connection, and never adds to an answer that has begun', async t => {
  const rest = await openRest(t, {}, { async * statusAll () { yield infos[0]!; await new Promise(() => {}) } })
  const socket = connect((rest.addresses[0] as { port: number }).port, '127.0.0.1')
  socket.write('GET /pins HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
  const [first] = await once(socket, 'data') as [Buffer]
  socket.write('this is no chunk\r\n')
  const further = await text(socket).catch(() => '')

  t.match(String(first), /^HTTP\/1.1 200/)
  t.notMatch(further, /HTTP\/1.1/)
})

t.test('headers above the limit are refused', async t => {
  const rest = await openRest(t)

  t.match(await ask(rest, '/version', { 'x-long': 'x'.repeat(7_000) }), { status: 200 })
  t.match(await ask(rest, '/version', { 'x-long': 'x'.repeat(9_000) }), { status: 431 })
})

t.test('configured headers are on every answer', async t => {
  const rest = await openRest(t, { headers: { 'X-Served-By': ['a', 'b'] } })

  for (const path of ['/version', '/nope', '/pins']) t.match(await ask(rest, path), { headers: { 'x-served-by': 'a, b' } }, path)
})
