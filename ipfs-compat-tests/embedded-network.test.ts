/** Embedded daemons over real connections, with one another and, when `IPFS_BIN` names one, with a Kubo. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import t from 'tap'
import { systemClock } from '../cluster/clock.ts'
import { silentLogger } from '../cluster/log.ts'
import { createEmbeddedDaemon } from '../embedded/daemon.ts'
import type { EmbeddedDaemon, EmbeddedDaemonConfig } from '../embedded/daemon.ts'
import { createBitswap } from '../embedded/network/bitswap.ts'
import { createHost } from '../embedded/network/host.ts'
import { eventually } from './harness/eventually.ts'
import { startDaemon } from './harness/kubo.ts'
import { rpc, rpcLines, rpcResponse } from './harness/rpc.ts'
import type { RpcTarget } from './harness/rpc.ts'

interface Id { readonly ID: string, readonly Addresses: readonly string[], readonly AgentVersion: string, readonly Protocols: readonly string[] }
const nobody = '12D3KooWKbcV4sTM1PG8D1UZ7YDUWVLyQrPBNaPrVThi11wsB6Cc'
const missing = 'bafkreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi'
const withoutKubo = (process.env['IPFS_BIN'] ?? '') === '' && 'IPFS_BIN names no Kubo'

t.setTimeout(1_800_000)

const idOf = async (daemon: RpcTarget): Promise<Id> => JSON.parse(await rpc(daemon, 'id')) as Id
async function connect (from: RpcTarget, to: RpcTarget): Promise<void> {
  const { Addresses: [address = ''] } = await idOf(to)
  await rpc(from, `swarm/connect?arg=${address}`)
}
async function add (daemon: RpcTarget, content: Uint8Array, query = ''): Promise<string> {
  const [{ Hash } = { Hash: '' }] = (await rpcLines<{ Hash: string }>(daemon, `add?cid-version=1&${query}`, [{ name: 'f', content }])).slice(-1)
  return Hash
}
async function cat (daemon: RpcTarget, path: string): Promise<Buffer> {
  const response = await rpcResponse(daemon, `cat?arg=${path}`)
  return Buffer.from(await response.arrayBuffer())
}
const errorOf = async (daemon: RpcTarget, command: string): Promise<string> => (JSON.parse(await (await rpcResponse(daemon, command)).text()) as { Message: string }).Message

t.test('three embedded daemons: what one has the others get, also from each other', async t => {
  await using a = await startDaemon({}, 'embedded')
  await using b = await startDaemon({}, 'embedded')
  await using c = await startDaemon({}, 'embedded')
  await connect(b, a)
  await connect(c, b)
  const content = randomBytes(3_000_000)
  const cid = await add(a, content)

  t.ok((await cat(b, cid)).equals(content))
  t.ok((await cat(c, cid)).equals(content))

  const { BlocksReceived, DataReceived, DupBlksReceived } = JSON.parse(await rpc(b, 'bitswap/stat')) as Record<string, number>
  t.match({ BlocksReceived, DupBlksReceived }, { BlocksReceived: 13, DupBlksReceived: 0 })
  t.ok(DataReceived! > content.length)
  t.match(JSON.parse(await rpc(b, `bitswap/ledger?arg=${(await idOf(a)).ID}`)), { Sent: 0, Recv: DataReceived, Exchanged: 13 })
  t.strictSame(JSON.parse(await rpc(c, 'bitswap/wantlist')), { Keys: [] })
})

t.test('every address that is known is listed under its peer, in the order of their ids', async t => {
  await using a = await startDaemon()
  await using b = await startDaemon()
  await connect(b, a)
  const known = (await Promise.all([a, b].map(idOf))).map(({ ID, Addresses }) => [ID, Addresses.map(address => address.replace(/\/p2p\/.*$/, ''))] as const).sort(([x], [y]) => x < y ? -1 : 1)

  t.equal(await rpc(b, 'swarm/addrs'), `${JSON.stringify({ Addrs: Object.fromEntries(known) })}\n`)
  t.equal(await rpc(b, 'swarm/addrs?encoding=text'), known.map(([id, addresses]) => `${id} (1)\n\t${addresses[0]!}\n`).join(''))
})

t.test('content of another is pinned with its progress told, and stays through a collection while what was only read goes', async t => {
  await using a = await startDaemon({}, 'embedded')
  await using b = await startDaemon({}, 'embedded')
  await connect(b, a)
  const pinned = await add(a, randomBytes(1_000_000))
  const read = await add(a, randomBytes(1_000_000))

  const lines = await rpcLines<{ Progress?: number, Bytes?: number, Pins?: string[] }>(b, `pin/add?arg=${pinned}&progress=true`)
  await cat(b, read)
  await rpc(b, 'repo/gc')

  t.match(lines.slice(-2), [{ Progress: 5 }, { Pins: [pinned] }])
  t.match(JSON.parse(await rpc(b, `dag/stat?arg=${pinned}&progress=false&offline=true`)), { UniqueBlocks: 5 })
  t.match(await errorOf(b, `block/stat?arg=${read}&offline=true`), /^block was not found locally \(offline\): ipld: could not find /)
  t.match(JSON.parse(await rpc(b, `block/stat?arg=${read}`)), { Key: read }, 'it is got again')
})

t.test('a block that nobody has: the timeout in Kubo\'s words, and nothing is wanted any more', async t => {
  await using a = await startDaemon({}, 'embedded')
  await using b = await startDaemon({}, 'embedded')
  await connect(b, a)

  t.equal(await errorOf(b, `block/get?arg=${missing}&timeout=100ms`), 'context deadline exceeded')
  t.equal(await errorOf(b, `pin/add?arg=${missing}&timeout=100ms`), 'pin: context deadline exceeded')

  t.strictSame(JSON.parse(await rpc(b, 'bitswap/wantlist')), { Keys: [] })
  const { ID } = await idOf(b)
  await eventually('the peer hears that too', async () => (await rpc(a, `bitswap/wantlist?peer=${ID}`)) === '{"Keys":null}\n')
})

t.test('who waits for a block gets it when a peer that has it comes, and a daemon stops with wants open', async t => {
  await using a = await startDaemon({}, 'embedded')
  const content = randomBytes(300_000)
  const cid = await add(a, content)
  const b = await startDaemon({}, 'embedded')
  const getting = cat(b, cid)
  await eventually('it is wanted', async () => (await rpc(b, 'bitswap/wantlist')).includes(cid))
  const never = rpcResponse(b, `block/get?arg=${missing}`).then(response => response.text()).catch(() => 'cut')
  await eventually('both are wanted', async () => (await rpc(b, 'bitswap/wantlist')).includes(missing))

  await connect(b, a)

  t.ok((await getting).equals(content))
  await b[Symbol.asyncDispose]()
  await never
})

t.test('a peer that sends wrong blocks spoils nothing', async t => {
  await using b = await startDaemon({}, 'embedded')
  const content = randomBytes(200_000)
  await using honest = await startDaemon({}, 'embedded')
  const cid = CID.parse(await add(honest, content, 'raw-leaves=true'))
  const hostile = createBitswap({ store: { get: () => Buffer.from('something else'), lengthOf: () => 14 }, clock: systemClock, log: silentLogger })
  await using host = await createHost({ bitswap: hostile, clock: systemClock, log: silentLogger }, { seed: randomBytes(32), listen: ['/ip4/127.0.0.1/tcp/0'], agent: 'hostile' })
  const { ID, Addresses: [address = ''] } = await idOf(b)
  await host.connect(ID, [address.replace(/\/p2p\/.*$/, '')], { signal: AbortSignal.timeout(240_000) })
  const getting = cat(b, cid.toString())
  await eventually('it has answered', () => hostile.stat().blocksSent > 0)

  await connect(b, honest)

  t.ok((await getting).equals(content))
  await hostile[Symbol.asyncDispose]()
})

t.test('when a peer dies in the middle another serves the rest', async t => {
  const dying = await startDaemon({}, 'embedded')
  await using other = await startDaemon({}, 'embedded')
  await using b = await startDaemon({}, 'embedded')
  const content = randomBytes(20_000_000)
  const cid = await add(dying, content)
  await add(other, content)
  await connect(b, dying)
  const getting = cat(b, cid)
  await eventually('it has begun', async () => (JSON.parse(await rpc(b, 'bitswap/stat')) as { BlocksReceived: number }).BlocksReceived > 2)

  await dying[Symbol.asyncDispose]()
  await connect(b, other)

  t.ok((await getting).equals(content))
})

t.test('a daemon on a folder has its name and its address again, and its peers come back by themselves', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'ipfs-quorum-network-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const start = async (): Promise<EmbeddedDaemon> => {
    const daemon = createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: { folder }, port: 0 })
    await daemon.start({ signal: AbortSignal.timeout(240_000) })
    return daemon
  }
  const first = await start()
  const before = await idOf(first.address())
  await first[Symbol.asyncDispose]()
  await using peer = createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, {
    stores: 'memory', port: 0, kuboConfig: { Addresses: { Swarm: ['/ip4/127.0.0.1/tcp/0'] }, Peering: { Peers: [{ ID: before.ID, Addrs: before.Addresses.map(address => address.replace(/\/p2p\/.*$/, '')) }] } }
  })

  await using second = await start()
  await peer.start({ signal: AbortSignal.timeout(240_000) })

  t.strictSame(await idOf(second.address()), before)
  t.match(JSON.parse(await rpc(peer.address(), 'swarm/peering/ls')), { Peers: [{ ID: before.ID }] })
  await eventually('they are connected', async () => (await rpc(peer.address(), 'swarm/peers')).includes(before.ID))
})

t.test('a port that has been taken since is left for another; one that was asked for is not', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'ipfs-quorum-network-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const start = async (config: Partial<EmbeddedDaemonConfig>): Promise<EmbeddedDaemon> => {
    const daemon = createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: { folder }, port: 0, ...config })
    await daemon.start({ signal: AbortSignal.timeout(240_000) })
    return daemon
  }
  const first = await start({})
  const { Addresses: [before = ''] } = await idOf(first.address())
  await first[Symbol.asyncDispose]()
  const taker = createServer().listen(Number(/tcp\/(\d+)/.exec(before)![1]), '127.0.0.1')
  await once(taker, 'listening')
  t.teardown(() => taker.close())

  await using again = await start({})
  await using asked = await start({ stores: 'memory', kuboConfig: { Addresses: { Swarm: [before.replace(/\/p2p\/.*$/, '')] } } })

  t.match(await idOf(again.address()), { Addresses: [/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//] })
  t.match(await errorOf(asked.address(), 'swarm/peers'), /^failed to listen on any addresses: \[\/ip4\/127\.0\.0\.1\/tcp\/\d+: bind: address already in use\]$/)
})

t.test('settings that name no address are told when they are used', async t => {
  await using daemon = createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: 'memory', port: 0, kuboConfig: { Addresses: { Swarm: ['/ip4/127.0.0.1/nonsense'] } } })
  await daemon.start({ signal: AbortSignal.timeout(240_000) })

  t.match(await errorOf(daemon.address(), 'swarm/peers'), /nonsense/)
})

t.test('a peer to be kept that has no peer id is refused before anything starts', async t => {
  t.throws(() => createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: 'memory', port: 0, kuboConfig: { Peering: { Peers: [{ ID: 'nope' }] } } }), { code: 'ERR_INVALID_ARGUMENT', message: /nope is no peer id/ })
})

t.test('an offline daemon says so', async t => {
  await using daemon = await startDaemon({ args: ['--offline'] }, 'embedded')
  const action = "this action must be run in online mode, try running 'ipfs daemon' first"
  const command = "this command must be run in online mode. Try running 'ipfs daemon' first"

  for (const path of ['swarm/peers', 'swarm/addrs', 'swarm/addrs/local', 'swarm/addrs/listen']) t.equal(await errorOf(daemon, path), action, path)
  for (const path of ['swarm/peering/ls', 'bitswap/wantlist', `ping?arg=${nobody}`, `bitswap/ledger?arg=${nobody}`]) t.equal(await errorOf(daemon, path), command, path)
  t.equal(await errorOf(daemon, 'bitswap/stat'), `unable to run offline: ${command}`)
  t.match(await idOf(daemon), { Addresses: null, Protocols: null })
})

/** Calls about peers, of a daemon that is connected with `{peer}` at `{address}` and has never heard of `{nobody}`. */
const calls = [
  'swarm/peers', 'swarm/peers?direction=true', 'swarm/peers?encoding=text', 'swarm/addrs/local', 'swarm/addrs/local?id=true&encoding=text',
  'swarm/connect?arg={address}/p2p/{peer}', 'swarm/connect?arg=/p2p/{peer}&encoding=text', 'swarm/connect?arg=/p2p/{nobody}', 'swarm/connect?arg=nope', 'swarm/connect?arg=/foo/bar',
  'swarm/connect?arg=/ip4/1.2.3/tcp/1/p2p/{nobody}', 'swarm/connect?arg={address}', 'swarm/connect', 'swarm/connect?arg={own}/p2p/{self}',
  'swarm/connect?arg=/ip4/127.0.0.1/tcp/1/p2p/{nobody}', 'swarm/disconnect?arg=/ip4/127.0.0.1/tcp/1/p2p/{nobody}', 'swarm/disconnect?arg=/ip4/127.0.0.1/tcp/1/p2p/{peer}', 'swarm/disconnect?arg=nope',
  'swarm/peering/add?arg={address}/p2p/{peer}', 'swarm/peering/ls', 'swarm/peering/ls?encoding=text', 'swarm/peering/add?arg={address}', 'swarm/peering/add?arg=nope', 'swarm/peering/rm?arg=nope',
  'swarm/peering/rm?arg={peer}', 'swarm/peering/rm?arg={peer}&encoding=text', 'swarm/peering/ls', 'swarm/filters', 'swarm/peers?offline=true',
  'bitswap/stat', 'bitswap/stat?encoding=text&human=true&verbose=true', 'stats/bitswap', 'bitswap/wantlist', 'bitswap/wantlist?peer={peer}', 'bitswap/wantlist?peer=nope', 'bitswap/ledger?arg={peer}',
  'bitswap/ledger?arg={peer}&encoding=text', 'bitswap/ledger?arg=nope', 'bitswap/ledger?arg=bafkreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi', 'bitswap/reprovide', 'bootstrap', 'bootstrap/list', 'ping?arg=nope', 'ping?arg={self}',
  'ping?arg={peer}&n=0', 'ping', 'ping?arg=/foo', 'id?arg=nope', 'id?arg={self}&format=<id>&encoding=text', 'id?format=<id> <addrs>&encoding=text', 'id?peerid-base=nope',
  'routing/findprovs?arg=nope', 'routing/findprovs?arg={missing}', 'routing/findpeer?arg=x', 'routing/provide?arg={missing}',
  'block/get?arg={missing}&timeout=100ms', 'block/stat?arg={missing}&offline=true', 'pin/add?arg={missing}&timeout=100ms', 'swarm/disconnect?arg=/p2p/{peer}', 'swarm/disconnect?arg=/p2p/{peer}', 'routing/provide?arg={missing}'
]

