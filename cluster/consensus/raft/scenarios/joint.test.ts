import t from 'tap'
import { add, addLearner, createGroup, remove } from './group.ts'
import { decodeConfChange } from '../core/conf-codec.ts'
import type { Group } from './group.ts'
import type { NodeId } from '../core/types.ts'

function leaves (group: Group, id: NodeId): number {
  return group.peer(id).disk.seen.entries.filter(entry => decodeConfChange(entry)?.changes.length === 0).length
}

t.test('MC-04 entering and leaving a joint membership needs both majorities', async t => {
  const group = createGroup({ voters: 3, others: [4, 5, 6] })
  group.campaign(1)
  group.change(1, [remove(1), remove(2), remove(3), add(4), add(5), add(6)], 'explicit')
  group.pass(5)
  t.match(group.status(1).conf, { voters: [4, 5, 6], votersOutgoing: [1, 2, 3] })
  const { commit } = group.status(1)

  group.cut(4, 5)
  group.propose(1)
  group.pass(3)
  t.equal(group.status(1).commit, commit, 'not without the new majority')

  group.heal()
  group.pass(3)
  group.cut(2, 3)
  group.propose(1)
  group.pass(3)
  t.equal(group.status(1).commit, commit + 1, 'not without the old one')
})

t.test('MC-05 a joint membership is left by itself, once, however many writes are under way', async t => {
  const group = createGroup({ others: [4, 5] })
  group.campaign(1)
  group.change(1, [add(4), add(5)])
  for (let at = 0; at < 5; at++) group.propose(1)
  group.pass(5)

  t.strictSame(group.status(1).conf, { voters: [1, 2, 3, 4, 5], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false })
  t.equal(leaves(group, 1), 1)
  t.equal(group.peer(1).disk.seen.entries.filter(({ data }) => data.length === 0).length, 2, 'and no empty entry but the leader\'s first and the leave')
})

t.test('MC-05 the next leader leaves what the one before entered', async t => {
  const group = createGroup({ others: [4, 5] })
  group.campaign(1)
  group.change(1, [add(4), add(5)])
  // Everyone gets the joint membership; nobody the proposal to leave it.
  group.drop = ({ type, entries }) => type === 'MsgApp' && entries.some(entry => decodeConfChange(entry)?.changes.length === 0)
  group.pass(4)
  t.strictSame(group.status(2).conf.votersOutgoing, [1, 2, 3])
  group.drop = () => false
  group.cut(1)
  group.campaign(2)
  group.pass(5)

  t.strictSame(group.status(2).conf.votersOutgoing, [])
  t.equal(leaves(group, 2), 1)
  group.heal()
  group.pass(5)
  t.strictSame(group.status(1).conf, group.status(2).conf)
})

t.test('MC-06 a leave that got lost with its leader is proposed again', async t => {
  const group = createGroup({ others: [4] })
  group.campaign(1)
  group.change(1, [add(4)], 'explicit')
  group.pass(4)
  group.cut(1)
  group.change(1, [], 'auto')
  group.campaign(2)
  group.pass(3)
  t.strictSame(group.status(2).conf.votersOutgoing, [1, 2, 3], 'still joint')

  group.change(2, [], 'auto')
  group.pass(3)
  group.heal()
  group.pass(3)

  t.strictSame(group.status(1).conf, group.status(2).conf)
  t.strictSame(group.status(2).conf.votersOutgoing, [])
})

t.test('a joint membership refuses further changes, and a simple one to be left', async t => {
  const group = createGroup()
  group.campaign(1)
  t.match(group.change(1, [], 'auto'), { refusal: 'not-joint' })
  group.settle()
  group.change(1, [addLearner(3)], 'explicit')
  group.settle()
  t.match(group.status(1).conf, { learnersNext: [3] })

  t.match(group.change(1, [add(9)]), { refusal: 'still-joint' })
  group.settle()
  group.change(1, [], 'auto')
  group.settle()
  t.match(group.status(1).conf, { voters: [1, 2], learners: [3], learnersNext: [] })
})

t.test('MC-04 an election needs both majorities', async t => {
  const group = createGroup({ conf: { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] } })
  group.core(1).campaign()
  group.work()
  for (const from of [2, 3]) group.step(1, 'MsgVoteResp', { from, term: 1 })
  t.equal(group.status(1).role, 'candidate', 'the new majority alone')

  group.step(1, 'MsgVoteResp', { from: 4, term: 1 })
  t.equal(group.status(1).role, 'leader')

  const other = createGroup({ conf: { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] } })
  other.core(1).campaign()
  other.work()
  for (const from of [4, 5]) other.step(1, 'MsgVoteResp', { from, term: 1 })
  t.equal(other.status(1).role, 'candidate', 'the old majority alone')
})
