import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { generateCertificate } from '@libp2p/tls/utils'
import t from 'tap'
import { closed } from '../../ipfs-compat-tests/harness/closed.ts'
import { echo, first } from '../../ipfs-compat-tests/harness/peer-streams.ts'
import type { Test } from 'tap'
import { createIdentity } from '../config/identity.ts'
import { systemClock } from '../clock.ts'
import { createLogger, silentLogger } from '../log.ts'
import type { PeerId } from '../api/pin.ts'
import type { PeerStream } from '../peer-ports.ts'
import { createHost } from './host.ts'
import type { Host } from './host.ts'
import { testHost, testSecret } from './testing/hosts.ts'

const signal = AbortSignal.timeout(240_000)
const protocol = '/test/1'

async function start (t: Test, ...hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    t.teardown(async () => { await host[Symbol.asyncDispose]() })
    await host.start({ signal })
  }
}

const portOf = (host: Host): number => Number(/\/tcp\/(\d+)/.exec(host.addresses()[0]!)![1])

t.test('peers that share the secret talk, each lane over a connection of its own', async t => {
  const [asks, answers] = [testHost(), testHost()]
  const came: PeerStream[] = []
  answers.handle(protocol, 'swift', stream => { came.push(stream); void echo(stream) })
  await start(t, asks, answers)
  asks.learn(answers.self, answers.addresses())

  const [swift, bulk] = await Promise.all([asks.open(answers.self, protocol, 'swift', { signal }), asks.open(answers.self, protocol, 'bulk', { signal })])
  swift.write(Buffer.from('a'))
  bulk.write(Buffer.from('b'))

  t.equal(String(await first(swift)), 'a')
  t.equal(String(await first(bulk)), 'b')
  t.strictSame(came.map(({ peer }) => peer), [asks.self, asks.self])
  t.strictSame(answers.connected(), [asks.self])
})

t.test('who has no address of a peer talks to it over the connection that it made', async t => {
  const [asks, answers] = [testHost(), testHost()]
  asks.handle(protocol, 'swift', stream => { void echo(stream) })
  await start(t, asks, answers)
  asks.learn(answers.self, answers.addresses())
  await asks.connect(answers.self, { signal })

  const stream = await answers.open(asks.self, protocol, 'swift', { signal })
  stream.write(Buffer.from('back'))

  t.equal(String(await first(stream)), 'back')
})

t.test('a protocol may be served later than the start', async t => {
  const [asks, answers] = [testHost(), testHost()]
  await start(t, asks, answers)
  asks.learn(answers.self, answers.addresses())
  await t.rejects(asks.open(answers.self, protocol, 'swift', { signal }), { code: 'ERR_PEER_FAILED' })

  answers.handle(protocol, 'swift', stream => { void echo(stream) })
  const stream = await asks.open(answers.self, protocol, 'swift', { signal })
  stream.write(Buffer.from('late'))

  t.equal(String(await first(stream)), 'late')
})

t.test('bulk that nobody reads holds up neither the log nor what is swift', async t => {
  const [asks, answers] = [testHost(), testHost()]
  answers.handle('/stuck/1', 'bulk', () => {})
  for (const lane of ['swift', 'log'] as const) answers.handle(`/${lane}/1`, lane, stream => { void echo(stream) })
  await start(t, asks, answers)
  asks.learn(answers.self, answers.addresses())
  const stuck = await asks.open(answers.self, '/stuck/1', 'bulk', { signal })
  for (let i = 0; i < 16; i++) stuck.write(Buffer.alloc(256 * 1_024))

  for (const lane of ['swift', 'log'] as const) {
    const stream = await asks.open(answers.self, `/${lane}/1`, lane, { signal })
    stream.write(Buffer.from(lane))
    t.equal(String(await first(stream)), lane)
  }

  t.ok(stuck.queuedBytes > 0, 'it still waits')
})

t.test('a peer that is looked for by its id alone is found through another', async t => {
  const hosts = [testHost(), testHost(), testHost()]
  const [asks, knows, sought] = hosts as [Host, Host, Host]
  await start(t, ...hosts)
  await knows.connectTo(sought.addresses()[0]!, { signal })
  await asks.connectTo(knows.addresses()[0]!, { signal })

  await eventually(() => asks.connect(sought.self, { signal }))

  t.ok(asks.connected().includes(sought.self))
})

