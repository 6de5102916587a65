import t from 'tap'
import { pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import { a, b, c, d, minuteMs, onTwo, RepinWorld } from '../ipfs-compat-tests/harness/repin-world.ts'
import { standingOf } from '../ipfs-compat-tests/harness/pins.ts'
import { createBalancedAllocator } from './allocator/balanced.ts'
import { ClusterError } from './api/errors.ts'
import type { Alert, Metric } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import { silentLogger } from './log.ts'
import { createMover } from './mover.ts'
import type { Move, RebalanceWish } from './peer-ports.ts'
import { createRebalance } from './rebalance.ts'
import type { Rebalance } from './rebalance.ts'

const gigabyte = 1 << 30

class BalanceWorld extends RepinWorld {
  readonly space = new Map<PeerId, number>([[a, 10 * gigabyte], [b, 10 * gigabyte], [c, 10 * gigabyte], [d, 100 * gigabyte]])
  readonly bytes = gigabyte
  /** Whose daemons fail with what they are to copy. */
  failing: PeerId[] = []
  alerts: Alert[] = []
  storesOnly = false
  readonly leaving = new AbortController()
  readonly #metrics = new Map<PeerId, Metric>()

  #metric (name: string, peer: PeerId): Metric {
    const known = this.#metrics.get(peer)
    const weight = this.space.get(peer)!
    if (known?.weight === weight) return { ...known, name }
    const metric = { name, peer, value: '', weight, isValid: true, isPartitionable: false, receivedAtMs: 0, expireAtMs: Infinity }
    this.#metrics.set(peer, metric)
    return metric
  }

  rebalance (): Rebalance {
    const monitor = { alerts: () => this.alerts, latest: (name: string) => name === 'pinqueue' ? [] : this.alive.map(peer => this.#metric(name, peer)) }
    const mover = createMover({
      consensus: this.consensus, clock: this.clock, log: silentLogger,
      status: async cid => {
        const { pin } = (await this.state.get(cid))!
        return standingOf(pin, pin.allocations, peer => this.failing.includes(peer) ? 'pin_error' : this.copying.includes(peer) ? 'pinning' : 'pinned')
      }
    })
    return createRebalance({
      self: a, consensus: { ...this.consensus, assertMayChange: () => { if (this.storesOnly) throw new ClusterError('ERR_STORES_ONLY', 'a only stores') } }, draining: () => new Set(this.draining), monitor, allocator: createBalancedAllocator({ allocateBy: ['freespace'] }), mover,
      sizeOf: async () => this.bytes, clock: this.clock
    }, { calmMs: 10 * minuteMs })
  }

  /** All that is moved while time goes by; each move changes what the peers say of themselves. */
  async moves (wish: Partial<RebalanceWish> = {}, rebalance = this.rebalance()): Promise<readonly Move[]> {
    const found: Move[] = []
    let isOver = false
    const running = (async () => {
      for await (const move of rebalance.run({ isDry: false, bytesPerSecond: gigabyte, ...wish }, this.leaving)) {
        found.push(move)
        if (move.state !== 'moved') continue
        this.space.set(move.from, this.space.get(move.from)! + this.bytes)
        this.space.set(move.to, this.space.get(move.to)! - this.bytes)
      }
    })().finally(() => { isOver = true })
    running.catch(() => {}) // told by who waits below
    while (!isOver) await this.pass(200)
    await running
    return found
  }
}

const pins = (count: number, ...holders: PeerId[]) => Array.from({ length: count }, (_, i) => pinOf(i, onTwo(...holders)))

t.test('pins move to who has most room, until nobody would have more for it; a second time nothing moves', async t => {
  const world = new BalanceWorld()
  world.space.set(d, 20 * gigabyte)
  await world.put(...pins(12, a, b))

  const moves = await world.moves()

  t.ok(moves.length > 0 && moves.length < 12, String(moves.length))
  t.ok(moves.every(({ state, to, bytes }) => state === 'moved' && to !== a && to !== b && bytes === gigabyte))
  t.match(moves[0], { from: b, to: d, why: /^freespace 10737418240 → freespace 21474836480$/ })
  for (let i = 0; i < 12; i++) t.equal((await world.allocations(i))!.length, 2)
  t.strictSame(await world.moves(), [])
})

t.test('a plan tells the same and moves nothing', async t => {
  const [planned, done] = [new BalanceWorld(), new BalanceWorld()]
  for (const world of [planned, done]) {
    world.space.set(d, 20 * gigabyte)
    await world.put(...pins(12, a, b))
  }

  const plan = await planned.moves({ isDry: true })
  const moves = await done.moves()

  t.strictSame(plan.map(({ cid, from, to }) => [String(cid), from, to]), moves.map(({ cid, from, to }) => [String(cid), from, to]))
  t.ok(plan.every(({ state }) => state === 'planned'))
  t.strictSame(planned.logged, [])
})

t.test('nobody is let off before another holds it, and each step is guarded', async t => {
  const world = new BalanceWorld()
  await world.put(...pins(1, a, b))

  await world.moves()

  t.match(world.logged, [{ pin: { allocations: [a, b, d] }, ifRevision: 1n }, { pin: { allocations: [a, d] }, ifRevision: 2n }])
  t.equal(world.logged.length, 2)
})

t.test('what cannot be copied is put back, and so is what is under way when who asked leaves', async t => {
  const world = new BalanceWorld()
  await world.put(...pins(1, a, b))
  world.failing = [d]

  t.match(await world.moves(), [{ state: 'left', detail: /^d cannot copy it/ }])
  t.strictSame(await world.allocations(0), [a, b])

  world.failing = []
  world.copying = [d]
  const moving = world.moves()
  await world.pass(5_000)
  t.strictSame(await world.allocations(0), [a, b, d])
  world.leaving.abort(new Error('left'))
  await t.rejects(moving, { message: 'left' })
  t.strictSame(await world.allocations(0), [a, b])
})

t.test('when those that would stay hold it too few times, nobody is let off', async t => {
  const world = new BalanceWorld()
  await world.put(...pins(1, a, b))
  world.copying = [a]

  t.match(await world.moves(), [{ state: 'left', detail: /only 1 of those that would stay hold it, 2 are needed/ }])

  t.strictSame(await world.allocations(0), [a, b])
})

t.test('while another leader is elected it waits; what somebody changed meanwhile is theirs', async t => {
  const world = new BalanceWorld()
  await world.put(...pins(2, a, b))
  let refusals = 3
  world.refuse = () => refusals-- > 0 ? new ClusterError('ERR_NO_LEADER', 'elections') : undefined

  t.match(await world.moves(), [{ state: 'moved' }, { state: 'moved' }])

  const other = new BalanceWorld()
  await other.put(...pins(1, a, b))
  other.refuse = op => op.kind === 'pin' && op.pin.allocations.length === 2 ? new ClusterError('ERR_OUTDATED', 'somebody was quicker') : undefined
  t.match(await other.moves(), [{ state: 'left', detail: 'somebody else changed it meanwhile' }])
})

t.test('while peers come and go, or one is drained, it is refused and says why', async t => {
  const world = new BalanceWorld()
  await world.put(...pins(1, a, b))
  const refused = async (message: RegExp): Promise<void> => { await t.rejects(world.moves(), { code: 'ERR_PEER_FAILED', message }) }

  world.alive = [a, b, c]
  await refused(/^nothing is moved: d is silent$/)
  world.alive = [a, b, c, d]
  world.clock.advance(20 * minuteMs)
  world.alerts = [{ metric: { name: 'ping', peer: c, value: '', weight: 0, isValid: true, isPartitionable: false, receivedAtMs: 0, expireAtMs: 0 }, triggeredAtMs: world.clock.now() - minuteMs }]
  await refused(/c was silent 60 s ago/)
  world.alerts = []
  world.draining = [b]
  await refused(/b is being drained/)
  world.draining = []
  world.leader = undefined
  await t.rejects(world.moves(), { code: 'ERR_NO_LEADER' })
  t.strictSame(world.logged, [])
})

t.test('a peer that only stores plans, and moves nothing', async t => {
  const world = new BalanceWorld()
  await world.put(...pins(1, a, b))
  world.storesOnly = true

  await t.rejects(world.moves(), { code: 'ERR_STORES_ONLY' })
  t.match(await world.moves({ isDry: true }), [{ state: 'planned' }])
})

t.test('one at a time, and what goes everywhere or is on the move is left alone', async t => {
  const world = new BalanceWorld()
  await world.put(pinOf('everywhere'), pinOf('moving', onTwo(a, b, c)), ...pins(1, a, b))
  world.copying = [d]
  const rebalance = world.rebalance()
  const moving = world.moves({}, rebalance)
  await world.pass(2_000)

  await t.rejects(world.moves({}, rebalance), { code: 'ERR_INVALID_ARGUMENT', message: 'a rebalance is under way here already' })
  world.copying = []

  t.match((await moving).map(({ state }) => state), ['moved'])
})
