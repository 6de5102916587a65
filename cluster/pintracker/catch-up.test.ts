import type { CID } from 'multiformats/cid'
import t from 'tap'
import { eventually } from '../../ipfs-compat-tests/harness/eventually.ts'
import { cidOf, other, pinOf, self } from '../../ipfs-compat-tests/harness/pins.ts'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import type { Pin } from '../api/pin.ts'
import { silentLogger } from '../log.ts'
import type { AbortOptions, PinsetOp } from '../ports.ts'
import { createMemoryState } from '../state/memory-state.ts'
import { createCatchUp, walkToPins, walkToUnpins } from './catch-up.ts'
import type { CatchUp } from './catch-up.ts'

const { signal } = new AbortController()
const places = 10
const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve))

/** A pinset, and a queue with some places that is worked on when it is told. */
class World implements AsyncDisposable {
  readonly state = createMemoryState()
  readonly queue: string[] = []
  readonly known = new Set<string>()
  longest = 0
  readonly #room = async ({ signal }: AbortOptions): Promise<void> => {
    for (; this.queue.length >= places; await turn()) signal.throwIfAborted()
  }

  readonly catchUp: CatchUp = createCatchUp(walkToPins({
    state: this.state, self, room: this.#room,
    isKnown: cid => this.known.has(cidKeyText(cid)),
    queuePin: ({ cid }) => {
      this.known.add(cidKeyText(cid))
      this.longest = Math.max(this.longest, this.queue.push(cidKeyText(cid)))
    }
  }), { log: silentLogger })

  #index = 0n

  /** Walks to what is noted as held under these keys. */
  async walkToUnpins (keys: readonly Buffer[], busy: readonly CID[]): Promise<ReadonlyMap<string, Pin | undefined>> {
    const queued = new Map<string, Pin | undefined>()
    const heldBehind = (key: Uint8Array | undefined): readonly Buffer[] => keys.filter(one => key === undefined || Buffer.compare(one, key) > 0).slice(0, 3)
    const isBusy = (cid: CID): boolean => busy.some(one => one.equals(cid))
    await walkToUnpins({ state: this.state, self, room: async () => {}, index: { heldBehind }, isBusy, queueUnpin: (cid, pin) => { queued.set(cidKeyText(cid), pin) } })(() => {}, { signal })
    return queued
  }

  async log (...ops: readonly PinsetOp[]): Promise<void> {
    await this.state.apply([{ ops, index: ++this.#index }])
  }

  async leave (...seeds: readonly number[]): Promise<void> {
    await this.log(...seeds.map((seed): PinsetOp => ({ kind: 'pin', pin: pinOf(seed) })))
    for (const _seed of seeds) this.catchUp.leave()
  }

  async workedOff (): Promise<void> {
    await eventually('all is worked off', async () => {
      this.queue.splice(0, places)
      await turn()
      return !this.catchUp.isUnderWay()
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.catchUp[Symbol.asyncDispose]() }
}

const seeds = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

t.test('all that is left to it gets into the queue, a few at a time, also what comes meanwhile', async t => {
  await using world = new World()
  await world.leave(...seeds(0, 600))
  await eventually('the queue is full', async () => world.queue.length === places)

  await world.leave(...seeds(600, 1_300))
  t.ok(world.catchUp.isUnderWay())
  t.equal(world.catchUp.length(), 1_300 - places)
  await world.workedOff()

  t.equal(world.known.size, 1_300)
  t.equal(world.longest, places)
  t.equal(world.catchUp.length(), 0)
})

t.test('what is known already, for another peer, or gone from the pinset meanwhile, is passed over', async t => {
  await using world = new World()
  world.known.add(cidKeyText(cidOf('held')))
  await world.log(...['held', 'elsewhere'].map((seed): PinsetOp => ({ kind: 'pin', pin: pinOf(seed, seed === 'held' ? {} : { replication: { min: 1, max: 1 }, allocations: [other] }) })))
  await world.leave(...seeds(0, 100))
  await eventually('the queue is full', async () => world.queue.length === places)

  const waiting = seeds(0, 100).filter(seed => !world.known.has(cidKeyText(cidOf(seed))))
  await world.log(...waiting.slice(1).map((seed): PinsetOp => ({ kind: 'unpin', cid: cidOf(seed) })))
  await world.workedOff()

  t.equal(world.known.size, 1 + places + 1)
})

t.test('what is held and in the pinset no more is let go of, what is held for others is released, and what is worked on is left alone', async t => {
  await using world = new World()
  const elsewhere = { replication: { min: 1, max: 1 }, allocations: [other] } as const
  await world.log(...['kept', 'moved'].map((seed): PinsetOp => ({ kind: 'pin', pin: pinOf(seed, seed === 'moved' ? elsewhere : {}) })))
  const held = [...seeds(0, 20), 'kept', 'moved', 'busy']

  const queued = await world.walkToUnpins(held.map(seed => cidKey(cidOf(seed))).toSorted(Buffer.compare), [cidOf('busy')])

  t.equal(queued.size, 21)
  t.equal(queued.get(cidKeyText(cidOf(7))), undefined)
  t.match(queued.get(cidKeyText(cidOf('moved'))), { name: 'pin moved' })
})

t.test('its end is the end of waiting for room', async t => {
  const world = new World()
  await world.leave(...seeds(0, 20))
  await eventually('the queue is full', async () => world.queue.length === places)

  await world[Symbol.asyncDispose]()
  world.catchUp.leave()

  t.equal(world.queue.length, places)
})
