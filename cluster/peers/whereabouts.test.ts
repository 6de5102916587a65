/** Who is behind an address, and where a peer is that is not at the one that is known. */
import t from 'tap'
import { echo, first } from '../../ipfs-compat-tests/harness/peer-streams.ts'
import type { Test } from 'tap'
import { createIdentity } from '../config/identity.ts'
import type { Identity } from '../config/identity.ts'
import { systemClock } from '../clock.ts'
import { createLogger, silentLogger } from '../log.ts'
import type { Logger } from '../log.ts'
import { createHost } from './host.ts'
import type { Host, HostConfig } from './host.ts'
import { testHost, testSecret } from './testing/hosts.ts'

const signal = AbortSignal.timeout(240_000)
const protocol = '/test/1'

async function start (t: Test, ...hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    t.teardown(async () => { await host[Symbol.asyncDispose]() })
    await host.start({ signal })
  }
}

function hostOf (identity: Identity, config: Partial<HostConfig> = {}, log: Logger = silentLogger): Host {
  return createHost({ identity, clock: systemClock, log }, { secret: testSecret, listen: ['/ip4/127.0.0.1/tcp/0'], announce: [], noAnnounce: [], dialTimeoutMs: 60_000, ...config })
}

const portOf = (host: Host): number => Number(/\/tcp\/(\d+)/.exec(host.addresses()[0]!)![1])

/** The member, gone from where `asks` knows it, and the address that is free again. */
async function moved (t: Test, asks: Host, identity: Identity): Promise<number> {
  const before = hostOf(identity)
  await start(t, before)
  asks.learn(before.self, before.addresses())
  await asks.connect(before.self, { signal })
  const port = portOf(before)
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  using _watch = asks.watch((_peer, isConnected) => { if (!isConnected) resolve() })
  await before[Symbol.asyncDispose]()
  await gone
  return port
}

t.test('a stranger at the address of a member is told from it, with or without the secret, and opens nothing; the member is found again where it is now', async t => {
  const identity = createIdentity()
  for (const secret of [testSecret, new Uint8Array(32).fill(9)]) {
    const asks = testHost()
    asks.handle(protocol, 'swift', () => { t.fail('the stranger opened a protocol') })
    await start(t, asks)
    const port = await moved(t, asks, identity)
    const stranger = testHost({ secret, listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    stranger.handle(protocol, 'swift', () => { t.fail('the stranger was taken for the member') })
    await start(t, stranger)

    await t.rejects(asks.open(identity.id, protocol, 'swift', { signal }), { code: 'ERR_PEER_FAILED', message: new RegExp(`^cannot connect to ${identity.id}: (?!undefined).`) })
    t.notOk(asks.connected().includes(identity.id))
    const now = hostOf(identity)
    now.handle(protocol, 'swift', stream => { void echo(stream) })
    await start(t, now)
    await now.connectTo(asks.addresses()[0]!, { signal })

    const stream = await asks.open(identity.id, protocol, 'swift', { signal })
    stream.write(Buffer.from('me'))
    t.equal(String(await first(stream)), 'me')
    await Promise.all([stranger, now, asks].map(async host => { await host[Symbol.asyncDispose]() }))
  }
})

t.test('a member that has moved is found through another one that it is connected with', async t => {
  const identity = createIdentity()
  const [asks, other] = [testHost(), testHost()]
  await start(t, asks, other)
  await moved(t, asks, identity)
  const now = hostOf(identity)
  await start(t, now)
  await now.connectTo(other.addresses()[0]!, { signal })
  await asks.connectTo(other.addresses()[0]!, { signal })

  await asks.connect(identity.id, { signal })

  t.ok(asks.connected().includes(identity.id))
  t.ok(asks.known().get(identity.id)!.includes(now.addresses()[0]!), 'and its address is remembered')
})

t.test('who answers with this peer\'s own identity is not talked to, by either side, and it is said', async t => {
  const identity = createIdentity()
  const lines: string[] = []
  const [one, twin] = [hostOf(identity, {}, createLogger(line => lines.push(line), new Map())), hostOf(identity)]
  await start(t, one, twin)

  t.equal(await twin.connectTo(`/ip4/127.0.0.1/tcp/${portOf(one)}`, { signal }), identity.id)
  t.equal(await twin.connectTo(one.addresses()[0]!, { signal }), identity.id)

  t.strictSame([one.connected(), twin.connected()], [[], []])
  await until(() => lines.join('').includes('refused'))
  t.match(lines.join(''), `${identity.id} is this peer itself, or another one that was given the same identity.json`)
})

t.test('others are told what is announced, not what is listened on, and never what is not to be announced', async t => {
  const others: readonly Partial<HostConfig>[] = [
    { announce: ['/dns4/peer.example/tcp/9096', '/ip4/192.0.2.1/tcp/9096'], noAnnounce: ['/ip4/192.0.2.1/tcp/9096'] },
    { listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'], noAnnounce: [] }
  ]
  for (const config of others) {
    const [asks, told] = [testHost(), testHost(config)]
    await start(t, asks, told)
    const bound = told.addresses()

    await told.connectTo(asks.addresses()[0]!, { signal })
    await until(() => asks.known().has(told.self))

    t.strictSame([...asks.known().get(told.self)!].sort(), [...bound].sort())
    t.equal(bound.length, config.announce === undefined ? 2 : 1)
  }
  t.throws(() => testHost({ announce: ['/ip4/192.0.2.1/tcp/9096'], noAnnounce: ['/ip4/192.0.2.1/tcp/9096'] }), { code: 'ERR_INVALID_ARGUMENT', message: /^cluster.no_announce_multiaddress/ })
  t.throws(() => testHost({ announce: ['/ip4/192.0.2.1/udp/9096/quic'] }), { message: /^cluster.announce_multiaddress: expected at least one TCP address/ })
})

async function until (isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    signal.throwIfAborted()
    await new Promise(resolve => setImmediate(resolve))
  }
}
