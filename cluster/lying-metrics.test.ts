/** What a member may say of itself that is not so, and what becomes of the pins meanwhile. */
import t from 'tap'
import { createBalancedAllocator } from './allocator/balanced.ts'
import { pingToText } from './api/metric.ts'
import type { Measurement } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { silentLogger } from './log.ts'
import { monitorSection } from './monitor/config.ts'
import { createMonitor } from './monitor/monitor.ts'
import { createPeerWatch } from './peer-watch.ts'
import { createPlacer } from './placer.ts'
import type { Placer } from './placer.ts'
import type { Monitor } from './ports.ts'

const [a, b, liar] = ['a', 'b', 'liar'] as unknown as readonly [PeerId, PeerId, PeerId]
const members = [a, b, liar]
const minuteMs = 60_000
const onTwo = { replication: { min: 2, max: 2 }, holders: [], wanted: [] } as const

const measured = (name: string, given: Partial<Measurement> = {}): Measurement => ({ name, value: '', weight: 0, isValid: true, isPartitionable: false, ttlMs: 30_000, ...given })
const space = (bytes: number, given: Partial<Measurement> = {}): Measurement => measured('freespace', { value: String(bytes), weight: bytes, ...given })

class World {
  readonly clock = new FakeClock()
  readonly monitor: Monitor = createMonitor({ self: a, peerset: () => members, exchange: async () => [], clock: this.clock, log: silentLogger }, monitorSection({}, {}))
  readonly placer: Placer = createPlacer({ self: a, peerset: () => members, draining: () => new Set(), silent: () => new Set(), monitor: this.monitor, allocator: createBalancedAllocator({ allocateBy: ['freespace'] }) })
  readonly watch = createPeerWatch({ self: a, peerset: () => members, draining: () => new Set(), monitor: this.monitor, clock: this.clock })

  /** What the honest ones say, every ten seconds. */
  pass (ms: number): void {
    for (let passedMs = 0; passedMs < ms; passedMs += 10_000) {
      for (const peer of [a, b]) this.monitor.receive(peer, [measured('ping'), space(1e12)])
      this.watch.look()
      this.clock.advance(10_000)
    }
  }
}

t.test('who claims to have endless room gets one copy of each pin, and never what stands for another', async t => {
  const world = new World()
  world.pass(10_000)
  world.monitor.receive(liar, [measured('ping'), space(Number.MAX_SAFE_INTEGER)])

  for (let i = 0; i < 100; i++) {
    const chosen = world.placer.place(onTwo)
    t.equal(chosen.filter(peer => peer !== liar).length, 1)
  }
})

t.test('who claims to have less than nothing is full', async t => {
  const world = new World()
  world.pass(10_000)
  world.monitor.receive(liar, [measured('ping'), space(-1)])

  t.strictSame(world.placer.place(onTwo), [a, b])
  t.match(world.placer.explain(onTwo).find(({ peer }) => peer === liar), { isChosen: false, why: 'full' })
})

t.test('numbers that are none are refused with all that came with them, so who says nothing else is silent', async t => {
  const world = new World()
  world.pass(10_000)

  for (const wrong of [space(NaN), space(Infinity), space(-Infinity), space(0.5), space(2 ** 60), space(1, { ttlMs: NaN }), space(1, { ttlMs: Infinity }), space(1, { ttlMs: -1 }), space(1, { ttlMs: 366 * 24 * 60 * minuteMs })]) {
    t.throws(() => world.monitor.receive(liar, [measured('ping'), wrong]), { code: 'ERR_INVALID_ARGUMENT' })
  }

  t.strictSame(world.placer.place(onTwo), [a, b])
  t.match(world.placer.explain(onTwo).find(({ peer }) => peer === liar), { isChosen: false, why: 'silent' })
})

t.test('a queue that is said to be what no number is, or endless, is empty, and room that is left counts', async t => {
  const world = new World()
  world.pass(10_000)
  for (const value of ['-5', 'NaN', '1e9', '9'.repeat(40), '']) {
    world.monitor.receive(liar, [measured('ping'), space(2e12), measured('pinqueue', { value })])

    t.ok(world.placer.place(onTwo).includes(liar), value)
  }
})

t.test('a ping that is said to hold for a day holds for ten minutes: who is gone by then is gone', async t => {
  const world = new World()
  world.monitor.receive(liar, [measured('ping', { ttlMs: 24 * 60 * minuteMs }), space(1e12, { ttlMs: 24 * 60 * minuteMs })])

  world.pass(9 * minuteMs)
  t.notOk(world.watch.look().gone.has(liar))
  world.pass(3 * minuteMs)

  t.ok(world.watch.look().gone.has(liar))
  t.strictSame(world.placer.place(onTwo), [a, b])
})

t.test('who names another peer, or its daemon, speaks of itself all the same', async t => {
  const world = new World()
  const forged = { ...measured('ping', { value: pingToText({ peername: 'b', ipfsId: 'daemon of b', ipfsAddresses: [], clockAtEndMs: undefined }) }), peer: b }

  world.monitor.receive(liar, [forged])

  t.strictSame(world.monitor.latest('ping').map(({ peer }) => peer), [liar])
})
