import t from 'tap'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import type { ProxyAlone } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import type { ScriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'

const refusal = (status: string, text: string, headers = ''): string => `HTTP/1.1 ${status}\r\n${headers}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\n\r\n${text}`
const value = (json: string): string => `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${(json.length + 1).toString(16)}\r\n${json}\n\r\n0\r\n\r\n`
const originOf = (head: string): string | undefined => /\r\nOrigin: (.*)/.exec(head)?.[1]

/** As much of a Kubo as a guard sees: tokens, origins, and the order of its checks. */
async function guardedDaemon ({ token, allowed = [] }: { token?: string, allowed?: readonly string[] }): Promise<ScriptedDaemon> {
  return await scriptedDaemon((socket, head) => {
    const origin = originOf(head)
    const isAllowed = origin !== undefined && [...allowed, `http://localhost:${socket.localPort}`].includes(origin)
    const cors = isAllowed ? `Access-Control-Allow-Origin: ${origin}\r\n` : ''
    if (token !== undefined && !head.includes(`\r\nAuthorization: ${token}`)) return socket.write(refusal('403 Forbidden', 'no token\n'))
    if (origin !== undefined && !isAllowed) return socket.write(refusal('403 Forbidden', '403 - Forbidden\n', 'Vary: Origin\r\n'))
    if (head.includes('__probe__')) return socket.write(refusal('400 Bad Request', 'invalid encoding: __probe__\n', `${cors}Server: kubo/test\r\nVary: Origin\r\nX-Own: one\r\nX-Own: two\r\n`))
    if (head.includes('/pin/ls')) return socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
    socket.write(value(head.includes('/repo/stat') ? '{"RepoSize":1,"StorageMax":18446744073709551615,"NumObjects":3,"RepoPath":"/r","Version":"fs-repo@18"}' : '{}'))
  })
}

async function ask (proxy: ProxyAlone, path: string, headers = ''): Promise<string> {
  const client = proxy.connect()
  client.write(`POST /api/v0/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}Content-Length: 0\r\n\r\n`)
  return await readAll(client)
}
const since = (daemon: ScriptedDaemon, from: number): readonly string[] => daemon.heads.slice(from)

t.test('a caller without a token gets the refusal of the daemon, and nothing is done with the token of the proxy', async t => {
  await using daemon = await guardedDaemon({ token: 'Bearer ours' })
  await using proxy = await proxyAlone(daemon.multiaddr, { api_auth: 'bearer:ours' })
  const from = daemon.heads.length

  const answer = await ask(proxy, 'pin/rm?arg=bafkqaaa')

  t.match(answer, /^HTTP\/1\.1 403 Forbidden[^]*no token\n$/)
  t.notOk(since(daemon, from).some(head => head.includes('Bearer ours')), 'the token of the proxy was never shown')
})

t.test('a caller with a token is let in, and then the proxy acts with its own', async t => {
  await using daemon = await guardedDaemon({ token: 'Bearer ours' })
  await using proxy = await proxyAlone(daemon.multiaddr, { api_auth: 'bearer:ours' })

  const answer = await ask(proxy, 'pin/ls?type=recursive', 'Authorization: Bearer ours\r\n')

  t.match(answer, /^HTTP\/1\.1 200 OK/)
})

t.test('what passes through carries the token of its caller only', async t => {
  await using daemon = await guardedDaemon({ token: 'Bearer ours' })
  await using proxy = await proxyAlone(daemon.multiaddr, { api_auth: 'bearer:ours' })
  const from = daemon.heads.length

  const answer = await ask(proxy, 'id')

  t.match(answer, /^HTTP\/1\.1 403/)
  t.notOk(since(daemon, from).some(head => head.includes('Bearer ours')))
})

t.test('an answer of ours carries the headers that the daemon gives this caller', async t => {
  await using daemon = await guardedDaemon({ allowed: ['http://good.example'] })
  await using proxy = await proxyAlone(daemon.multiaddr)

  const answer = await ask(proxy, 'pin/ls?type=recursive', 'Origin: http://good.example\r\n')

  t.equal(answer.split('\r\n\r\n')[0]!.replace(/Date: .*/, 'Date: x'), [
    'HTTP/1.1 200 OK',
    'Access-Control-Allow-Headers: X-Stream-Output, X-Chunked-Output, X-Content-Length',
    'Access-Control-Allow-Origin: http://good.example',
    'Access-Control-Expose-Headers: X-Stream-Output, X-Chunked-Output, X-Content-Length',
    'Content-Type: application/json',
    'Server: kubo/test',
    'Trailer: X-Stream-Error',
    'Vary: Origin',
    'X-Own: one',
    'X-Own: two',
    'Date: x',
    'Connection: close',
    'Transfer-Encoding: chunked'
  ].join('\r\n'))
})

t.test('a page that the daemon would not serve is not served', async t => {
  await using daemon = await guardedDaemon({})
  await using proxy = await proxyAlone(daemon.multiaddr)

  const answer = await ask(proxy, 'pin/add?arg=bafkqaaa', 'Origin: http://evil.example\r\n')

  t.match(answer, /^HTTP\/1\.1 403 Forbidden[^]*403 - Forbidden\n$/)
  t.equal(await proxy.cluster.state.count(), 0)
})

t.test('a page of the port of the proxy is to the daemon one of its own', async t => {
  await using daemon = await guardedDaemon({})
  await using proxy = await proxyAlone(daemon.multiaddr)
  const own = `http://localhost:${proxy.port}`

  const answers = [await ask(proxy, 'pin/ls', `Origin: ${own}\r\n`), await ask(proxy, 'id', `Origin: ${own}\r\n`)]

  t.match(answers[0], `Access-Control-Allow-Origin: ${own}\r\n`)
  t.match(answers[1], /^HTTP\/1\.1 200 OK/)
})

t.test('callers that no guard looks at are not asked about again', async t => {
  await using daemon = await guardedDaemon({})
  await using proxy = await proxyAlone(daemon.multiaddr)
  await ask(proxy, 'repo/stat')
  const from = daemon.heads.length

  await ask(proxy, 'repo/stat', 'User-Agent: go-ipfs-cmds/http\r\n')

  t.strictSame(since(daemon, from).map(head => head.split(' ')[1]), ['/api/v0/repo/stat'])
})

t.test('a daemon that comes back may have other rules', async t => {
  await using daemon = await guardedDaemon({})
  await using proxy = await proxyAlone(daemon.multiaddr)
  await ask(proxy, 'repo/stat')

  for (const socket of daemon.connections) socket.destroy()
  await eventually('the connections are gone', () => daemon.connections.size === 0)
  const from = daemon.heads.length
  await ask(proxy, 'repo/stat')

  t.match(since(daemon, from)[0], /^POST \/api\/v0\/version\?encoding=__probe__ /)
})
