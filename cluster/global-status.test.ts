import t from 'tap'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { cidOf, pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import { cidKeyText } from './api/cid-key.ts'
import type { GlobalPinInfo, PinInfo, TrackerStatus } from './api/pin-info.ts'
import type { PeerId, Pin } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { createGlobalStatus } from './global-status.ts'
import type { GlobalStatus, PeerStatuses } from './global-status.ts'
import { createMemoryState } from './state/memory-state.ts'

const { signal } = new AbortController()
const [a, b, c] = ['a', 'b', 'c'] as unknown as readonly [PeerId, PeerId, PeerId]
const peers = [a, b, c]
const all: ReadonlySet<TrackerStatus> = new Set()
const seeds = Array.from({ length: 12 }, (_, i) => i).sort((x, y) => cidKeyText(cidOf(x)) < cidKeyText(cidOf(y)) ? -1 : 1)
const infoOf = (peer: PeerId, seed: number, status: TrackerStatus = 'pinned'): PinInfo => ({ cid: cidOf(seed), name: '', peer, status, timestampMs: 1, error: '', attemptCount: 0, isPriority: false })
/** `{ a: 'pinned', c: 'cluster_error gone' }`. */
const rows = ({ peers }: GlobalPinInfo): Record<string, string> => Object.fromEntries(peers.map(({ peer, status, error }) => [peer, `${status} ${error}`.trim()]))
const rowsBySeed = (infos: readonly GlobalPinInfo[]): [number, Record<string, string>][] => infos.map(info => [seeds.find(seed => cidOf(seed).equals(info.cid))!, rows(info)])

interface Cluster { readonly status: GlobalStatus, readonly clock: FakeClock, readonly asked: string[] }

/** Three peers over a pinset; what a peer is not told to say it says as it should be. */
async function clusterOf (pins: readonly Pin[], given: Partial<PeerStatuses> = {}): Promise<Cluster> {
  const state = createMemoryState()
  await state.apply([{ ops: pins.map(pin => ({ kind: 'pin', pin })), index: 1n }])
  const clock = new FakeClock()
  const asked: string[] = []
  const status = async (peer: PeerId, cid: PinInfo['cid']): Promise<PinInfo> => {
    asked.push(peer)
    return { ...infoOf(peer, 0), cid, status: await state.get(cid) === undefined ? 'unpinned' : 'pinned' }
  }
  async function * statusAll (peer: PeerId): AsyncGenerator<PinInfo> {
    for await (const { cid, allocations } of state.list({ signal })) yield { ...infoOf(peer, 0), cid, status: allocations.length === 0 || allocations.includes(peer) ? 'pinned' : 'remote' }
  }
  return { status: createGlobalStatus({ peerset: () => peers, state, clock, ask: { status, recover: status, statusAll, ...given } }), clock, asked }
}
const onTwo = { replication: { min: 2, max: 2 }, allocations: [a, b] } as const
const never = async (): Promise<never> => await new Promise(() => {})

t.test('who is not to hold a pin is remote, and is not asked', async t => {
  const { status, asked } = await clusterOf([pinOf(1, { ...onTwo, name: 'site', metadata: { k: 'v' }, timestampMs: 7 })])

  const info = await status.status(cidOf(1), { signal })

  t.strictSame(rows(info), { a: 'pinned', b: 'pinned', c: 'remote' })
  t.match(info, { name: 'site', allocations: [a, b], metadata: { k: 'v' }, createdMs: 7 })
  t.strictSame(asked, [a, b])
})

t.test('of what is in no pinset all are asked: it may be on its way out', async t => {
  const { status } = await clusterOf([], { status: async peer => infoOf(peer, 1, peer === b ? 'unpin_error' : 'unpinned') })

  t.strictSame(rows(await status.status(cidOf(1), { signal })), { a: 'unpinned', b: 'unpin_error', c: 'unpinned' })
})

t.test('a peer that fails or takes too long is a cluster_error with its words, in time', async t => {
  const { status, clock } = await clusterOf([pinOf(1)], {
    async status (peer) {
      if (peer === b) throw new Error('refused')
      return peer === c ? await never() : infoOf(peer, 1)
    }
  })

  const asking = status.status(cidOf(1), { signal })
  await new Promise(resolve => setImmediate(resolve))
  clock.advance(15_000)

  t.strictSame(rows(await asking), { a: 'pinned', b: 'cluster_error refused', c: 'cluster_error the answer of c took longer than 15000 ms' })
})

t.test('who asks may leave', async t => {
  const { status } = await clusterOf([pinOf(1)], { status: never })
  const leaving = new AbortController()

  const asking = status.status(cidOf(1), { signal: leaving.signal })
  leaving.abort(new Error('the client went away'))

  await t.rejects(asking, { message: 'the client went away' })
})

t.test('recovering asks those that are to hold it', async t => {
  const recovered: PeerId[] = []
  const { status } = await clusterOf([pinOf(1, onTwo)], { async recover (peer) { recovered.push(peer); return infoOf(peer, 1, 'pin_queued') } })

  t.strictSame(rows(await status.recover(cidOf(1), { signal })), { a: 'pin_queued', b: 'pin_queued', c: 'remote' })
  t.strictSame(recovered, [a, b])
})

t.test('lists come together in the order of the CIDs, each CID once', async t => {
  const { status } = await clusterOf([], { async * statusAll (peer) { for (const [i, seed] of seeds.entries()) if (i % (peers.indexOf(peer) + 1) === 0) yield infoOf(peer, seed) } })

  const listed = rowsBySeed(await Array.fromAsync(status.statusAll(all, { signal })))

  t.strictSame(listed.map(([seed]) => seed), seeds)
  t.strictSame(listed.map(([, row]) => Object.keys(row).join('')), ['abc', 'a', 'ab', 'ac', 'ab', 'a', 'abc', 'a', 'ab', 'ac', 'ab', 'a'])
})

t.test('no peer is asked for more than one pin ahead of the reader', async t => {
  let given = 0
  const { status } = await clusterOf([], { async * statusAll (peer) { for (const seed of seeds) { given++; yield infoOf(peer, seed) } } })
  const listing = status.statusAll(all, { signal })[Symbol.asyncIterator]()

  await listing.next()
  await listing.next()

  t.ok(given <= 3 * peers.length, `${given} were taken`)
  await listing.return?.()
})

t.test('a peer that cannot be asked is a cluster_error where it should hold the pin, and remote elsewhere', async t => {
  const { status } = await clusterOf([pinOf(seeds[0]!, onTwo), pinOf(seeds[1]!), pinOf(seeds[2]!, { ...onTwo, allocations: [a, c] })], {
    async * statusAll (peer) {
      if (peer === b) throw new Error('refused')
      for (const seed of seeds.slice(0, 3)) yield infoOf(peer, seed)
    }
  })

  t.strictSame(rowsBySeed(await Array.fromAsync(status.statusAll(all, { signal }))).map(([, row]) => row.b), ['cluster_error refused', 'cluster_error refused', 'remote'])
})

t.test('a peer that falls silent in the middle is a cluster_error from there on', async t => {
  const { status, clock } = await clusterOf([0, 1, 2].map(i => pinOf(seeds[i]!)), {
    async * statusAll (peer) {
      yield infoOf(peer, seeds[0]!)
      if (peer === c) await never()
      yield infoOf(peer, seeds[1]!)
      yield infoOf(peer, seeds[2]!)
    }
  })

  const listing = Array.fromAsync(status.statusAll(all, { signal }))
  let isListed = false
  void listing.then(() => { isListed = true })
  await eventually('it is given up', () => {
    clock.advance(5_000)
    return isListed
  })

  t.match((await listing).map(rows), [{ c: 'pinned' }, { c: 'cluster_error the pins of c: nothing came for 15000 ms' }, { c: /^cluster_error/ }])
})

t.test('who asks for errors is told of pins that only a peer could tell of that does not answer', async t => {
  const onlyB = { replication: { min: 1, max: 1 }, allocations: [b] } as const
  const { status } = await clusterOf([pinOf(seeds[0]!, onlyB), pinOf(seeds[1]!, onTwo), pinOf(seeds[2]!, { ...onlyB, allocations: [a] })], {
    async * statusAll (peer) {
      if (peer === b) throw new Error('refused')
    }
  })

  t.strictSame(rowsBySeed(await Array.fromAsync(status.statusAll(new Set(['cluster_error', 'pin_error']), { signal }))), [
    [seeds[0], { b: 'cluster_error refused' }], [seeds[1], { b: 'cluster_error refused' }]
  ])
  t.strictSame(await Array.fromAsync(status.statusAll(new Set(['pinned']), { signal })), [], 'who asks for others is not')
})

t.test('who asks for what is well is told of a peer that did not answer beside those that did', async t => {
  const { status } = await clusterOf([pinOf(seeds[0]!, onTwo)], {
    async * statusAll (peer) {
      if (peer === b) throw new Error('refused')
      if (peer === a) yield infoOf(a, seeds[0]!)
    }
  })

  t.strictSame((await Array.fromAsync(status.statusAll(new Set(['pinned']), { signal }))).map(rows), [{ a: 'pinned', b: 'cluster_error refused' }])
})

t.test('two that fail one after the other are both told of', async t => {
  const on = (...allocations: PeerId[]): Partial<Pin> => ({ replication: { min: 1, max: 2 }, allocations })
  const { status } = await clusterOf([pinOf(seeds[0]!, on(b)), pinOf(seeds[1]!, on(c)), pinOf(seeds[2]!, on(c)), pinOf(seeds[3]!, on(b))], {
    async * statusAll (peer) {
      if (peer === b) throw new Error('b is gone')
      if (peer !== c) return
      yield infoOf(c, seeds[1]!, 'pin_error')
      throw new Error('c is gone')
    }
  })

  t.strictSame(rowsBySeed(await Array.fromAsync(status.statusAll(new Set(['cluster_error', 'pin_error']), { signal }))), [
    [seeds[0], { b: 'cluster_error b is gone' }], [seeds[1], { c: 'pin_error' }], [seeds[2], { c: 'cluster_error c is gone' }], [seeds[3], { b: 'cluster_error b is gone' }]
  ])
})

t.test('a peer whose list is out of order is believed no further', async t => {
  const { status } = await clusterOf([0, 1, 2].map(i => pinOf(seeds[i]!)), {
    async * statusAll (peer) {
      for (const i of peer === c ? [1, 0, 2] : [0, 1, 2]) yield infoOf(peer, seeds[i]!)
    }
  })

  t.match((await Array.fromAsync(status.statusAll(all, { signal }))).map(info => rows(info).c), [undefined, 'pinned', 'cluster_error c did not list its pins in order'])
})

t.test('who leaves in the middle closes all lists', async t => {
  let open = 0
  const { status } = await clusterOf([], {
    async * statusAll (peer) {
      open++
      try {
        for (const seed of seeds) yield infoOf(peer, seed)
      } finally {
        open--
      }
    }
  })

  for await (const _info of status.statusAll(all, { signal })) break

  t.equal(open, 0)
})
