import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../cluster/consensus/raft/processes/ports.ts'
import { cleanEnv, runCtl } from '../ipfs-compat-tests/harness/process.ts'
import { startPeer } from '../ipfs-compat-tests/harness/peer.ts'
import { rpc } from '../ipfs-compat-tests/harness/rpc.ts'
import { temporaryFolder } from '../ipfs-compat-tests/harness/folder.ts'
import { createIdentity } from '../cluster/config/identity.ts'

t.setTimeout(1_800_000)

const overLibp2p = createIdentity()
const libp2pPort = await freePort()
const socketFolder = await temporaryFolder()
const socket = join(socketFolder.path, 'api.sock')
const peer = await startPeer({
  env: {
    CLUSTER_PEERNAME: 'alice',
    CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/0,/unix${socket}`,
    CLUSTER_RESTAPI_LIBP2PLISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${libp2pPort}`,
    CLUSTER_RESTAPI_ID: overLibp2p.id,
    CLUSTER_RESTAPI_PRIVATEKEY: Buffer.from(overLibp2p.privateKey).toString('base64')
  }
})
t.teardown(async () => {
  await peer[Symbol.asyncDispose]()
  await socketFolder[Symbol.asyncDispose]()
})
const host = `/ip4/127.0.0.1/tcp/${new URL(peer.rest).port}`
const { self } = peer.cluster
const ctl = async (...args: string[]) => await runCtl(['--host', host, ...args])
const stranger = '12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'
const hello = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'

async function tree (folder: string): Promise<string> {
  const path = join(folder, 'tree')
  await mkdir(join(path, 'sub', 'empty'), { recursive: true })
  await writeFile(join(path, 'a.txt'), 'hello\n')
  await writeFile(join(path, 'sub', 'ü b?.txt'), 'world\n')
  await writeFile(join(path, '.hidden'), 'secret')
  await symlink('a.txt', join(path, 'link'))
  return path
}

t.test('id, version and peers ls read as the Go tool prints them', async t => {
  const id = new RegExp(`^${self} \\| alice \\| Sees 0 other peers\n  > Addresses:\n    - /ip4/127.0.0.1/tcp/\\d+/p2p/${self}\n  > IPFS: ${peer.values.PEER_ID}\n`)

  t.match(await ctl('id'), { code: 0, out: id })
  t.match(await ctl('peers', 'ls'), { code: 0, out: id })
  t.match(await ctl('version'), { code: 0, out: /^\d+\.\d+\.\d+\n$/ })
  t.match(JSON.parse((await ctl('--enc', 'json', 'id')).out), { id: self, peername: 'alice' })
})

t.test('the same is said over libp2p and a unix socket, uploads too; --debug tells what is asked', async t => {
  const path = join(t.testdir({ 'large.bin': 'x'.repeat(3 << 20) }), 'large.bin')
  const { out } = await ctl('id')
  const libp2p = `/ip4/127.0.0.1/tcp/${libp2pPort}/p2p/${overLibp2p.id}`

  for (const other of [libp2p, `/unix${socket}`]) {
    t.match(await runCtl(['--host', other, 'id']), { code: 0, out }, other)
    t.match(await runCtl(['--host', other, 'add', '-Q', path]), { code: 0, out: /^Qm\w{44}\n$/ }, other)
  }
  t.match(await runCtl(['--debug', '--host', `/ip4/127.0.0.1/tcp/1/p2p/${overLibp2p.id},${host}`, 'version']), { code: 0, err: /^GET \/ip4\/127\.0\.0\.1\/tcp\/1\/p2p\/\w+ \/version\nGET \/ip4\S+ \/version\nanswered with 200\n$/ })
})

