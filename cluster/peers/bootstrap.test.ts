import t from 'tap'
import type { PeerId } from '../api/pin.ts'
import { FakeClock } from '../clock.ts'
import { createIdentity } from '../config/identity.ts'
import { silentLogger } from '../log.ts'
import { createBootstrap } from './bootstrap.ts'
import type { BootstrapComponents } from './bootstrap.ts'

const signal = AbortSignal.timeout(240_000)
const self = createIdentity().id

/** Connects when `isUp`; tells of each attempt. */
class FakeHost {
  readonly self = self
  readonly attempts: string[] = []
  readonly learnt: string[] = []
  readonly up = new Set<string>()
  readonly #connected = new Set<PeerId>()
  readonly #watchers = new Set<(peer: PeerId, isConnected: boolean) => void>()

  connected (): readonly PeerId[] { return [...this.#connected] }
  learn (_: PeerId, addresses: readonly string[]): void { this.learnt.push(...addresses) }
  watch (watcher: (peer: PeerId, isConnected: boolean) => void): Disposable {
    this.#watchers.add(watcher)
    return { [Symbol.dispose]: () => { this.#watchers.delete(watcher) } }
  }

  async connect (peer: PeerId): Promise<void> {
    this.attempts.push(peer)
    if (!this.up.has(peer)) throw new Error('nobody there')
    this.#connected.add(peer)
  }

  async connectTo (address: string): Promise<PeerId> {
    this.attempts.push(address)
    if (!this.up.has(address)) throw new Error('nobody there')
    return stranger
  }

  lose (peer: PeerId): void {
    this.#connected.delete(peer)
    for (const watcher of this.#watchers) watcher(peer, false)
  }
}

const stranger = createIdentity().id
const turns = async (): Promise<void> => { for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve)) }

function setUp (addresses: readonly string[] = []) {
  const [host, clock] = [new FakeHost(), new FakeClock()]
  const bootstrap = createBootstrap({ host: host as BootstrapComponents['host'], clock, log: silentLogger, random: () => 1 }, { addresses })
  return { host, clock, bootstrap }
}

t.test('a peer that is not there is tried again, longer apart each time but never longer than 30 s', async t => {
  const { host, clock, bootstrap } = setUp()
  const peer = createIdentity().id
  const atMs: number[] = []
  bootstrap.keep([peer, self])
  await bootstrap.start({ signal })

  for (let ms = 0; ms < 120_000; ms += 500) {
    await turns()
    while (atMs.length < host.attempts.length) atMs.push(ms)
    clock.advance(500)
  }
  await bootstrap[Symbol.asyncDispose]()

  t.strictSame(atMs, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500, 91_500])
  t.strictSame(new Set(host.attempts), new Set([peer]), 'and never oneself')
})

t.test('a connection that is lost is made again, at once', async t => {
  const { host, bootstrap } = setUp()
  const peer = createIdentity().id
  host.up.add(peer)
  bootstrap.keep([peer])
  await bootstrap.start({ signal })
  await turns()

  host.lose(peer)
  await turns()

  t.strictSame(host.attempts, [peer, peer])
  t.strictSame(host.connected(), [peer])
  await bootstrap[Symbol.asyncDispose]()
})

t.test('who is not wanted any more is not tried any more', async t => {
  const { host, clock, bootstrap } = setUp()
  const [gone, stays] = [createIdentity().id, createIdentity().id]
  await bootstrap.start({ signal })
  bootstrap.keep([gone, stays])
  await turns()

  bootstrap.keep([stays])
  clock.advance(500)
  await turns()

  t.strictSame(host.attempts, [gone, stays, stays])
  await bootstrap[Symbol.asyncDispose]()
})

t.test('of addresses with an id the peer is learnt and stayed with; of others whoever answers', async t => {
  const named = createIdentity().id
  const { host, clock, bootstrap } = setUp([`/ip4/10.0.0.1/tcp/9096/p2p/${named}`, '/ip4/10.0.0.2/tcp/9096'])
  await bootstrap.start({ signal })
  await turns()

  host.up.add('/ip4/10.0.0.2/tcp/9096').add(stranger).add(named)
  clock.advance(500)
  await turns()

  t.strictSame(host.learnt, [`/ip4/10.0.0.1/tcp/9096/p2p/${named}`])
  t.strictSame(new Set(host.connected()), new Set([named, stranger]))
  await bootstrap[Symbol.asyncDispose]()
})
