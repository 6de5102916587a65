import t from 'tap'
import { parseEndpoint } from '../cluster/config/endpoint.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import type { ScriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import { commandRules, deniedOffLoopback } from './command-rules.ts'
import { proxySection } from './config.ts'
import { knownCommands } from './kubo-commands.ts'

interface Rules { readonly listen?: string, readonly allow?: readonly string[], readonly deny?: readonly string[] }

const rulesOf = ({ listen = '/ip4/127.0.0.1/tcp/9095', allow, deny }: Rules) => commandRules({ listenMultiaddress: [parseEndpoint(listen)], allow, deny })
const refused = (rules: Rules, paths: readonly string[]): readonly string[] => paths.filter(path => rulesOf(rules).refuses(path.startsWith('/') ? path : `/api/v0/${path}`))

t.test('on loopback nothing is refused unless the configuration says so', async t => {
  const all = [...knownCommands.keys(), '/debug/pprof/', 'something/new']

  t.strictSame(refused({}, all), [])
  t.strictSame(refused({ listen: '/unix/run/ipfs.sock' }, all), [])
  t.equal(rulesOf({}).isNeeded, false, 'and nothing need be asked')
})

t.test('off loopback what administers the daemon is refused, and what works with content is not', async t => {
  const rules = { listen: '/ip4/0.0.0.0/tcp/9095' }
  const administers = ['shutdown', 'config', 'config/replace', 'config/profile/apply', 'bootstrap/add', 'bootstrap/rm', 'bootstrap/rm/all', 'key/gen', 'key/rm', 'key/import', 'key/rename', 'swarm/peering/add', 'swarm/filters/rm', 'diag/profile', 'diag/cmds/clear', 'p2p/listen', 'mount', 'log/tail', 'log/level', 'pin/remote/service/add', '/debug/pprof/profile', '/logs']
  const works = ['add', 'pin/add', 'pin/rm', 'pin/ls', 'cat', 'get', 'ls', 'dag/import', 'dag/get', 'block/put', 'files/write', 'files/rm', 'id', 'version', 'config/show', 'key/ls', 'name/publish', 'swarm/peers', 'swarm/connect', 'swarm/filters', 'bootstrap/list', 'repo/stat', 'repo/gc', 'pin/remote/ls', 'diag/healthy', '/webui', '/version', '/ipfs/bafy/x', 'something/new']

  t.strictSame(refused(rules, administers), administers)
  t.strictSame(refused(rules, works), [])
  t.match(rulesOf(rules).notes, [/other machines can reach the proxy, so calls that administer the daemon are refused/])
})

t.test('a configuration that says something of calls is taken at its word off loopback too', async t => {
  const listen = '/ip4/0.0.0.0/tcp/9095'

  t.strictSame(refused({ listen, deny: [] }, ['shutdown', 'config']), [])
  t.match(rulesOf({ listen, deny: [] }).notes, [/may call everything/])
  t.strictSame(refused({ listen, allow: ['*'] }, ['shutdown', 'config', '/debug/vars']), [])
  t.strictSame(refused({ listen, deny: ['cat'] }, ['shutdown', 'cat']), ['cat'])
})

t.test('however a refused call is written it is refused', async t => {
  const rules = { deny: ['shutdown', 'key/*', 'repo/stat', 'pin/rm'] }
  const written = [
    'shutdown', 'shutdown/', 'shutdown/x', 'shutdown/%2e%2e', 'shutdown/..', 'shutdown/..%2fid', 'shutdown?x=1', 'SHUTDOWN', 'Shut%64own', '%73hutdown', '%53hutdown', 'shutdown/%2F', 'id/../shutdown', './shutdown', '%2fshutdown',
    'key/gen', 'key%2fgen', 'key/gen/name', 'key/soon', 'key/', 'stats/repo', 'stats/repo/', 'repo/stat', 'pin/rm/QmX', 'pin/rm/', 'pin/%72m/QmX', 'pin/rm/%ff',
    '/%61pi/v0/shutdown', '/api/%76%30/shutdown', '//api/v0/shutdown', '/api//v0/shutdown', '/x/../api/v0/shutdown', 'http://x/api/v0/shutdown', 'http:///api/v0/shutdown', 'HTTPS://x:1/api/v0/shutdown', 'ftp://x/api/v0/shutdown', 'x:/api/v0/shutdown', 'shutdown/%zz'
  ].map(path => path.startsWith('/') || path.includes(':/') ? path : `/api/v0/${path}`)

  t.strictSame(written.filter(target => !rulesOf(rules).refuses(target)), [])
  t.strictSame(refused(rules, ['keys', 'id', 'repo/gc', 'pin/rmx', 'cat/shutdown', 'log/level/shutdown', 'config/show', 'pin/ls/shutdown']), [], 'and nothing besides')
})

t.test('with a list of what is allowed, everything else is refused but version', async t => {
  const rules = { allow: ['pin/*', 'cat', 'config', '/webui*', 'refs/local'], deny: ['pin/rm'] }

  t.strictSame(refused(rules, ['pin/ls', 'pin/ls/QmX', 'pin/remote/ls', 'cat', 'cat/QmX', 'cat/', 'config', 'config/', '/webui', '/webui/', 'repo/ls', 'version']), [])
  const others = ['pin/rm', 'pin/rm/QmX', 'id', 'config/show', 'config/new-in-a-later-kubo', 'catalogue', 'version/deps', '/', '/debug/vars', '/version', 'refs', 'repo/gc']
  t.strictSame(refused(rules, others), others)
  t.strictSame(refused({ allow: ['*'], deny: ['version'] }, ['version']), ['version'], 'a refusal is stronger')
})

