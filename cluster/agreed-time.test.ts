/** Peers whose clocks are set while they run: pings between monitors in memory, and what expires on one pinset. */
import t from 'tap'
import { pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import { createAgreedTime } from './agreed-time.ts'
import type { AgreedTime } from './agreed-time.ts'
import { pingToText } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { unpinExpired } from './expiry.ts'
import type { ExpiryComponents } from './expiry.ts'
import { createPingInformer } from './informer/ping.ts'
import { createPublisher } from './informer/publisher.ts'
import { startInOrder } from './lifecycle.ts'
import { silentLogger } from './log.ts'
import { monitorSection } from './monitor/config.ts'
import { createMonitor } from './monitor/monitor.ts'
import type { Monitor } from './ports.ts'
import { createMemoryState } from './state/memory-state.ts'

const { signal } = new AbortController()
const [a, b, c, d] = ['a', 'b', 'c', 'd'] as unknown as readonly [PeerId, PeerId, PeerId, PeerId]
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const stepMs = 5_000
const seeds = Array.from({ length: 30 }, (_, i) => i)

interface Peer extends AsyncDisposable { readonly monitor: Monitor, readonly time: AgreedTime }

class World implements AsyncDisposable {
  /** The right time, which begins at some day. */
  readonly right = new FakeClock()
  readonly state = createMemoryState()
  readonly peers = new Map<PeerId, Peer>()
  /** By how much their machines' clocks are set wrong. */
  readonly wrongByMs = new Map<PeerId, number>()
  readonly #writers: readonly PeerId[]
  #index = 0n

  constructor (writers: readonly PeerId[]) {
    this.#writers = writers
    this.right.advance(1_000 * hourMs)
  }

  static async of (writers: readonly PeerId[], storing: readonly PeerId[] = []): Promise<World> {
    const world = new World(writers)
    for (const peer of [...writers, ...storing]) await world.#begin(peer, [...writers, ...storing])
    return world
  }

  clockOf (peer: PeerId): Clock {
    return { now: () => this.right.now() + (this.wrongByMs.get(peer) ?? 0), after: (delayMs, task) => this.right.after(delayMs, task) }
  }

  async #begin (self: PeerId, members: readonly PeerId[]): Promise<void> {
    const [clock, steady, log] = [this.clockOf(self), this.right, silentLogger]
    const monitor = createMonitor({ self, peerset: () => members, clock: steady, log, exchange: async (peer, measurements) => this.peers.get(peer)?.monitor.receive(self, measurements) ?? [] }, monitorSection({}, {}))
    const time = createAgreedTime({ self, writers: () => this.#writers, monitor, clock, steady })
    const ipfs = { id: async () => ({ id: self as string, addresses: [], error: '' }) }
    const publisher = createPublisher({ informers: [createPingInformer({ ipfs, clock, aheadMs: time.aheadMs }, { peername: self, monitorPingInterval: 15_000 })], monitor, clock: steady, log })
    const starting = startInOrder([monitor, publisher], signal)
    this.peers.set(self, { monitor, time, [Symbol.asyncDispose]: async () => { await (await starting)[Symbol.asyncDispose]() } })
    await starting
  }

  /** Each peer looks for what has expired, every minute and at the end. */
  async pass (ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      if (passedMs % minuteMs === 0) await this.#expire()
      this.right.advance(stepMs)
      for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate)
    }
    await this.#expire()
  }

  async pinUntil (expireAtMs: number): Promise<void> {
    await this.state.apply([{ ops: seeds.map(seed => ({ kind: 'pin', pin: pinOf(seed, { expireAtMs }) })), index: ++this.#index }])
  }

  async left (): Promise<number> {
    return await this.state.count()
  }

  async #expire (): Promise<void> {
    for (const [self, { time }] of this.peers) await unpinExpired({ consensus: this.#consensus(), self, agreedMs: time.agreedMs }, { signal })
  }

  #consensus (): ExpiryComponents['consensus'] {
    return {
      state: this.state,
      writers: () => this.#writers,
      isTrusted: peer => this.#writers.includes(peer),
      log: async ops => {
        await this.state.apply([{ ops, index: ++this.#index }])
        return this.#index
      }
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await Promise.all([...this.peers.values()].map(async peer => { await peer[Symbol.asyncDispose]() }))
  }
}

for (const [direction, jumpMs] of [['an hour ahead', hourMs], ['an hour back', -hourMs]] as const) {
  t.test(`of three peers one whose clock jumps ${direction} neither removes a pin early nor keeps it`, async t => {
    for (const jumping of [a, b, c]) {
      await using world = await World.of([a, b, c])
      await world.pinUntil(world.right.now() + 30 * minuteMs)
      await world.pass(5 * minuteMs)

      world.wrongByMs.set(jumping, jumpMs)
      await world.pass(24 * minuteMs)
      t.equal(await world.left(), seeds.length, 'not yet')
      await world.pass(2 * minuteMs)
      t.equal(await world.left(), 0)
    }
  })
}

t.test('of two peers the one that is ahead waits, and nothing is kept for ever', async t => {
  await using world = await World.of([a, b])
  await world.pinUntil(world.right.now() + 30 * minuteMs)

  world.wrongByMs.set(a, hourMs)
  await world.pass(29 * minuteMs)
  t.equal(await world.left(), seeds.length, 'not yet')
  world.wrongByMs.set(a, 0)
  world.wrongByMs.set(b, -hourMs)
  await world.pass(62 * minuteMs)

  t.equal(await world.left(), 0)
})

t.test('a clock that jumps is an alert at all peers, each time anew, and tells its own peer at once', async t => {
  await using world = await World.of([a, b, c])
  const alerts = (): number[] => [...world.peers.values()].map(({ monitor }) => monitor.alerts().filter(({ metric }) => metric.name === 'clock' && metric.peer === b).length)
  await world.pass(minuteMs)

  world.wrongByMs.set(b, hourMs)
  t.equal(world.peers.get(b)!.time.aheadMs(), hourMs)
  await world.pass(minuteMs)
  t.strictSame(alerts(), [1, 1, 1])
  t.strictSame([...world.peers.values()].map(({ time }) => time.now() - world.right.now()), [0, 0, 0], 'pins are dated by the time that most agree on')
  world.wrongByMs.set(b, 0)
  await world.pass(minuteMs)
  world.wrongByMs.set(b, -hourMs)
  await world.pass(minuteMs)

  t.strictSame(alerts(), [2, 2, 2])
  t.strictSame(world.peers.get(a)!.monitor.alerts().map(({ metric }) => metric.name), ['clock', 'clock'], 'and nobody is taken to be silent')
  t.match(world.peers.get(a)!.monitor.alerts()[0], { metric: { value: /3600 s behind/ } })
})

t.test('the clocks of peers that only store move nothing, however many they are', async t => {
  await using world = await World.of([a], [b, c, d])
  for (const peer of [b, c, d]) world.wrongByMs.set(peer, hourMs)
  await world.pass(minuteMs)

  t.strictSame([a, b].map(peer => world.peers.get(peer)!.time.agreedMs()), [world.right.now(), world.right.now()])
  t.equal(world.peers.get(b)!.time.aheadMs(), hourMs)
})

t.test('a clock that is told as nonsense counts as not known, and with too few known nothing is agreed on', async t => {
  await using world = await World.of([a, b, c])
  const { monitor, time } = world.peers.get(a)!
  const say = (peer: PeerId, value: string): unknown => monitor.receive(peer, [{ name: 'ping', value, weight: 0, isValid: true, isPartitionable: false, ttlMs: 30_000 }])
  const valueWith = (clockAtEndMs: number): string => pingToText({ peername: '', ipfsId: '', ipfsAddresses: [], clockAtEndMs })

  for (const nonsense of ['', '{"clock_at_end":"soon"}', '{"clock_at_end":1e300}', '{"clock_at_end":null}', valueWith(NaN), valueWith(-0.5)]) {
    say(b, nonsense)
    t.equal(time.agreedMs(), world.right.now(), 'there are two left')
    say(c, nonsense)
    t.equal(time.agreedMs(), undefined)
    t.equal(time.now(), world.right.now(), 'there is but its own')
    say(c, valueWith(world.right.now() + 30_000))
  }
})
