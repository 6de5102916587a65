import t from 'tap'
import { add, addLearner, createGroup, remove } from './group.ts'
import { encodeConfChange } from '../core/conf-codec.ts'
import { message } from '../core/message.ts'
import type { Entry, Message } from '../core/types.ts'

const safe = { preVote: true, checkQuorum: true }

t.test('MC-01 a new leader changes nothing before what it found in its log is applied', async t => {
  const group = createGroup({ voters: 4, logs: { 1: [1, 1], 2: [1, 1] } })
  group.drop = ({ type }) => type === 'MsgApp'
  group.campaign(1)

  t.match(group.change(1, [remove(4)]), { kind: 'appended', refusal: 'change-pending' })
  group.drop = () => false
  group.pass(3)
  t.strictSame(group.status(1).conf.voters, [1, 2, 3, 4])

  const { refusal } = group.change(1, [remove(4)]) as { refusal?: string }
  t.equal(refusal, undefined)
})

for (const [why, first, second, voters] of [
  ['add and add', add(5), add(6), [1, 2, 3, 4, 6]],
  ['remove and remove', remove(3), remove(4), [1, 2, 3]],
  ['add and remove', add(5), remove(4), [1, 2, 3]]
] as const) {
  t.test(`MC-02 two leaders that change at once, ${why}: one of them wins`, async t => {
    const group = createGroup({ voters: 4, others: [5, 6] })
    group.campaign(1)
    group.pass(2)
    // The first leader's change reaches nobody; the next leader makes another one.
    group.cut(1)
    group.change(1, [first])
    group.campaign(2)
    group.pass(2)
    group.change(2, [second])
    group.pass(3)
    group.heal()
    group.pass(5)

    const applied = group.status(2).conf
    t.strictSame(group.status(1).conf, applied)
    t.strictSame(applied.voters, voters)
  })
}

t.test('MC-03 the next change waits until this one is applied, not only committed', async t => {
  const group = createGroup({ core: { asyncStorageWrites: true } })
  group.campaign(1)
  group.change(1, [addLearner(9)])
  t.match(group.change(1, [addLearner(8)]), { refusal: 'change-pending' })
  group.settle()

  t.strictSame(group.status(1).conf.learners, [9])
})

t.test('MC-03 whoever has a committed change that it has not applied does not stand', async t => {
  const group = createGroup({ core: { asyncStorageWrites: true } })
  const core = group.core(1)
  const change: Entry = { term: 1, index: 1, ...encodeConfChange({ transition: 'auto', changes: [add(4)], context: new Uint8Array(0) }) }
  core.step(message('MsgApp', { from: 2, to: 1, term: 1, entries: [change], commit: 1 }))
  const write = core.ready().messages.find(({ type }) => type === 'MsgStorageAppend')
  group.persist(1, write as Message)
  core.campaign()
  t.match(core.status(), { role: 'follower', commit: 1, applied: 0 })

  const apply = core.ready().messages.find(({ type }) => type === 'MsgStorageApply')
  core.applyConfChange({ transition: 'auto', changes: [add(4)], context: new Uint8Array(0) })
  for (const response of apply?.responses ?? []) core.step(response)
  core.campaign()

  t.equal(core.status().role, 'candidate')
})

t.test('MC-07 a change that is cut off by another leader was never in force', async t => {
  const group = createGroup({ others: [4] })
  group.campaign(1)
  group.cut(1)
  group.change(1, [remove(3)])
  t.strictSame(group.status(1).conf.voters, [1, 2, 3])
  group.campaign(2)
  group.heal()
  group.pass(3)

  t.strictSame(group.status(1).conf.voters, [1, 2, 3])
  t.equal(group.peer(1).disk.seen.entries.filter(({ type }) => type !== 'EntryNormal').length, 0)
})

t.test('MC-08 a snapshot carries the membership of its index, not one that is under way', async t => {
  const group = createGroup({ others: [4], settings: { snapshotEvery: 3, trailing: 0 } })
  group.campaign(1)
  group.propose(1)
  group.drop = ({ type, entries }) => type === 'MsgApp' && entries.some(entry => entry.type !== 'EntryNormal')
  group.change(1, [add(4)])
  group.propose(1)
  group.settle()

  const { meta } = group.peer(1).disk.seen.snapshot
  t.strictSame(meta.confState.voters, [1, 2, 3])
})