t.test('what was wrong with a pin is asked for by sync, and what goes between peers by health bandwidth', async t => {
  const cid = (await ctl('add', '-q', join(t.testdir({ 'sync.txt': 'sync' }), 'sync.txt'))).out.trim()

  t.match(await ctl('sync'), { code: 0, out: '' })
  t.match(await ctl('sync', '--local', cid), { code: 0, out: new RegExp(`^${cid}:\n    > alice {16}: PINNED`) })
  t.match(await ctl('health', 'bandwidth'), { code: 0, out: '' })
  t.match(await ctl('--enc=json', 'health', 'bandwidth'), { code: 0, out: '{}\n' })
})

t.test('audit tells what the daemon has lost, and mends it when told to', async t => {
  const cid = (await ctl('add', '-q', join(t.testdir({ 'audit.txt': 'audit' }), 'audit.txt'))).out.trim()
  t.match(await ctl('audit'), { code: 0, out: 'What was agreed on is what the daemons hold.\n' })
  t.match(await ctl('--enc=json', 'audit'), { code: 0, out: '' })
  await rpc(peer.daemon, `pin/rm?arg=${cid}`)

  t.match(await ctl('audit', '--repair'), { code: 0, out: new RegExp(`^${cid}[^\n]* \\| alice \\| MISSING\n${cid}[^\n]*:\n    > alice `) })
})