t.test('another secret: refused on both sides, with a line that says why, and no protocol opened', async t => {
  const lines: string[] = []
  const [stranger, peer] = [testHost({ secret: new Uint8Array(32).fill(8) }), testHost({}, createLogger(line => lines.push(line), new Map()))]
  peer.handle(protocol, 'swift', () => { t.fail('a stranger opened a protocol') })
  await start(t, stranger, peer)
  stranger.learn(peer.self, peer.addresses())

  await t.rejects(stranger.open(peer.self, protocol, 'swift', { signal }), { code: 'ERR_PEER_FAILED', message: new RegExp(`^cannot connect to ${peer.self}: it closed the connection instead of proving the cluster secret`) })

  t.strictSame(peer.connected(), [])
  t.match(lines.join(''), new RegExp(`a connection was refused.*${stranger.self} does not know the cluster secret`))
})

t.test('a secret that is empty or short makes no host', async t => {
  for (const secret of [new Uint8Array(0), new Uint8Array(16)]) {
    t.throws(() => testHost({ secret }), { code: 'ERR_INVALID_ARGUMENT', message: /^cluster.secret: expected 64 hexadecimal digits/ })
  }
})

t.test('a peer behind the address of another is not talked to', async t => {
  const [asks, other] = [testHost(), testHost()]
  await start(t, asks, other)
  const sought = createIdentity().id
  asks.learn(sought, [`/ip4/127.0.0.1/tcp/${portOf(other)}`])

  await t.rejects(asks.connect(sought, { signal }), { code: 'ERR_PEER_FAILED', message: new RegExp(`^cannot connect to ${sought}`) })
})

t.test('who sends bytes of any kind instead of a proof is cut off', async t => {
  const peer = testHost()
  await start(t, peer)
  const plain = connectTcp(portOf(peer), '127.0.0.1')
  plain.on('error', () => {})
  plain.end('GET / HTTP/1.1\r\n\r\n')
  await closed(plain)

  const tls = connectTls({ host: '127.0.0.1', port: portOf(peer), rejectUnauthorized: false, ...await generateCertificate(await generateKeyPair('Ed25519')) })
  tls.on('error', () => {})
  const answered: Buffer[] = []
  tls.on('data', bytes => answered.push(bytes))
  tls.write(Buffer.alloc(32))
  tls.write('/multistream/1.0.0\n')
  await closed(tls)

  t.strictSame(Buffer.concat(answered), Buffer.alloc(0), 'not a byte of an answer')
  t.strictSame(peer.connected(), [])
})

t.test('strangers that say nothing do not keep members out', async t => {
  const [peer, member] = [testHost(), testHost()]
  await start(t, peer, member)
  const silent = Array.from({ length: 100 }, () => connectTcp(portOf(peer), '127.0.0.1').on('error', () => {}))
  t.teardown(() => { for (const socket of silent) socket.destroy() })
  member.learn(peer.self, peer.addresses())

  await member.connect(peer.self, { signal })

  t.strictSame(member.connected(), [peer.self])
})

t.test('an identity of the Go program, and what is listened on and announced, are as they are written', async t => {
  const identity = createIdentity()
  const host = createHost({ identity, clock: systemClock, log: silentLogger }, {
    secret: testSecret, listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/0.0.0.0/udp/9096/quic'], announce: ['/dns4/peer.example/tcp/9096'], noAnnounce: [], dialTimeoutMs: 60_000
  })
  await start(t, host)

  t.equal(host.self, identity.id)
  t.strictSame(host.addresses(), [`/dns4/peer.example/tcp/9096/p2p/${identity.id}`])
  t.throws(() => testHost({ listen: ['/ip4/0.0.0.0/udp/9096/quic'] }), { message: /expected at least one TCP address/ })
})

t.test('a port that is taken is said so', async t => {
  const first = testHost()
  await start(t, first)

  const second = testHost({ listen: [`/ip4/127.0.0.1/tcp/${portOf(first)}`] })
  t.teardown(async () => { await second[Symbol.asyncDispose]() })

  await t.rejects(second.start({ signal }), { code: 'ERR_INVALID_ARGUMENT', message: /^cluster.listen_multiaddress: cannot listen on \S+: another process listens there$/ })
})

t.test('who watches is told of the first connection and of the last one gone', async t => {
  const [asks, answers] = [testHost(), testHost()]
  await start(t, asks, answers)
  const seen: Array<readonly [PeerId, boolean]> = []
  const { promise, resolve } = Promise.withResolvers<void>()
  using _watch = asks.watch((peer, isConnected) => { seen.push([peer, isConnected]); if (!isConnected) resolve() })

  await asks.connectTo(answers.addresses()[0]!, { signal })
  await answers[Symbol.asyncDispose]()
  await promise

  t.strictSame(seen, [[answers.self, true], [answers.self, false]])
})

async function eventually (work: () => Promise<void>): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    try { return await work() } catch { await new Promise(resolve => setImmediate(resolve)) }
  }
}