t.test('MC-11 a learner that was promoted and does not know it yet votes', async t => {
  const group = createGroup({ voters: 2, learners: [3], settings: safe })
  group.campaign(1)
  group.change(1, [add(3)])
  group.drop = ({ to, commit, type }) => to === 3 && (type === 'MsgHeartbeat' || commit > 1)
  group.settle()
  t.strictSame(group.status(2).conf.voters, [1, 2, 3])
  t.strictSame(group.status(3).conf.learners, [3])

  group.drop = () => false
  group.cut(1)
  group.tick(3, 30)
  group.tick(2, 30)
  group.settle()

  t.equal(group.leader(), 2)
})

t.test('MC-12 a learner never stands, and follows as a learner', async t => {
  const group = createGroup({ learners: [4] })
  group.tick(4, 100)
  group.core(4).campaign()
  group.work()
  t.match(group.status(4), { role: 'follower', term: 0 })
  group.campaign(1)
  group.propose(1)
  group.settle()

  t.equal(group.status(4).commit, group.status(1).commit)
})

t.test('a learner is no part of any majority', async t => {
  const group = createGroup({ voters: 2, learners: [3, 4] })
  group.campaign(1)
  group.cut(2)
  group.propose(1)
  group.pass(3)
  t.equal(group.status(1).commit, 1)

  group.cut(1)
  group.heal()
  group.pass(3)
  t.equal(group.status(1).commit, 2)
})

t.test('MC-13 a removed peer that keeps standing disturbs nobody', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.cut(3)
  group.change(1, [remove(3)])
  group.pass(3)
  group.heal()
  const { term } = group.status(1)
  group.pass(100)

  t.match(group.status(1), { role: 'leader', term })
})

t.test('MC-14 a leader that is removed commits its removal without its own copy, and steps down', async t => {
  const group = createGroup()
  group.campaign(1)
  group.change(1, [remove(1)])
  group.pass(3)

  t.match(group.status(1), { role: 'follower', conf: { voters: [2, 3] } })
  t.match(group.propose(1), { kind: 'dropped' })
  group.campaign(2)
  t.equal(group.leader(), 2)
})

t.test('MC-14 a removed leader that was told to stay does not count itself', async t => {
  const group = createGroup({ settings: { stepDownOnRemoval: false } })
  group.campaign(1)
  group.change(1, [remove(1)])
  for (let at = 0; at < 2; at++) group.propose(1)
  const { index } = group.propose(1) as { index: number }
  group.drop = ({ to, entries }) => to === 3 && entries.some(entry => entry.index === index)
  group.settle()

  t.equal(group.status(1).role, 'leader')
  t.ok(group.status(1).commit < index, 'two of two are needed')
  t.match(group.propose(1), { kind: 'dropped', reason: 'not-member' })
})

t.test('a voter that was removed as leader and refuses its vote tells what is committed', async t => {
  const group = createGroup({ voters: 2 })
  group.campaign(1)
  group.change(1, [remove(1)])
  for (let at = 0; at < 3; at++) group.propose(1)
  // 2 holds its leader's removal but is not told that it is committed, and 1 has more in its log.
  group.drop = ({ to, type, commit, entries }) => to === 2 && type === 'MsgApp' && (commit > 1 || entries.some(({ index }) => index > 2))
  group.settle()
  t.match(group.status(1), { role: 'follower', conf: { voters: [2] } })
  t.equal(group.status(2).commit, 1)

  group.drop = () => false
  group.pass(80)

  t.match(group.status(2), { role: 'leader', conf: { voters: [2] } })
})

t.test('the last voter cannot be removed', async t => {
  const group = createGroup({ voters: 1, learners: [2] })
  group.campaign(1)

  t.match(group.change(1, [remove(1)]), { refusal: 'invalid' })
  group.settle()
  t.strictSame(group.status(1).conf.voters, [1])
})

t.test('fewer voters may commit at once what waited for more', async t => {
  const group = createGroup({ voters: 2 })
  group.campaign(1)
  group.change(1, [remove(2)])
  group.settle()
  group.cut(2)
  group.propose(1)
  group.settle()

  t.equal(group.status(1).commit, group.status(1).lastIndex)
})
