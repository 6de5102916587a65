import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createGroup } from './group.ts'
import { FakeClock } from '../../../clock.ts'
import { message } from '../core/message.ts'
import { openLogStorage } from '../log-storage.ts'
import { foundCluster } from '../recovery.ts'
import { chunkBytes, encodeManifest, snapshotName, writeSnapshot } from '../snapshot-files.ts'
import { Snapshotter } from '../snapshotter.ts'
import { CrashDisk } from '../testing/crash-disk.ts'
import { Group } from '../testing/group.ts'
import type { SnapshotterComponents } from '../snapshotter.ts'

const conf = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }

/** A group of one that has made snapshots, and the names of those it keeps, oldest first. */
async function snapshotted (): Promise<{ readonly group: Group, readonly disk: CrashDisk, readonly names: readonly string[] }> {
  const group = await Group.of(1, { snapshots: { thresholdEntries: 20, trailingEntries: 0 } })
  const { disk } = group.peers.get(1)!
  let names: readonly string[] = []
  while (names.length < 2) {
    for (let at = 0; at < 25; at++) await group.add(1, `k${at % 5}`, 1)
    await group.until(() => !group.node(1).status().snapshots.making)
    names = (await disk.list('/raft/snapshots')).filter(name => name.endsWith('.snapshot'))
  }
  return { group, disk, names }
}

t.test('SN-04 with the newest snapshot unreadable a peer starts from the one before: the log reaches back to it', async t => {
  const { group, disk, names } = await snapshotted()
  await using _group = group
  const digest = group.machine(1).digest()
  disk.rot(`/raft/snapshots/${names[1]}`, 10)
  await group.restart(1)
  await group.node(1).readBarrier({ signal: group.signal })

  t.equal(group.machine(1).digest(), digest)
})

t.test('SN-04 with both unreadable it does not start, and says which file is damaged', async t => {
  const { group, disk, names } = await snapshotted()
  await using _group = group
  for (const name of names) disk.rot(`/raft/snapshots/${name}`, 10)

  await t.rejects(group.restart(1), /snapshot is damaged at byte/)
})

t.test('SN-08 IC-08 a large snapshot is pulled chunk by chunk, with a turn for everybody else between two, and nothing is gathered', async t => {
  const disk = new CrashDisk()
  const chunks = 400
  let pulled = 0
  let turns = 0
  let isDone = false
  const others = (async () => { while (!isDone) { await nextTurn(); turns++ } })()
  let aheadMost = 0
  const open = disk.open.bind(disk)
  disk.open = async (path, how) => {
    const file = await open(path, how)
    if (!path.endsWith('.making')) return file
    let written = 0
    return {
      ...file,
      write: async () => {
        aheadMost = Math.max(aheadMost, pulled - written)
        written++ // and thrown away: only how it is pulled matters here
      }
    }
  }
  async function * state (): AsyncGenerator<Uint8Array> {
    for (; pulled < chunks; pulled++) yield new Uint8Array(chunkBytes)
  }
  await writeSnapshot(disk, '/s', { index: 9, term: 1, confState: conf }, { head: new Uint8Array(1), sessions: [] }, state(), new AbortController().signal)
  isDone = true
  await others

  t.equal(pulled, chunks)
  t.ok(turns >= chunks, `${turns} turns for others while ${chunks} chunks were written`)
  t.ok(aheadMost <= 2, `${aheadMost} chunks in memory at most`)
})

t.test('SN-08 while a follower is sent a snapshot writes go on, and it votes', async t => {
  await using group = await Group.of(3, { snapshots: { thresholdEntries: 50, trailingEntries: 5 } })
  group.network.isolate(3)
  for (let at = 0; at < 200; at++) await group.add(1, `k${at}`, 1)
  await group.until(() => group.node(1).status().firstIndex > group.node(3).status().lastIndex + 1)
  group.network.heal()
  for (let at = 0; at < 100; at++) await group.add(1, `k${at}`, 1)
  await group.until(() => group.machine(3).digest() === group.machine(1).digest())
  group.network.isolate(1)
  await group.until(() => [2, 3].some(id => group.node(id).status().role === 'leader'))

  t.ok(group.node(3).status().term > 1)
})

t.test('SN-09 one follower is sent one snapshot at a time, and no more than two are', async t => {
  const sending: Array<PromiseWithResolvers<void>> = []
  const settled: string[] = []
  const transport = {
    sendSnapshot: async () => {
      const done = Promise.withResolvers<void>()
      sending.push(done)
      await done.promise
    },
    send () {}
  }
  const snapshotter = new Snapshotter({ transport, disk: new CrashDisk(), folder: '/s' } as unknown as SnapshotterComponents, { thresholdEntries: 10, trailingEntries: 0 })
  const meta = { index: 5, term: 1, confState: conf }
  const data = encodeManifest({ meta, bytes: 10, sha256: '00' })
  for (const to of [2, 3, 4]) snapshotter.send(to, message('MsgSnap', { to, term: 1, snapshot: { meta, data } }), ok => { settled.push(`${to} ${ok}`) })
  t.strictSame([snapshotter.status().sending, settled], [2, ['4 false']], 'the third is told to ask again later')
  sending[0]!.resolve()
  await nextTurn()
  t.strictSame([snapshotter.status().sending, settled], [1, ['4 false', '2 true']])
  sending[1]!.resolve()
  await nextTurn()

  const group = createGroup({ settings: { snapshotEvery: 5, trailing: 1 } })
  group.campaign(1)
  group.cut(3)
  for (let at = 0; at < 12; at++) group.propose(1)
  group.settle()
  group.heal()
  let sent = 0
  group.drop = ({ type }) => { if (type === 'MsgSnap') sent++; return type === 'MsgSnap' }
  group.pass(8)
  t.equal(sent, 1, 'until it is known how that one ended')
})

t.test('SN-09 a follower that is late by no more than is kept is sent entries, not a snapshot', async t => {
  const group = createGroup({ settings: { snapshotEvery: 5, trailing: 20 } })
  group.campaign(1)
  group.pass(2)
  for (let round = 0; round < 10; round++) {
    group.cut(3)
    for (let at = 0; at < 15; at++) group.propose(1)
    group.settle()
    group.heal()
    group.drop = ({ type }) => { t.not(type, 'MsgSnap'); return false }
    group.pass(4)
  }

  t.equal(group.status(3).lastIndex, group.status(1).lastIndex)
  t.ok(group.status(1).firstIndex > 100, 'though the log was dropped all the while')
})

t.test('SN-10 IC-05 a state that was there before begins another cluster: its log starts behind it, and no other peer mistakes it for the old one', async t => {
  const disk = new CrashDisk()
  await using storage = await openLogStorage({ folder: '/raft', disk, clock: new FakeClock(), nodeId: 1, segmentBytes: 65_536 })
  await foundCluster(storage, 'imported', { name: 'one', address: '' }, { after: 500 })

  t.match(storage.identity, { clusterId: 'imported' })
  t.strictSame([storage.base.index, storage.log.firstIndex(), storage.log.lastIndex()], [500, 501, 501])
  t.match(storage.log.initialState().hard, { term: 1, commit: 501 }, 'a term and a commit index of its own, never none')
  t.equal(snapshotName(storage.base).endsWith('.snapshot'), true)
})