t.test('add fetches what an address leads to', async t => {
  const web = createServer((request, response) => { request.url === '/a%20b.txt?x=1' ? response.end('hello\n') : response.writeHead(404).end() }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.teardown(() => { web.closeAllConnections(); web.close() })
  const at = `http://127.0.0.1:${(web.address() as AddressInfo).port}`

  t.match(await ctl('add', `${at}/a%20b.txt?x=1`), { code: 0, out: `added ${hello} a b.txt\n` })
  t.match(await ctl('add', `${at}/nothing`), { code: 1, out: /\/nothing answered with 404/ })
  t.match(await ctl('add', '--nocopy', `${at}/a%20b.txt?x=1`), { code: 2, out: /Code: 400\n  Message: parameter nocopy invalid/ })
})

t.test('what is not pinned is not, with --no-pin, and --wait waits for all else', async t => {
  const path = join(t.testdir({ 'no-pin.txt': 'not pinned\n' }), 'no-pin.txt')
  const cid = (await ctl('add', '-q', '--no-pin', path)).out.trim()

  t.match(await ctl('pin', 'ls', cid), { code: 2, out: /Code: 404/ })
  t.match(await ctl('add', '--local', '--wait', '--wait-timeout', '2m', path), { code: 0, out: `added ${cid} no-pin.txt\n` })
  t.match(await ctl('pin', 'ls', cid), { code: 0, out: new RegExp(`^${cid} `) })
})

t.test('without a command the help is shown, and commands are listed', async t => {
  t.match(await runCtl([]), { code: 0, out: /usage: ipfs-cluster-ctl \[global flags\] <command>[^]*examples:\n/ })
  t.match(await runCtl(['pin']), { code: 0, out: /^ipfs-cluster-ctl pin <command>\n[^]*examples:\n/ })
  t.match(await runCtl(['commands']), { code: 0, out: /\nipfs-cluster-ctl pin add\n/ })
  t.match(await runCtl(['completion', 'bash']), { code: 0, out: /\ncomplete -o filenames -F/ })
})

t.test('add takes a folder with all that is in it but what is hidden', async t => {
  const path = await tree(t.testdir())

  const { code, out } = await ctl('add', '--recursive', '--name', 'my tree', path)

  t.equal(code, 0)
  t.strictSame(out.trim().split('\n').map(line => line.replace(/^added \w+ /, '')).sort(), ['tree', 'tree/a.txt', 'tree/link', 'tree/sub', 'tree/sub/empty', 'tree/sub/ü b?.txt'])
  t.match((await ctl('pin', 'ls')).out, / \| my tree \| PIN \| Repl\. Factor: -1 \| Allocations: \[everywhere\] \| Recursive \| Metadata: no \| Exp: ∞ \| Added: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n/)
  t.match((await ctl('add', '-r', '-H', path)).out, / tree\/\.hidden\n/)
})

t.test('add prints less, or JSON, when asked to', async t => {
  const path = join(t.testdir({ 'a.txt': 'hello\n' }), 'a.txt')

  t.match(await ctl('add', '-q', path), { code: 0, out: `${hello}\n` })
  t.match(await ctl('add', '-Q', '-w', path), { code: 0, out: /^Qm\w{44}\n$/ })
  t.match(JSON.parse((await ctl('--enc=json', 'add', path)).out), { name: 'a.txt', cid: hello, size: 14, allocations: [self] })
  t.match(JSON.parse((await ctl('--enc=json', 'add', '--no-stream', '-w', path)).out), [{ name: 'a.txt' }, { name: '' }])
  t.match(await ctl('add', path, path.replace('a.txt', 'nope')), { code: 1, err: /ENOENT/ })
  t.match(await ctl('add', join(path, '..')), { code: 1, err: /is a directory, use the '-r' flag/ })
})

t.test('pin add, status, update, rm: a pin\'s life', async t => {
  await ctl('add', join(t.testdir({ 'a.txt': 'hello\n', 'b.txt': 'other\n' }), 'a.txt'))
  const other = (await ctl('add', '-q', join(t.testdirName, 'b.txt'))).out.trim()
  const status = new RegExp(`^${hello} \\| mine:\n    > alice {16}: PINNED \\| \\d{4}-\\S+Z \\| Attempts: \\d \\| Priority: (true|false)\n$`)

  t.match(await ctl('pin', 'add', '--wait', '--name', 'mine', '--metadata', 'a=b', '--expire-in', '1h', hello), { code: 0, out: status })
  t.match(await ctl('status', hello), { code: 0, out: status })
  t.match(await ctl('pin', 'add', '--wait', '--ns', '--name=mine', `/ipfs/${hello}`), { code: 0, out: new RegExp(`^${hello} \\| mine \\| PIN \\|`) })
  t.match(await ctl('pin', 'update', '--wait', hello, other), { code: 0, out: new RegExp(`^${other} \\| mine:\n.*PINNED`) })
  t.match(await ctl('status', hello, other), { code: 0, out: new RegExp(`${hello}[^]*${other}`) })
  t.match(await ctl('status', '--filter', 'pin_error'), { code: 0, out: '' })
  t.match(await ctl('recover', hello), { code: 0, out: /PINNED/ })
  t.match(await ctl('recover'), { code: 0, out: '' })
  t.match(await ctl('pin', 'rm', '--wait', hello), { code: 0, out: new RegExp(`^${hello}:\n    > alice {16}: UNPINNED`) })
  t.match(await ctl('pin', 'rm', hello), { code: 2, out: 'An error occurred:\n  Code: 404\n  Message: pin is not part of the pinset\n' })
  t.match(await ctl('--enc', 'json', 'pin', 'ls', hello), { code: 2, out: '{\n    "code": 404,\n    "message": "pin is not part of the pinset"\n}\n' })
})

t.test('metrics, alerts, the graph and reasons read as the Go tool prints them', async t => {
  const cid = (await ctl('add', '-q', join(t.testdir({ 'why.txt': 'why' }), 'why.txt'))).out.trim()
  const graph = (await ctl('health', 'graph')).out

  t.match(await ctl('health', 'metrics'), { code: 0, out: 'freespace\nping\npinqueue\n' })
  t.match(await ctl('health', 'metrics', 'freespace'), { code: 0, out: new RegExp(`^${self} \\| freespace: [\\d.]+ [kMGT]B \\| Expires in: \\d+ seconds? from now\n$`) })
  t.match(await ctl('health', 'alerts'), { code: 0, out: '' })
  t.match(await ctl('--enc=json', 'health', 'alerts'), { code: 0, out: '[]\n' })
  t.match(graph, new RegExp(`C0 \\[label=< <B> alice </B> <BR/> <B> 12\\*${self.slice(-6)} </B> > group="${self}" .* peripheries="2" ]\n`))
  t.match(graph, /\nI0 \[label=< <B> IPFS <[^]*\nC0 -> I0\n/)
  t.match(await ctl('pin', 'why', cid), { code: 0, out: `${self} | CHOSEN | everywhere\n` })
  t.match(await ctl('ipfs', 'gc', '--local'), { code: 0, out: /^alice +\n  > CIDs:\n/ })
  t.match(await ctl('status', '--local', cid), { code: 0, out: /PINNED/ })
})

t.test('peers add and rm say what the peer answers', async t => {
  t.match(await ctl('peers', 'rm', self), { code: 2, out: /Code: 400\n  Message: .* is the only member left/ })
  t.match(await ctl('peers', 'rm', 'nobody'), { code: 1, out: '', err: /parsing peer ID: not a peer id: "nobody"/ })
  t.match(await ctl('peers', 'add', self), { code: 0, out: new RegExp(`^${self} \\| alice`) })
  t.match(await ctl('peers', 'add', stranger), { code: 2, out: /is not a member of this cluster\. A peer joins by itself/ })
})

t.test('who may change the pinset is shown, and the last who may keeps it', async t => {
  t.match(await ctl('peers', 'trusted'), { code: 0, out: 'all members may change the pinset\n' })
  t.strictSame(JSON.parse((await ctl('--enc=json', 'peers', 'trusted')).out), { everyone: true, peers: [] })
  t.match(await ctl('peers', 'trust', self), { code: 0, out: 'all members may change the pinset\n' })
  t.match(await ctl('peers', 'untrust', self), { code: 2, out: /Code: 400\n  Message: .* is the only peer that may change the pinset/ })
  t.match(await ctl('peers', 'untrust', stranger), { code: 2, out: /Code: 400\n  Message: .* is not a member of this cluster/ })
  t.match(await ctl('peers', 'trust', 'nobody'), { code: 1, out: '', err: /parsing peer ID: not a peer id: "nobody"/ })
})

t.test('whatever is in a name, it does not reach the terminal as it is', async t => {
  const name = 'a\u001b[2J\u009b31m\u202ebad\r\n'
  const path = join(t.testdir(), `file\u001b]0;title\u0007`)
  await writeFile(path, 'x')
  const { out } = await ctl('add', '--name', name, path)
  const cid = /added (\w+)/.exec(out)![1]!

  for (const args of [['status', cid], ['pin', 'ls', cid], ['--enc=json', 'status', cid], ['--enc=json', 'pin', 'ls', cid]]) {
    const shown = (await ctl(...args)).out
    t.match(shown, /a\\u001b\[2J\\u009b31m\\u202ebad/, args.join(' '))
    t.notMatch(shown.replaceAll('\n', ''), /[\p{Cc}\u202e]/u)
  }
  t.match(out, /file\\u001b\]0;title\\u0007/)
})

t.test('what fails has the Go tool\'s exit codes', async t => {
  const nobody = `/ip4/127.0.0.1/tcp/${await freePort()}`
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { silent.closeAllConnections(); silent.close() })

  t.match(await runCtl(['--host', nobody, 'id']), { code: 1, out: /^An error occurred:\n  Code: 0\n  Message: connect ECONNREFUSED/ })
  t.match(await runCtl(['--host', `${nobody},${host}`, 'version']), { code: 0 }, 'the next host is tried')
  t.match(await runCtl(['--host', `/ip4/127.0.0.1/tcp/${(silent.address() as AddressInfo).port}`, '--timeout', '1', 'id']), { code: 62, err: /no answer within 1 s/ })
  t.match(await ctl('status', 'nonsense'), { code: 1, out: '', err: /parsing cid: "nonsense" is none/ })
  for (const [args, said] of [
    [['pin', 'ad', hello], /expected one of add, rm, update, ls, why, got ad/],
    [['pin', 'add'], /expected 1 argument, got 0/],
    [['pin', 'add', '--nmae', 'x', hello], /unknown flag --nmae for pin add \(did you mean name\?\)/],
    [['pin', 'add', '--metadata', 'x', hello], /--metadata: expected key=value/],
    [['--enc', 'yaml', 'id'], /--encoding: expected text or json/],
    [['--host', 'localhost', 'id'], /--host: expected a multiaddr/],
    [['--host', '/ip4/1.2.3.4/tcp/9096/p2p/12D3', 'id'], /--host: not a peer id: "12D3"/]
  ] as const) {
    t.match(await ctl(...args), { code: 1, out: '', err: said }, args.join(' '))
  }
})

t.test('a collection that failed everywhere has failed; where one daemon collected, the others are told', async t => {
  const failed = { peername: 'bob', keys: [], error: 'it does not answer' }
  const refused = { peername: 'carol', keys: [{ key: null, error: 'a GC is at work' }] }
  let peers: object = {}
  const server = createServer((_, response) => { response.end(JSON.stringify({ peer_map: peers })) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const collect = async (): Promise<object> => await runCtl(['--host', `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, 'ipfs', 'gc'])

  peers = { [stranger]: failed, b: refused }
  t.match(await collect(), { code: 1, out: /bob {13}\| ERROR: it does not answer/, err: 'error: no daemon has collected garbage: bob: it does not answer; carol: a GC is at work\n' })
  peers = { [stranger]: failed, b: { peername: 'alice', keys: [] } }
  t.match(await collect(), { code: 0, out: /bob {13}\| ERROR: it does not answer/, err: '' })
})

t.test('what is moved is told as it is done, with the sum at the end', async t => {
  const asked: string[] = []
  const line = (more: object): string => `${JSON.stringify({ cid: hello, name: 'n', from: self, to: stranger, bytes: 3 << 20, why: 'freespace 1 → freespace 9', state: 'planned', detail: '', ...more })}\n`
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end(line({}) + line({ name: '', bytes: null, state: 'left', detail: 'somebody else changed it meanwhile' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const rebalance = async (...args: string[]): Promise<object> => await runCtl(['--host', `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, ...args])

  t.match(await rebalance('rebalance', '--dry-run', '--rate', '1000'), {
    code: 0,
    out: `${hello} | n | ${self} → ${stranger} | 3.1 MB | PLANNED: freespace 1 → freespace 9\n${hello} | ${self} → ${stranger} | size unknown | LEFT: somebody else changed it meanwhile\n1 pins, 3.1 MB as far as is known, would be moved\n`
  })
  t.match(JSON.parse((await runCtl(['--enc=json', '--host', `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, 'rebalance']) as { out: string }).out.split('\n}\n')[0] + '\n}'), { cid: hello, state: 'planned' })
  t.strictSame(asked, ['POST /rebalance?dry-run=true&rate=1000', 'POST /rebalance?dry-run=false'])
})

t.test('credentials of the variable are sent, those of the flag rather; without a password it is an empty one', async t => {
  const server = createServer((request, response) => { response.end(JSON.stringify({ version: request.headers.authorization ?? 'none' })) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const env = { ...cleanEnv(), CLUSTER_CREDENTIALS: 'alice:secret' }
  const asked = async (...args: string[]) => (await runCtl(['--force-http', '--host', `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, ...args, 'version'], env)).out.trim()

  t.equal(await asked(), `Basic ${btoa('alice:secret')}`)
  t.equal(await asked('--basic-auth', 'bob:x:y'), `Basic ${btoa('bob:x:y')}`)
  t.equal(await asked('--basic-auth', 'bob'), `Basic ${btoa('bob:')}`)
  t.equal(await asked('--basic-auth', ''), 'none')
})
