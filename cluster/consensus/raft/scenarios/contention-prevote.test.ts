import t from 'tap'
import { createGroup } from './group.ts'
import type { Role, Term } from '../core/types.ts'
import type { Group } from './group.ts'

const state = (group: Group): ReadonlyArray<readonly [Role, Term]> => group.ids.map(id => [group.status(id).role, group.status(id).term])
const asks = { preVote: true }

t.test('with pre-vote peers of unequal terms still find a leader when the newest one is gone', async t => {
  const group = createGroup({ terms: { 1: 1, 2: 1, 3: 1 }, settings: asks })
  group.cut(3)
  group.campaign(1)
  group.heal()
  group.cut(3)
  group.campaign(2)
  group.core(3).campaign()
  group.settle()
  t.strictSame(state(group), [['follower', 3], ['leader', 3], ['pre-candidate', 1]])

  group.heal()
  group.cut(2)
  group.campaign(3)
  group.campaign(1)
  t.ok([1, 3].some(id => group.status(id).role === 'leader'))
})

t.test('with pre-vote a split vote is over with the next election', async t => {
  const group = createGroup({ settings: asks })
  group.campaign(1)
  group.cut(1)
  group.core(2).campaign()
  group.core(3).campaign()
  group.settle()
  t.strictSame(state(group).slice(1), [['candidate', 2], ['candidate', 2]])

  group.campaign(2)
  t.strictSame(state(group).slice(1), [['leader', 3], ['follower', 3]])
})

t.test('a pre-candidate that follows nobody any more grants pre-votes in spite of the check of the quorum', async t => {
  const group = createGroup({ settings: { ...asks, checkQuorum: true } })
  group.campaign(1)
  group.cut(1)
  group.core(3).campaign()
  group.settle()
  t.equal(group.status(3).role, 'pre-candidate', 'the other one still hears a leader, as far as it knows')

  group.core(2).campaign()
  group.settle()
  group.core(3).campaign()
  group.settle()
  t.ok([2, 3].some(id => group.status(id).role === 'leader'))
})

/** 1 and 2 ask first; 3 does not yet, and while it was away it has got into a later term with a log that lacks an entry. */
function upgrading (checkQuorum: boolean): Group {
  const group = createGroup({ settings: { checkQuorum }, cores: { 1: asks, 2: asks, 3: { preVote: false } } })
  group.campaign(1)
  group.cut(3)
  group.propose(1)
  group.settle()
  group.tick(3, 45)
  t.equal(group.status(3).role, 'candidate')
  t.ok(group.status(3).term > group.status(1).term)
  group.take()
  return group
}

/** From now on 3 asks first as well; it keeps its term and its log. */
function upgrade (group: Group): void {
  const peer = group.peer(3)
  peer.crash()
  Object.assign(peer.surroundings, { core: asks })
  peer.start()
}

t.test('when some ask first and some do not yet, an election comes to an end', async t => {
  const group = upgrading(false)
  upgrade(group)
  group.heal()
  group.cut(1)
  for (let times = 0; times < 3 && group.leader() !== 2; times++) {
    group.campaign(3)
    group.campaign(2)
  }

  t.equal(group.leader(), 2, 'the one with the whole log')
  t.equal(group.status(3).term, group.status(2).term)
})

t.test('a pre-candidate stuck in a later term is freed by the leader\'s next word, and the leader learns the term', async t => {
  const group = upgrading(true)
  const { term } = group.status(3)
  upgrade(group)
  group.heal()
  group.campaign(3)
  t.match([group.status(1), group.status(3)], [{ role: 'leader' }, { role: 'pre-candidate', term }])

  group.tick(1)
  group.settle()
  t.match([group.status(1), group.status(3)], [{ role: 'follower', term }, { term }])
  group.pass(80)
  const leader = group.leader()
  t.ok(leader === 1 || leader === 2)
  t.equal(group.status(3).commit, group.status(1).commit)
})
