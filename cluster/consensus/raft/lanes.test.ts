import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { Applier } from './applier.ts'
import { AppendLane, ApplyLane } from './lanes.ts'
import type { Snapshotter } from './snapshotter.ts'
import type { RaftStorage } from './storage.ts'
import type { Entry, Message } from './core/types.ts'

/** An apply lane whose machine is through with a piece when told, and what it was handed, piece by piece. */
function laneWith (): { readonly lane: ApplyLane, readonly pieces: number[][], readonly through: () => Promise<void> } {
  const pieces: number[][] = []
  let done = Promise.withResolvers<void>()
  const applier = {
    async apply (entries: ReadonlyArray<{ readonly index: number }>) {
      pieces.push(entries.map(({ index }) => index))
      await done.promise
    }
  } as unknown as Applier
  const lane = new ApplyLane({ applier, deliver () {}, applied () {}, fail (err) { throw err } })
  const through = async (): Promise<void> => {
    done.resolve()
    done = Promise.withResolvers()
    await setImmediate()
  }
  return { lane, pieces, through }
}

const entriesOf = (...indexes: number[]): Message =>
  ({ entries: indexes.map(index => ({ index, term: 1, type: 'EntryNormal', data: new Uint8Array(0) })), responses: [] }) as unknown as Message

t.test('what is committed while a piece is applied is the next piece, as one', async t => {
  const { lane, pieces, through } = laneWith()
  lane.take(entriesOf(1))
  lane.take(entriesOf(2, 3))
  lane.take(entriesOf(4))

  await through()
  while (pieces.length < 2) await setImmediate()

  t.strictSame(pieces, [[1], [2, 3, 4]])
  await through()
  await lane.stop()
})

t.test('who was just answered may come along with those who wait', async t => {
  const { lane, pieces, through } = laneWith()
  lane.take(entriesOf(1))
  lane.take(entriesOf(2))

  await through()
  lane.take(entriesOf(3))
  while (pieces.length < 2) await setImmediate()

  t.strictSame(pieces, [[1], [2, 3]])
  await through()
  await lane.stop()
})

t.test('a task between two pieces comes after what was handed in before it, and before what came later', async t => {
  const { lane, pieces, through } = laneWith()
  lane.take(entriesOf(1))
  lane.take(entriesOf(2))
  const seen = lane.between(() => pieces.length)
  lane.take(entriesOf(3))

  while (pieces.length < 3) await through()
  await through()

  t.equal(await seen, 2)
  t.strictSame(pieces, [[1], [2], [3]])
  await lane.stop()
})

t.test('alone, nobody waits for the file, but for a change of the membership and what comes before it is applied', async t => {
  const appends: string[] = []
  const storage = {
    log: { lastIndex: () => 0 },
    async append ({ mustSync }: { readonly mustSync: boolean }) { appends.push(mustSync ? 'synced' : 'written') },
    async appendBehind () { appends.push('behind') }
  } as unknown as RaftStorage
  let applied = 0
  const lane = new AppendLane({
    storage, snapshotter: {} as Snapshotter, apply: {} as ApplyLane, restored () {}, deliver () {}, fail (err) { throw err }, stateVouches: changesTo => applied >= changesTo
  }, { term: 1, vote: 1, commit: 0 })
  const take = async (index: number, type: Entry['type'] = 'EntryNormal', term = 1): Promise<void> => {
    lane.take({ ...entriesOf(index), type: 'MsgStorageAppend', term, vote: 1, commit: 0, entries: [{ index, term, type, data: new Uint8Array(0) }] } as unknown as Message, [])
    await setImmediate()
  }

  await take(1)
  await take(2, 'EntryConfChangeV2')
  await take(3)
  applied = 2
  await take(4)
  await take(5, 'EntryNormal', 2)

  t.strictSame(appends, ['behind', 'synced', 'synced', 'behind', 'synced'])
})
