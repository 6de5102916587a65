/** Three peers with all that measures, gathers, places and repins, joined in memory over one pinset. */
import type { CID } from 'multiformats/cid'
import t from 'tap'
import { cidOf, pinOf, standingOf } from '../ipfs-compat-tests/harness/pins.ts'
import { createBalancedAllocator } from './allocator/balanced.ts'
import { ClusterError } from './api/errors.ts'
import type { RepoStat } from './api/repo.ts'
import type { PeerId, Pin } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { diskSection, pinQueueSection, tagsSection } from './informer/config.ts'
import { createDiskInformer } from './informer/disk.ts'
import { createPinQueueInformer } from './informer/pin-queue.ts'
import { createPingInformer } from './informer/ping.ts'
import { createPublisher } from './informer/publisher.ts'
import { createTagsInformer } from './informer/tags.ts'
import { startInOrder } from './lifecycle.ts'
import { silentLogger } from './log.ts'
import { monitorSection } from './monitor/config.ts'
import { createMonitor } from './monitor/monitor.ts'
import { createPlacer } from './placer.ts'
import type { Placer } from './placer.ts'
import type { Consensus, Monitor } from './ports.ts'
import { createRepinner } from './repinner.ts'
import { createMemoryState } from './state/memory-state.ts'

const { signal } = new AbortController()
const [a, b, c] = ['a', 'b', 'c'] as unknown as readonly [PeerId, PeerId, PeerId]
const peers = [a, b, c]
const minuteMs = 60_000
const groups: Readonly<Record<string, string>> = { a: 'x', b: 'y', c: 'y' }

interface Peer extends AsyncDisposable { readonly monitor: Monitor, readonly placer: Placer }

