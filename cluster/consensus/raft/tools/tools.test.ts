import t from 'tap'
import { FakeClock } from '../../../clock.ts'
import { Group } from '../testing/group.ts'
import { allKept } from '../testing/crash-disk.ts'
import type { CrashDisk } from '../testing/crash-disk.ts'
import { inspect, verify } from './inspect.ts'
import { recover } from './recover.ts'

const options = { snapshots: { thresholdEntries: 40, trailingEntries: 5 } }

/** What a stopped peer of three leaves behind. */
async function folderOf (id: number): Promise<CrashDisk> {
  await using group = await Group.of(3, options)
  for (let i = 0; i < 120; i++) await group.add(1, 'sum', 1)
  await group.until(() => group.machine(id).get('sum') === 120 && (group.node(id).status().snapshots.newest ?? 0) > 0 && !group.node(id).status().snapshots.making)
  const { disk, node } = group.peers.get(id)!
  await node[Symbol.asyncDispose]()
  return disk.afterPowerLoss(allKept)
}

t.test('inspect shows whose folder it is and what the last entries say', async t => {
  const disk = await folderOf(2)

  const seen = await inspect(disk, '/raft', { limit: 3 })

  t.match(seen, { identity: { nodeId: 2, clusterId: 'test' }, tail: 'clean', snapshots: [{ sha256: /^[0-9a-f]{64}$/ }] })
  t.equal(seen.entries.length, 3)
})

t.test('verify finds a healthy folder sound, and names file, byte and index of what is not', async t => {
  const disk = await folderOf(2)
  t.match(await verify(disk, '/raft'), { sound: true, problems: [] })

  const rottenLog = disk.afterPowerLoss(allKept)
  rottenLog.rot('/raft/00000001.log', 600)
  t.match(await verify(rottenLog, '/raft'), { sound: false, problems: [{ file: '/raft/00000001.log', byte: Number, index: Number, problem: /damaged at index/ }] })

  const rottenSnapshot = disk.afterPowerLoss(allKept)
  const name = (await disk.list('/raft/snapshots')).find(each => each.endsWith('.snapshot'))!
  rottenSnapshot.rot(`/raft/snapshots/${name}`, 30)
  t.match(await verify(rottenSnapshot, '/raft'), { sound: false, problems: [{ problem: /is damaged at byte|is not what/ }] })
})

t.test('IC-13 a survivor that was made a new cluster goes on alone with what it had, and the old ones cannot come back', async t => {
  const disk = await folderOf(2)

  const recovery = await recover(disk, new FakeClock(), '/raft')

  t.strictSame(recovery.removed, [1, 3])
  t.equal(recovery.clusterIdBefore, 'test')
  await using group = new Group(options)
  await group.start(2, { disk })
  t.equal(await group.add(2, 'sum', 1), 121)
  t.match(group.node(2).status(), { clusterId: recovery.clusterId, membership: { voters: [2], learners: [] } })
})