t.test('the commands about peers answer as Kubo\'s do', { skip: withoutKubo }, async t => {
  await using other = await startDaemon({}, 'kubo')
  const answers: string[][] = []
  for (const kind of ['kubo', 'embedded'] as const) {
    await using daemon = await startDaemon({}, kind)
    await connect(daemon, other)
    const [self, peer] = [await idOf(daemon), await idOf(other)]
    const values = { peer: peer.ID, self: self.ID, nobody, missing, address: peer.Addresses[0]!.replace(/\/p2p\/.*$/, ''), own: self.Addresses[0]!.replace(/\/p2p\/.*$/, '') }
    const given: string[] = []
    for (const call of calls) {
      const response = await rpcResponse(daemon, call.replaceAll(/\{(\w+)\}/g, (_, name: keyof typeof values) => values[name]))
      const text = Object.entries(values).reduce((text, [name, value]) => text.replaceAll(value, `{${name}}`), await response.text())
      given.push(`${call}: ${response.status} ${response.headers.get('content-type')} ${text.replaceAll('\\u0026', '&')}`)
    }
    answers.push(given)
  }

  const [kubo, embedded] = answers
  for (const [i, call] of calls.entries()) t.equal(embedded![i], kubo![i], call)
})

t.test('an embedded daemon and a Kubo give each other what they have, over TLS and over Noise', { skip: withoutKubo }, async t => {
  for (const security of ['TLS', 'Noise'] as const) {
    await using kubo = await startDaemon({ config: { Swarm: { Transports: { Security: security === 'TLS' ? { Noise: false } : { TLS: false } } } } }, 'kubo')
    await using embedded = await startDaemon({}, 'embedded')
    await connect(...security === 'TLS' ? [embedded, kubo] as const : [kubo, embedded] as const)
    const [theirs, ours] = [randomBytes(5_000_000), randomBytes(5_000_000)]
    const [fromKubo, fromEmbedded] = [await add(kubo, theirs), await add(embedded, ours)]

    t.ok((await cat(embedded, fromKubo)).equals(theirs), `from Kubo over ${security}`)
    t.ok((await cat(kubo, fromEmbedded)).equals(ours), `to Kubo over ${security}`)
    t.match(JSON.parse(await rpc(embedded, `id?arg=${(await idOf(kubo)).ID}`)), { AgentVersion: /^kubo\// })
    t.match(JSON.parse(await rpc(kubo, `id?arg=${(await idOf(embedded)).ID}`)), { AgentVersion: /^kubo\/.*-emb$/, Protocols: (await idOf(embedded)).Protocols })
    const pongs = await rpcLines<{ Success: boolean, Text: string }>(embedded, `ping?arg=${(await idOf(kubo)).ID}&n=1`)
    t.match(pongs, [{ Text: /^PING / }, { Success: true, Text: '' }, { Text: /^Average latency: / }])
  }
})
