import t from 'tap'
import { createGroup } from './group.ts'
import { message } from '../core/message.ts'
import type { Group } from './group.ts'
import type { ConfState, Index, Message, ProgressStatus, Snapshot, Term } from '../core/types.ts'

const three: ConfState = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }

function snapshotAt (index: Index, term: Term, conf: ConfState = three): Snapshot {
  return { meta: { index, term, confState: conf }, data: new Uint8Array(20) }
}

/** A group whose leader 1 has compacted its log while 3 was away. */
function withLaggard (): Group {
  const group = createGroup({ settings: { snapshotEvery: 5, trailing: 1 } })
  group.campaign(1)
  group.cut(3)
  for (let at = 0; at < 10; at++) group.propose(1)
  group.settle()
  group.pass(10)
  return group
}

function progress (group: Group, of: number): ProgressStatus {
  return group.status(1).progress.find(({ id }) => id === of) as ProgressStatus
}

t.test('SN-01 a snapshot older than what is committed is ignored and answered with the commit index', async t => {
  const group = createGroup({ logs: { 1: [1, 1, 1], 2: [1, 1, 1] }, commits: { 1: 3 } })

  group.step(1, 'MsgSnap', { from: 2, term: 1, snapshot: snapshotAt(2, 1) })
  group.step(1, 'MsgSnap', { from: 2, term: 1, snapshot: snapshotAt(3, 1) })

  t.match(group.take('MsgAppResp'), [{ index: 3, reject: false }, { index: 3, reject: false }])
  t.strictSame(group.terms(1), [1, 1, 1])
})

t.test('SN-02 a log that agrees with the snapshot keeps what follows it; one that does not goes', async t => {
  const agrees = createGroup({ logs: { 1: [1, 1, 2, 2], 2: [1, 1, 2], 3: [1, 1, 2] } })
  agrees.step(1, 'MsgSnap', { from: 3, term: 4, snapshot: snapshotAt(3, 2) })
  t.strictSame(agrees.terms(1), [1, 1, 2, 2])
  t.match(agrees.status(1), { commit: 3, lastIndex: 4 })
  t.match(agrees.take('MsgAppResp'), [{ index: 3 }])

  const disagrees = createGroup({ logs: { 1: [1, 1, 1, 1], 2: [1, 1, 2], 3: [1, 1, 2] } })
  disagrees.step(1, 'MsgSnap', { from: 3, term: 4, snapshot: snapshotAt(3, 2) })
  t.match(disagrees.status(1), { commit: 3, firstIndex: 4, lastIndex: 3, applied: 3 })
  t.match(disagrees.take('MsgAppResp'), [{ index: 3 }])
})

t.test('SN-03 a crash while installing leaves the old state or the new one, twice', async t => {
  for (const instructions of [1, 2, 3, 4]) {
    const group = createGroup({ logs: { 1: [1, 1], 2: [1, 1, 2], 3: [1, 1, 2] }, commits: { 1: 1 } })
    group.peer(1).crashAfter(instructions)
    group.step(1, 'MsgSnap', { from: 3, term: 4, snapshot: snapshotAt(3, 2) })
    for (let restarts = 0; restarts < 2; restarts++) {
      if (group.peer(1).isUp) group.peer(1).crash()
      group.peer(1).start()
      const { commit, firstIndex, lastIndex } = group.status(1)
      t.ok(commit >= firstIndex - 1 && commit <= lastIndex, `after ${instructions} instructions: ${firstIndex}, ${commit}, ${lastIndex}`)
    }
  }
})

t.test('SN-05 a newer snapshot takes the place of one that is still being written', async t => {
  const group = createGroup({ core: { asyncStorageWrites: true }, logs: { 1: [1], 2: [1, 1, 1, 1, 1, 1] } })
  const core = group.core(1)
  core.step(message('MsgSnap', { from: 2, to: 1, term: 1, snapshot: snapshotAt(4, 1) }))
  const [first] = core.ready().messages.filter(({ type }) => type === 'MsgStorageAppend')
  core.step(message('MsgSnap', { from: 2, to: 1, term: 1, snapshot: snapshotAt(6, 1) }))
  const [second] = core.ready().messages.filter(({ type }) => type === 'MsgStorageAppend')
  group.persist(1, first as Message)
  t.equal(core.status().applied, 4)
  t.notOk(core.status().role === 'leader')

  group.persist(1, second as Message)

  t.match(core.status(), { applied: 6, commit: 6, firstIndex: 7 })
})

t.test('SN-06 a peer behind the log is sent one snapshot, nothing more until it has arrived, then the rest', async t => {
  const group = withLaggard()
  const { match } = progress(group, 2)
  group.heal()
  let snapshots = 0
  group.drop = ({ type }) => { if (type === 'MsgSnap') snapshots++; return false }

  group.pass(3)

  t.equal(snapshots, 1)
  t.match(progress(group, 3), { state: 'replicate', match })
  t.equal(group.status(3).applied, group.status(1).applied)
})