class Three implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly state = createMemoryState()
  readonly running = new Map<PeerId, Peer>()
  /** Bytes left on each daemon; `undefined` does not answer. */
  readonly free: Record<string, bigint | undefined> = { a: 1_000_000_000n, b: 2_000_000_000n, c: 3_000_000_000n }
  repins = 0
  #index = 1n // the first entry is the tests'

  /** A peer whose clock is wrong by `clockOffMs`. */
  async begin (self: PeerId, clockOffMs = 0): Promise<Peer> {
    const clock = { now: () => this.clock.now() + clockOffMs, after: (delayMs: number, task: () => void) => this.clock.after(delayMs, task) }
    const log = silentLogger
    const monitor = createMonitor({ self, peerset: () => peers, clock, log, exchange: async (peer, measurements) => {
      const there = this.running.get(peer)
      if (there === undefined) throw new ClusterError('ERR_PEER_FAILED', `${peer} is not there`)
      return there.monitor.receive(self, measurements)
    } }, monitorSection({}, {}))
    const placer = createPlacer({ self, peerset: () => peers, draining: () => new Set(), silent: () => new Set(), monitor, allocator: createBalancedAllocator({ allocateBy: ['tag:group', 'freespace'] }) })
    const ipfs = {
      id: async () => ({ id: `daemon of ${self}`, addresses: [], error: '' }),
      repoStat: async (): Promise<RepoStat> => {
        const free = this.free[self]
        if (free === undefined) throw new ClusterError('ERR_IPFS_UNREACHABLE', 'no answer')
        return { repoSize: 0n, storageMax: free, numObjects: 0n, repoPath: '', version: '' }
      }
    }
    const informers = [
      createPingInformer({ ipfs, clock, aheadMs: () => 0 }, { peername: self, monitorPingInterval: 15_000 }),
      createDiskInformer({ ipfs, clock }, diskSection({}, {})),
      createTagsInformer(tagsSection({ tags: { group: groups[self] } }, {})),
      createPinQueueInformer({ tracker: { queueLength: () => 0 } }, pinQueueSection({}, {}))
    ]
    const publisher = createPublisher({ informers, monitor, clock, log })
    const repinner = createRepinner({ self, consensus: this.#consensus(), draining: () => new Set(), monitor, placer, status: async cid => standingOf(await this.#pin(cid), peers, () => 'pinned'), clock, log }, { disableRepinning: false })
    const started = startInOrder([monitor, publisher, repinner], signal)
    this.running.set(self, { monitor, placer, [Symbol.asyncDispose]: async () => await (await started)[Symbol.asyncDispose]() })
    await started
    return this.running.get(self)!
  }

  async kill (self: PeerId): Promise<void> {
    const peer = this.running.get(self)
    this.running.delete(self)
    await peer?.[Symbol.asyncDispose]()
  }

  async pass (ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 500) {
      this.clock.advance(500)
      await new Promise(setImmediate)
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await Promise.all([...this.running.keys()].map(async peer => await this.kill(peer)))
  }

  async #pin (cid: CID): Promise<Pin> { return (await this.state.get(cid))!.pin }

  #consensus (): Pick<Consensus, 'state' | 'log' | 'leader' | 'peerset' | 'writers' | 'isTrusted'> {
    return {
      state: this.state,
      leader: () => a,
      peerset: () => peers,
      writers: () => peers,
      isTrusted: () => true,
      log: async ops => {
        const [applied] = await this.state.apply([{ ops: ops, index: ++this.#index }])
        if (applied!.some(outcome => 'outdated' in outcome)) throw new ClusterError('ERR_OUTDATED', 'somebody was quicker')
        this.repins += ops.length
        return this.#index
      }
    }
  }
}

const onTwo = { replication: { min: 2, max: 2 }, holders: [], wanted: [] } as const

t.test('the last one to start knows all the others at once, and whoever is asked chooses the same', async t => {
  await using three = new Three()
  for (const peer of peers) await three.begin(peer)

  const chosen = peers.map(peer => three.running.get(peer)!.placer.place(onTwo))

  t.strictSame(three.running.get(c)!.monitor.latest('ping').map(({ peer }) => peer), peers)
  t.strictSame(three.running.get(a)!.monitor.names(), ['freespace', 'ping', 'pinqueue', 'tag:group'])
  t.strictSame(chosen, [[c, a], [c, a], [c, a]], 'the group with most space in all first, then the other')
})

t.test('a clock that is ten minutes off makes nobody dead, here or there', async t => {
  await using three = new Three()
  await three.begin(a)
  await three.begin(b, 10 * minuteMs)
  await three.begin(c, -10 * minuteMs)

  await three.pass(3 * minuteMs)

  for (const peer of peers) {
    t.strictSame(three.running.get(peer)!.monitor.latest('ping').map(({ peer }) => peer), peers)
    t.strictSame(three.running.get(peer)!.monitor.alerts(), [])
  }
})

t.test('a peer whose daemon is away is given nothing, which is an alert, and is given some again when it is back', async t => {
  await using three = new Three()
  for (const peer of peers) await three.begin(peer)
  const { placer, monitor } = three.running.get(a)!

  three.free.c = undefined
  await three.pass(minuteMs)
  t.strictSame(placer.place(onTwo), [b, a])
  t.match(placer.explain(onTwo).find(({ peer }) => peer === c), { why: 'unmeasured', detail: 'freespace: no answer' })
  t.match(monitor.alerts(), [{ metric: { name: 'freespace', peer: c } }])
  three.free.c = 9_000_000_000n
  await three.pass(minuteMs)

  t.strictSame(placer.place(onTwo), [c, a])
})

t.test('a peer that dies is an alert to all, and what it held goes to the others, each pin in two steps', async t => {
  await using three = new Three()
  for (const peer of peers) await three.begin(peer)
  const seeds = Array.from({ length: 30 }, (_, i) => i)
  await three.state.apply([{ ops: seeds.map(seed => ({ kind: 'pin', pin: pinOf(seed, { replication: { min: 2, max: 2 }, allocations: [c, a] }) })), index: 1n }])
  await three.pass(10_000)

  await three.kill(c)
  await three.pass(3 * minuteMs)

  for (const peer of [a, b]) t.match(three.running.get(peer)!.monitor.alerts().filter(({ metric }) => metric.name === 'ping'), [{ metric: { peer: c } }])
  for (const seed of seeds) t.strictSame((await three.state.get(cidOf(seed)))?.pin.allocations, [a, b])
  t.equal(three.repins, 2 * seeds.length, 'once for the others, once to let off who is gone')
})
