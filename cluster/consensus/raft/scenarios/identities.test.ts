import t from 'tap'
import { FakeClock } from '../../../clock.ts'
import { refusalOf } from '../handshake.ts'
import { openLogStorage } from '../log-storage.ts'
import { foundCluster } from '../recovery.ts'
import { allKept } from '../testing/crash-disk.ts'
import { Group } from '../testing/group.ts'
import type { HandshakeView, Hello } from '../handshake.ts'

/** Who may speak as a member. The same with real processes and folders: `processes/identity.test.ts`. */

const hello: Hello = {
  version: 1, lane: 'append', clusterId: 'ours', from: { id: 2, incarnation: 22, name: 'two', address: '' }, boot: 5, nonce: 77, term: 9, lastIndex: 100,
  confIndex: 10, to: 1, toIncarnation: 11
}
const view: HandshakeView = {
  identity: { nodeId: 1, incarnation: 11, clusterId: 'ours', boot: 1 }, members: [{ id: 1, incarnation: 11, name: 'one', address: '' }, hello.from], confIndex: 10,
  seen: () => ({ boot: 5, nonce: 77, term: 9 }), acknowledged: () => 100
}

t.test('MC-16 who comes back with a wiped folder is somebody else: its votes and acknowledgements are not heard', async t => {
  t.equal(refusalOf({ ...hello, from: { ...hello.from, incarnation: 23 }, boot: 1, term: 0, lastIndex: 0 }, view), 'other-incarnation')
})

t.test('MC-16 IC-04 a wiped peer is taken in again in the place of the one it was, by one command', async t => {
  await using group = await Group.of(3)
  for (let at = 0; at < 5; at++) await group.add(1, 'sum', 1)
  group.network.isolate(3)
  await group.start(4)

  await group.leader.membership.replace(3, { id: 4, incarnation: 4, name: 'peer-4', address: '' }, { signal: group.signal })
  await group.add(2, 'sum', 1)
  await group.node(4).readBarrier({ signal: group.signal })

  t.strictSame(group.leader.status().membership.voters, [1, 2, 4])
  t.equal(group.machine(4).get('sum'), 6)
})

t.test('MC-17 a folder that was put back from a copy is noticed: it counts fewer starts, is of an earlier term, or lacks what it acknowledged', async t => {
  for (const [older, refusal] of [[{ boot: 4 }, 'older-copy'], [{ boot: 6, term: 8 }, 'older-copy'], [{ boot: 6, lastIndex: 99 }, 'lost-log']] as const) {
    t.equal(refusalOf({ ...hello, ...older }, view), refusal)
  }
})

t.test('MC-18 of two processes that say to be one peer, the second is not heard', async t => {
  t.equal(refusalOf({ ...hello, nonce: 78 }, view), 'second-process')
})

t.test('MC-19 whoever is of another cluster is told so, whatever else it says', async t => {
  for (const other of [{ clusterId: 'theirs' }, { clusterId: 'theirs', boot: 1 }, { clusterId: 'theirs', lane: 'control' }] as const) {
    t.equal(refusalOf({ ...hello, ...other }, view), 'other-cluster')
  }
})

t.test('IC-12 a folder founds one cluster, once', async t => {
  await using group = await Group.of(1)
  const disk = group.peers.get(1)!.disk.afterPowerLoss(allKept)
  await using again = await openLogStorage({ folder: '/raft', disk, clock: new FakeClock(), nodeId: 1, segmentBytes: 65_536 })

  await t.rejects(foundCluster(again, 'another', { name: 'one', address: '' }), { code: 'ERR_RAFT_FATAL', message: /belongs to cluster/ })
})
