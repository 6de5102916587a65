import t from 'tap'
import type { Measurement } from '../api/metric.ts'
import type { PeerId } from '../api/pin.ts'
import { FakeClock } from '../clock.ts'
import { silentLogger } from '../log.ts'
import type { Monitor } from '../ports.ts'
import { monitorSection } from './config.ts'
import { createMonitor } from './monitor.ts'

const { signal } = new AbortController()
const [a, b, c] = ['a', 'b', 'c'] as unknown as readonly [PeerId, PeerId, PeerId]
const minuteMs = 60_000
const config = monitorSection({}, {})
const measured = (name: string, given: Partial<Measurement> = {}): Measurement => ({ name, value: '1', weight: 1, isValid: true, isPartitionable: false, ttlMs: 30_000, ...given })
const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve))

/** A monitor of `a` among `members`, whose others answer nothing; it checks once a turn of the clock. */
function alone (members: readonly PeerId[] = [a, b, c]): { monitor: Monitor, clock: FakeClock, members: PeerId[], pass: (ms: number) => Promise<void> } {
  const clock = new FakeClock()
  const current = [...members]
  const monitor = createMonitor({ self: a, peerset: () => current, exchange: async () => [], clock, log: silentLogger }, config)
  const pass = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += config.checkInterval) {
      clock.advance(config.checkInterval)
      await turn()
    }
  }
  return { monitor, clock, members: current, pass }
}

t.test('there is one metric a peer and name, the last one, until its time is up', async t => {
  const { monitor, clock } = alone()
  monitor.receive(b, [measured('freespace', { value: 'old' })])
  clock.advance(29_999)
  monitor.receive(c, [measured('freespace', { value: 'other' })])
  monitor.receive(b, [measured('freespace', { value: 'new' })])

  t.match(monitor.latest('freespace'), [{ peer: b, value: 'new' }, { peer: c, value: 'other' }])
  clock.advance(30_000)
  t.strictSame(monitor.latest('freespace'), [])
  t.strictSame(monitor.names(), [])
})

t.test('an answer that comes after what was measured later changes nothing', async t => {
  const { monitor, clock } = alone()
  const early = measured('ping', { value: 'early' })
  clock.advance(15_000)

  monitor.receive(b, [measured('ping', { value: 'late' })])
  monitor.receive(b, [{ ...early, ttlMs: 15_000 }])

  t.match(monitor.latest('ping'), [{ value: 'late', expireAtMs: 45_000 }])
})

t.test('a peer whose clock is ten minutes off is neither dead nor eternal', async t => {
  const here = new FakeClock()
  const there = new FakeClock()
  there.advance(10 * minuteMs)
  const monitors = new Map<PeerId, Monitor>()
  const exchange = (self: PeerId) => async (peer: PeerId, measurements: readonly Measurement[]) => monitors.get(peer)!.receive(self, measurements)
  for (const [self, clock] of [[a, here], [b, there]] as const) monitors.set(self, createMonitor({ self, peerset: () => [a, b], exchange: exchange(self), clock, log: silentLogger }, config))

  await monitors.get(b)!.publish([measured('ping')], { signal })
  await monitors.get(a)!.publish([measured('ping')], { signal })

  for (const monitor of monitors.values()) t.match(monitor.latest('ping'), [{ peer: a }, { peer: b }])
  here.advance(30_000)
  there.advance(30_000)
  for (const monitor of monitors.values()) t.strictSame(monitor.latest('ping'), [])
})

t.test('who has just started learns from the answer what the others have measured, with the time that is left', async t => {
  const clock = new FakeClock()
  const other = createMonitor({ self: b, peerset: () => [a, b], exchange: async () => [], clock, log: silentLogger }, config)
  await other.publish([measured('freespace'), measured('ping')], { signal })
  clock.advance(10_000)
  const started = createMonitor({ self: a, peerset: () => [a, b], exchange: async (_peer, measurements) => other.receive(a, measurements), clock, log: silentLogger }, config)

  await started.publish([measured('ping')], { signal })

  t.match(started.latest('freespace'), [{ peer: b, expireAtMs: 30_000 }])
})

t.test('a metric is its sender\'s: nobody speaks for another', async t => {
  const { monitor } = alone()

  monitor.receive(b, [{ ...measured('ping'), peer: c } as Measurement])

  t.match(monitor.latest('ping'), [{ peer: b }])
})

t.test('who is no member is not heard, and who leaves is forgotten', async t => {
  const { monitor, members, pass } = alone([a, b])
  await monitor.start({ signal })
  monitor.receive(c, [measured('ping')])
  monitor.receive(b, [measured('ping')])

  members.pop()
  t.strictSame(monitor.latest('ping'), [])
  await pass(config.checkInterval)
  members.push(b)

  t.strictSame(monitor.latest('ping'), [])
  await pass(minuteMs)
  t.strictSame(monitor.alerts(), [], 'what is forgotten raises no alert')
  await monitor[Symbol.asyncDispose]()
})

t.test('who is joining has measured itself before it is a member', async t => {
  const { monitor, members } = alone([b])
  await monitor.publish([measured('ping')], { signal })
  t.strictSame(monitor.latest('ping'), [])

  members.push(a)

  t.match(monitor.latest('ping'), [{ peer: a }])
})