t.test('an entry that names no command is told of, and one that is no path is an error', async t => {
  t.strictSame(rulesOf({ deny: ['shutdwon', 'key/*', 'new/*', '/logs'] }).notes.map(note => /: (\S+) is no command/.exec(note)?.[1]), ['shutdwon', 'new/*'])
  t.strictSame(deniedOffLoopback.filter(entry => rulesOf({ deny: [entry] }).notes.length > 0), [], 'those refused by default are all known')
  t.throws(() => proxySection({ deny: ['a b'] }, {}), { message: /^api\.ipfsproxy\.deny: expected command paths/ })
  t.strictSame(proxySection({}, { CLUSTER_IPFSPROXY_DENY: 'shutdown, key/*', CLUSTER_IPFSPROXY_ALLOW: '*' }), { ...proxySection({}, {}), deny: ['shutdown', 'key/*'], allow: ['*'] })
})

const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const isAsked = (daemon: ScriptedDaemon): readonly string[] => daemon.heads.filter(head => !head.includes('X-Own-Address-Check'))

t.test('in no lane does a refused call reach the daemon', async t => {
  await using daemon = await scriptedDaemon(socket => socket.write(empty))
  await using proxy = await proxyAlone(daemon.multiaddr, { deny: ['shutdown', 'pin/add', '/debug/*'] })
  const lanes: Readonly<Record<string, string>> = {
    'plain bytes': 'POST /api/v0/shutdown HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'HTTP': 'POST /api/v0/shutdown HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nConnection: close\r\n\r\n',
    'an absolute target': 'POST ftp://x/%61pi/v0/shutdown HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'HTTP/1.0': 'POST /api/v0/shutdown HTTP/1.0\r\n\r\n',
    'an upload': 'POST /api/v0/shutdown HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc',
    'Expect': 'POST /api/v0/shutdown HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    'another method': 'GET /debug/pprof/profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'a preflight': 'OPTIONS /api/v0/shutdown HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n',
    'a method that is none': 'SHUT /api/v0/shutdown HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'raw UTF-8': 'POST /api/v0/shutdown?x=\xc3\xbc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'CONNECT': 'CONNECT /debug/pprof/profile HTTP/1.1\r\nHost: x\r\n\r\n',
    'a command of ours': 'POST /api/v0/pin/add?arg=bafkqaaa HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  }
  for (const [lane, request] of Object.entries(lanes)) {
    const client = proxy.connect()
    client.write(request, 'latin1')

    t.match(await readAll(client), lane === 'CONNECT' ? /^HTTP\/1\.1 40[03] / : /^HTTP\/1\.[01] 403 Forbidden\r\n/, lane)
    client.destroy()
  }
  t.strictSame(isAsked(daemon), [])
  t.equal(await proxy.cluster.state.count(), 0)
})

t.test('behind a request whose method is none no other request is smuggled', async t => {
  await using daemon = await scriptedDaemon(socket => socket.end(empty))
  await using proxy = await proxyAlone(daemon.multiaddr, { deny: ['shutdown'] })
  const client = proxy.connect()

  client.write('SMUGGLE /api/v0/id HTTP/1.1\r\nHost: x\r\n\r\nPOST /api/v0/shutdown HTTP/1.1\r\nHost: x\r\n\r\n')
  await readAll(client)

  t.strictSame(isAsked(daemon).map(head => head.split(' ')[0]), ['SMUGGLE'])
})

t.test('a connection goes on after a refusal', async t => {
  await using daemon = await scriptedDaemon(socket => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes'))
  await using proxy = await proxyAlone(daemon.multiaddr, { deny: ['shutdown'] })
  const client = proxy.connect()
  const post = (path: string, body = ''): string => `POST /api/v0/${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`

  client.write(post('id') + post('shutdown', 'abc') + post('id'))

  t.match(await readAll(client, text => text.split('yes').length > 2), /yes[^]*403 Forbidden[^]*\nHTTP[^]*yes$/)
  client.destroy()
})

t.test('a refusal is byte for byte that of a daemon whose API.Authorizations do not allow the call', async t => {
  const API = { Authorizations: { all: { AuthSecret: 'bearer:b', AllowedPaths: ['/api/v0'] }, alice: { AuthSecret: 'bearer:a', AllowedPaths: ['/api/v0/id'] } } }
  await using daemon = await startDaemon({ config: { API } })
  await using proxy = await proxyAlone(`/ip4/${daemon.host}/tcp/${daemon.port}`, { allow: ['id'] })
  await using bare = await proxyAlone(`/ip4/${daemon.host}/tcp/${daemon.port}`)
  const head = (rest: string): string => `POST /api/v0/add HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nConnection: close\r\n${rest}`
  const requests = [
    head('\r\n'), head('Content-Length: 5\r\n\r\nhello'), head(`Content-Length: ${1 << 20}\r\n\r\n${'x'.repeat(1000)}`), head('Expect: 100-continue\r\nContent-Length: 5\r\n\r\n'),
    head('Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'), head('Origin: http://evil.example\r\n\r\n'), 'POST /api/v0/add HTTP/1.0\r\nAuthorization: Bearer a\r\n\r\n',
    'GET /api/v0/add HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nConnection: close\r\n\r\n', 'OPTIONS /api/v0/add HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n'
  ]
  for (const request of requests) {
    const answers = await Promise.all([proxy, bare].map(async ({ connect }) => {
      const client = connect()
      client.write(request)
      return (await readAll(client)).replace(/Date: .*/, 'Date')
    }))
    t.match(answers[0], /^HTTP\/1\.[01] 403 /)
    t.equal(answers[0], answers[1], request.slice(0, 120))
  }
})
