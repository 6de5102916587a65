import t from 'tap'
import type { Index, SnapshotMeta } from './core/types.ts'
import { slowestOf, Snapshotter } from './snapshotter.ts'
import type { SnapshotterComponents } from './snapshotter.ts'
import { CrashDisk } from './testing/crash-disk.ts'

/** How far the log of a peer with 1,000 entries is cut while the slowest of the others has `slowest`. */
async function cutAt (slowest: number): Promise<number> {
  const confState = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
  const { promise: cut, resolve } = Promise.withResolvers<number>()
  const snapshotter = new Snapshotter({
    folder: '/s',
    disk: new CrashDisk(),
    slowest: () => slowest,
    applier: { at: { index: 1_000, term: 1, conf: confState }, kept: () => ({}) },
    machine: { durable: true, flush: async () => {} },
    storage: { base: { index: 0, confState }, log: { term: () => 1, entries: (from: Index, to: Index) => Array.from({ length: to - from }, (_, at) => ({ index: from + at, term: 1, type: 'EntryNormal', data: new Uint8Array() })) }, async setBase ({ index }: SnapshotMeta) { resolve(index) } },
    between: async (task: () => unknown) => await task(),
    fail (err: unknown) { throw err }
  } as unknown as SnapshotterComponents, { thresholdEntries: 100, trailingEntries: 10 })
  snapshotter.applied()
  const index = await cut
  await snapshotter[Symbol.asyncDispose]()
  return index
}

t.test('the log is kept for a peer that is slow, but not for ever', async t => {
  t.equal(await cutAt(Infinity), 990, 'nobody needs more than the trailing entries')
  t.equal(await cutAt(995), 990)
  t.equal(await cutAt(930), 930)
  t.equal(await cutAt(0), 900)
})

t.test('who is silent is not waited for, but who is being sent something is', async t => {
  const leader = { id: 1, match: 50, recentActive: true, state: 'replicate' } as const
  const copying = { id: 2, match: 0, recentActive: false, state: 'snapshot' } as const
  const behind = { id: 3, match: 20, recentActive: true, state: 'probe' } as const
  const dead = { id: 4, match: 5, recentActive: false, state: 'probe' } as const

  t.equal(slowestOf([leader, dead], 1), Infinity)
  t.equal(slowestOf([leader, behind, dead], 1), 20)
  t.equal(slowestOf([leader, copying, behind, dead], 1), 0)
  t.equal(slowestOf([], 1), Infinity, 'another leads')
})