t.test('what is not renewed is an alert, once, and again only when it has been well in between', async t => {
  const { monitor, pass } = alone()
  await monitor.start({ signal })
  monitor.receive(b, [measured('ping')])

  await pass(10 * minuteMs)
  t.match(monitor.alerts(), [{ metric: { name: 'ping', peer: b }, triggeredAtMs: 30_000 }])
  monitor.receive(b, [measured('ping')])
  await pass(100 * minuteMs)

  t.equal(monitor.alerts().length, 2)
  t.equal(monitor.alerts()[0]!.triggeredAtMs, 10 * minuteMs + 30_000, 'the newest first')
  await monitor[Symbol.asyncDispose]()
})

t.test('what could not be measured is an alert as soon as it is looked for', async t => {
  const { monitor, pass } = alone()
  await monitor.start({ signal })

  for (let i = 0; i < 3; i++) {
    monitor.receive(b, [measured('freespace', { isValid: false, value: 'no answer' })])
    await pass(config.checkInterval)
  }

  t.match(monitor.alerts(), [{ metric: { name: 'freespace', value: 'no answer' } }])
  t.equal(monitor.alerts().length, 1)
  t.match(monitor.latest('freespace'), [{ peer: b, isValid: false }])
  await monitor[Symbol.asyncDispose]()
})

t.test('of many alerts the oldest are forgotten, not all', async t => {
  const { monitor, pass } = alone()
  await monitor.start({ signal })
  for (let i = 0; i < 1_001; i++) {
    monitor.receive(b, [measured('ping', { ttlMs: 1, value: String(i) })])
    await pass(config.checkInterval)
  }

  t.equal(monitor.alerts().length, 1_000)
  t.equal(monitor.alerts()[0]!.metric.value, '1000')
  await monitor[Symbol.asyncDispose]()
})

t.test('a peer that hangs holds nobody up, is given up, and hears the newest next', async t => {
  const clock = new FakeClock()
  const heard: string[] = []
  const monitor = createMonitor({
    self: a,
    peerset: () => [a, b, c],
    clock,
    log: silentLogger,
    async exchange (peer, measurements, call) {
      heard.push(`${peer}${measurements[0]!.value}`)
      if (peer === c) return []
      return await new Promise((_resolve, reject) => { call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true }) })
    }
  }, config)

  const rounds = ['1', '2', '3'].map(async value => {
    await monitor.publish([measured('ping', { value })], { signal })
  })
  await turn()
  t.strictSame(heard.filter(line => line.startsWith('b')).length, 1)
  clock.advance(5_000)
  await turn()
  await turn()

  t.strictSame(heard.filter(line => line.startsWith('b')), ['b1', 'b3'])
  t.equal(heard.filter(line => line.startsWith('c')).at(-1), 'c3')
  clock.advance(5_000)
  await Promise.all(rounds)
  await monitor[Symbol.asyncDispose]()
})

t.test('what is measured at the same time goes to each of twenty peers in two messages, however much it is', async t => {
  const peers = Array.from({ length: 20 }, (_, i) => `peer ${i}` as PeerId)
  const told = new Map<PeerId, string[][]>(peers.map(peer => [peer, []]))
  const exchange = async (peer: PeerId, measurements: readonly Measurement[]): Promise<readonly Measurement[]> => {
    told.get(peer)!.push(measurements.map(({ name }) => name))
    return []
  }
  await using monitor = createMonitor({ self: peers[0]!, peerset: () => peers, exchange, clock: new FakeClock(), log: silentLogger }, config)
  const names = ['ping', 'freespace', 'tag:group', 'pinqueue']

  await Promise.all(names.map(async name => { await monitor.publish([measured(name)], { signal }) }))

  t.strictSame(told.get(peers[0]!), [], 'nobody tells itself')
  for (const peer of peers.slice(1)) {
    t.ok(told.get(peer)!.length <= 2)
    t.strictSame(told.get(peer)!.at(-1)!.toSorted(), names.toSorted())
  }
})

t.test('what a peer may say is bounded', async t => {
  const { monitor } = alone()
  const refused = { code: 'ERR_INVALID_ARGUMENT' }

  t.throws(() => monitor.receive(b, Array.from({ length: 65 }, (_, i) => measured(String(i)))), refused)
  for (const given of [{ name: '' }, { name: 'n'.repeat(257) }, { value: 'v'.repeat(8_193) }, { weight: NaN }, { weight: 0.5 }, { ttlMs: 0 }, { ttlMs: -1 }, { ttlMs: Infinity }, { ttlMs: NaN }]) {
    t.throws(() => monitor.receive(b, [measured('x', given)]), refused, JSON.stringify(given))
  }
  for (let i = 0; i < 1_000; i++) monitor.receive(b, [measured(`name ${i}`)])
  t.equal(monitor.names().length, 64)
})

t.test('its section is the Go program\'s', async t => {
  t.strictSame(config, { checkInterval: 15_000 })
  t.equal(monitorSection({}, { CLUSTER_PUBSUBMON_CHECKINTERVAL: '2s' }).checkInterval, 2_000)
})
