/** The REST API over TLS speaks HTTP/2 with whoever can, as ipfs-cluster does. */
import { once } from 'node:events'
import { connect } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { request as requestOverTls } from 'node:https'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Test } from 'tap'
import { ClusterError } from '../cluster/api/errors.ts'
import type { ClusterApi } from '../cluster/ports.ts'
import type { Rest } from '../cluster/rest/server.ts'
import { closed } from './harness/closed.ts'
import { cid, infos, openRest, self } from './harness/rest-alone.ts'
import { selfSigned } from './harness/self-signed.ts'

const { cert, key } = await selfSigned()

interface Opened { readonly rest: Rest, readonly session: ClientHttp2Session, readonly port: number }

async function open (t: Test, settings: object = {}, verbs: Partial<ClusterApi> = {}): Promise<Opened> {
  t.testdir({ 'server.crt': cert, 'server.key': key })
  const rest = await openRest(t, { ssl_cert_file: 'server.crt', ssl_key_file: 'server.key', ...settings }, verbs)
  const { port } = rest.addresses[0] as { port: number }
  const session = connect(`https://127.0.0.1:${port}`, { ca: cert }).on('error', () => {})
  t.teardown(() => session.destroy())
  return { rest, session, port }
}

interface Answer { readonly headers: IncomingHttpHeaders, readonly text: string, readonly trailers: IncomingHttpHeaders }

async function answerOf (stream: ClientHttp2Stream): Promise<Answer> {
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', headers => { trailers = headers })
  const [headers] = await once(stream, 'response') as [IncomingHttpHeaders]
  return { headers, text: await text(stream), trailers }
}

const get = async ({ session }: Opened, path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> => await answerOf(session.request({ ':path': path, ...headers }))

t.test('many requests share one connection, streams and their trailers among them', async t => {
  const opened = await open(t, {}, { async * statusAll () { yield infos[0]!; throw new ClusterError('ERR_STORAGE', 'gone') } })

  const answers = await Promise.all(Array.from({ length: 20 }, async () => await get(opened, '/pins')))

  for (const answer of answers) t.match(answer, { headers: { ':status': 200 }, text: /^\{"cid".*\}\n$/, trailers: { 'x-stream-error': 'gone' } })
  t.match(await get(opened, '/version'), { headers: { ':status': 200, 'content-type': 'application/json' }, text: '{"version":"1"}\n' })
  t.match(await get(opened, '/nope'), { headers: { ':status': 404 } })
  t.equal(opened.session.alpnProtocol, 'h2')
})

t.test('who knows HTTP/1.1 only is served as well, with the limits that are configured', async t => {
  const { port } = await open(t)
  const ask = async (headers: Record<string, string>): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    requestOverTls({ host: '127.0.0.1', port, path: '/version', ca: cert, agent: false, headers }, response => { response.resume(); resolve(response.statusCode!) }).on('error', reject).end()
    return await promise
  }

  t.equal(await ask({}), 200)
  t.equal(await ask({ 'x-long': 'x'.repeat(9_000) }), 431)
})

t.test('passwords, foreign names and foreign pages are seen to', async t => {
  const guarded = await open(t, { basic_auth_credentials: { a: 'b' } })
  const bare = await open(t, {}, { unpin: () => { throw new Error('reached') } })

  t.match(await get(guarded, '/version'), { headers: { ':status': 401 } })
  t.match(await get(guarded, '/version', { authorization: `Basic ${btoa('a:b')}` }), { headers: { ':status': 200 } })
  t.match(await get(bare, '/version', { ':authority': 'evil.example' }), { headers: { ':status': 403 } })
  t.match(await get(bare, `/pins/${cid.toString()}`, { ':method': 'DELETE', origin: 'https://evil.example' }), { headers: { ':status': 403 } })
  await t.rejects(get(bare, '/version', { 'x-long': 'x'.repeat(9_000) }), 'headers above the limit')
})

t.test('a stream goes at the pace of its reader, and ends when the reader leaves', async t => {
  let told = 0
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  const { session } = await open(t, {}, {
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
  const stream = session.request({ ':path': '/pins' }).on('error', () => {})
  await once(stream, 'response')

  stream.close(8)

  await left
  t.ok(told < 1_000, `${told} were asked for`)
})

t.test('closing ends connections that are idle, and those with half of an upload', async t => {
  const { rest, session } = await open(t, {}, { self })
  const stream = session.request({ ':path': '/add', ':method': 'POST', 'content-type': 'multipart/form-data; boundary=x' }).on('error', () => {})
  stream.write('--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n')
  const ended = closed(session)
  await once(stream, 'response')

  await rest[Symbol.asyncDispose]()

  await ended
  t.ok(session.destroyed)
})
