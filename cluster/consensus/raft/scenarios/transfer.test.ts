import t from 'tap'
import { createGroup, remove } from './group.ts'

const safe = { preVote: true, checkQuorum: true }

t.test('TR-01 an up-to-date peer takes over within one round, in spite of the lease', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.core(1).transferLeader(2)
  group.settle()

  t.equal(group.leader(), 2)
  t.match(group.status(1), { role: 'follower', lead: 2 })
})

t.test('TR-01 a follower passes the wish on', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.core(3).transferLeader(3)
  group.settle()

  t.equal(group.leader(), 3)
})

t.test('TR-02 a peer that is behind catches up first, over a snapshot if need be', async t => {
  for (const snapshotEvery of [1_000, 5]) {
    const group = createGroup({ settings: { ...safe, snapshotEvery, trailing: 0 } })
    group.campaign(1)
    group.cut(3)
    for (let at = 0; at < 12; at++) group.propose(1)
    group.settle()
    group.heal()
    group.core(1).transferLeader(3)
    group.pass(4)

    t.equal(group.leader(), 3)
    t.equal(group.status(3).commit, group.status(1).commit)
  }
})

t.test('TR-03 a dead target: no writes for one election timeout at most, then as before', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.cut(3)
  group.core(1).transferLeader(3)
  group.work()
  t.match(group.propose(1), { kind: 'dropped', reason: 'transferring' })

  group.pass(10)

  t.match(group.status(1), { role: 'leader', leadTransferee: 0 })
  t.equal(group.propose(1).kind, 'appended')
})

t.test('TR-04 to itself, to a stranger or to a learner nothing is handed over', async t => {
  for (const to of [1, 4, 9]) {
    const group = createGroup({ learners: [4], settings: safe })
    group.campaign(1)
    group.core(1).transferLeader(to)
    group.settle()

    t.match(group.status(1), { role: 'leader', leadTransferee: 0 })
  }
})

t.test('TR-05 a second transfer takes the place of the first; the same one again gains no time', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.cut(3)
  group.core(1).transferLeader(3)
  group.core(1).transferLeader(2)
  group.settle()
  t.equal(group.leader(), 2)

  const same = createGroup({ settings: safe })
  same.campaign(1)
  same.cut(3)
  same.core(1).transferLeader(3)
  same.pass(9)
  same.core(1).transferLeader(3)
  same.pass(1)
  t.equal(same.status(1).leadTransferee, 0)
})

t.test('TR-05 a transfer back to the leader is the end of it', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.cut(3)
  group.core(1).transferLeader(3)
  group.core(1).transferLeader(1)

  t.match(group.status(1), { role: 'leader', leadTransferee: 0 })
})

t.test('TR-06 a vote of a higher term ends the transfer', async t => {
  const group = createGroup()
  group.campaign(1)
  group.cut(3)
  group.core(1).transferLeader(3)
  group.campaign(2)

  t.equal(group.leader(), 2)
  t.equal(group.status(1).leadTransferee, 0)
})

t.test('TR-07 writes in flight survive a transfer', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  for (let at = 0; at < 5; at++) group.propose(1)
  group.core(1).transferLeader(2)
  group.settle()
  group.pass(3)

  t.equal(group.leader(), 2)
  t.ok(group.status(2).commit >= 6)
  t.strictSame(group.terms(3).slice(0, 6), [1, 1, 1, 1, 1, 1])
})

t.test('TR-08 the word to take over, said twice or late, elects at most once', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  const { term } = group.status(1)
  group.step(2, 'MsgTimeoutNow', { from: 1, term })
  group.step(2, 'MsgTimeoutNow', { from: 1, term })
  group.settle()
  t.match(group.status(2), { role: 'leader', term: term + 1 })

  group.step(3, 'MsgTimeoutNow', { from: 1, term })
  group.settle()

  t.match(group.status(3), { role: 'follower', term: term + 1 })
  t.match(group.status(2), { role: 'leader', term: term + 1 })
})

t.test('TR-08 who is no member, or a learner, does not stand however often it is told to', async t => {
  const group = createGroup({ learners: [4], others: [5], settings: safe })
  group.campaign(1)
  for (const id of [4, 5]) {
    group.step(id, 'MsgTimeoutNow', { from: 1, term: group.status(1).term })
    t.equal(group.status(id).role, 'follower')
  }
})

t.test('MC-15 a target that is removed or demoted ends the transfer at once', async t => {
  for (const change of [remove(3), { type: 'ConfChangeAddLearnerNode', nodeId: 3 } as const]) {
    const group = createGroup({ settings: safe })
    group.campaign(1)
    group.change(1, [change])
    group.drop = ({ to, from }) => to === 3 || from === 3
    group.core(1).transferLeader(3)
    group.settle()

    t.match(group.status(1), { role: 'leader', leadTransferee: 0 })
    t.equal(group.propose(1).kind, 'appended')
  }
})

t.test('MC-15 a membership change during a transfer is dropped with its reason', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.cut(3)
  group.core(1).transferLeader(3)

  t.match(group.change(1, [remove(2)]), { kind: 'dropped', reason: 'transferring' })
})