t.test('SN-06 while a snapshot travels nothing else is sent; a failed one is tried again', async t => {
  const group = withLaggard()
  group.heal()
  group.tick(1)
  const isForLaggard = ({ to }: { to: number }): boolean => to === 3
  group.drop = ({ type }) => type === 'MsgSnap'
  group.settle()
  t.match(progress(group, 3), { state: 'snapshot', paused: true })
  const { pendingSnapshot } = progress(group, 3)
  t.ok(pendingSnapshot > 0)
  group.propose(1)
  t.equal(group.take('MsgApp').filter(isForLaggard).length, 0)

  group.core(1).reportSnapshot(3, false)
  t.match(progress(group, 3), { state: 'probe', next: progress(group, 3).match + 1, paused: true })
  group.drop = () => false
  group.pass(3)
  t.equal(progress(group, 3).match, group.status(1).lastIndex)
})

t.test('SN-06 a snapshot that arrived is probed after its index, and not before the next sign of life', async t => {
  const group = withLaggard()
  group.heal()
  group.drop = ({ type }) => type === 'MsgSnap'
  group.pass(1)
  const { pendingSnapshot } = progress(group, 3)

  group.core(1).reportSnapshot(3, true)
  group.work()

  t.match(progress(group, 3), { state: 'probe', next: pendingSnapshot + 1, paused: true })
  t.equal(group.take('MsgApp').filter(({ to }) => to === 3).length, 0)
})

t.test('SN-06 any acknowledgement that connects to the log ends the wait for a snapshot', async t => {
  const group = withLaggard()
  group.heal()
  const held: ReturnType<typeof group.take>[number][] = []
  group.drop = said => { if (said.type === 'MsgSnap') held.push(said); return said.type === 'MsgSnap' }
  group.pass(1)
  t.equal(progress(group, 3).state, 'snapshot')

  group.drop = () => false
  group.deliver(held[0] as (typeof held)[number])
  group.settle()

  t.equal(progress(group, 3).state, 'replicate')
})

t.test('SN-06 a peer that has not been heard of is sent no snapshot', async t => {
  const group = createGroup({ settings: { snapshotEvery: 5, trailing: 1, checkQuorum: true } })
  group.campaign(1)
  let snapshots = 0
  group.drop = ({ type, from, to }) => { if (type === 'MsgSnap') snapshots++; return from === 3 || to === 3 }
  group.pass(25)
  for (let at = 0; at < 10; at++) group.propose(1)
  group.pass(25)
  group.core(1).reportUnreachable(3)
  group.propose(1)
  group.pass(5)

  t.equal(snapshots, 0)
})

t.test('SN-07 a peer that is added after the snapshot takes it, and its own addition from the log', async t => {
  const group = createGroup({ others: [4], settings: { snapshotEvery: 4, trailing: 0 } })
  group.campaign(1)
  for (let at = 0; at < 4; at++) group.propose(1)
  group.settle()
  group.change(1, [{ type: 'ConfChangeAddNode', nodeId: 4 }])
  group.pass(10)

  t.strictSame(group.status(4).conf.voters, [1, 2, 3, 4])
  t.equal(group.status(4).applied, group.status(1).applied)
})

t.test('SN-07 a snapshot brings its membership when it is installed, not while older entries are applied', async t => {
  const leave: ConfState = { ...three, voters: [1, 2] }
  const group = createGroup({ core: { asyncStorageWrites: true }, logs: { 1: [1], 2: [1, 1, 1, 1] }, commits: { 1: 1 } })
  const core = group.core(1)
  core.step(message('MsgSnap', { from: 2, to: 1, term: 1, snapshot: snapshotAt(4, 1, leave) }))
  const [write] = core.ready().messages.filter(({ type }) => type === 'MsgStorageAppend')
  group.persist(1, write as Message)

  t.strictSame(core.status().conf.voters, [1, 2])
})

t.test('a snapshot with learners, and with a joint membership, is restored as it is', async t => {
  for (const conf of [
    { ...three, learners: [4, 5] },
    { voters: [1, 2, 4], votersOutgoing: [1, 2, 3], learners: [], learnersNext: [3], autoLeave: true },
    { voters: [2, 3], votersOutgoing: [], learners: [1], learnersNext: [], autoLeave: false }
  ] satisfies ConfState[]) {
    const group = createGroup({ logs: { 2: [1, 1, 2], 3: [1, 1, 2] } })
    group.step(1, 'MsgSnap', { from: 2, term: 4, snapshot: snapshotAt(3, 2, conf) })

    t.strictSame(group.status(1).conf, conf)
  }
})

t.test('MC-09 who learns from a snapshot that it was removed stands for nothing, also after a restart', async t => {
  const group = createGroup({ logs: { 2: [1, 1, 2], 3: [1, 1, 2] } })
  group.step(1, 'MsgSnap', { from: 2, term: 4, snapshot: snapshotAt(3, 2, { ...three, voters: [2, 3] }) })
  group.peer(1).crash()
  group.peer(1).start()
  group.tick(1, 100)

  t.match(group.status(1), { role: 'follower', term: 4 })
})
