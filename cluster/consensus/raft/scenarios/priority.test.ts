import t from 'tap'
import { createGroup } from './group.ts'
import { createLonePeer, electionTicks } from './lone-peer.ts'
import { RaftInvariantError } from '../core/assert.ts'
import { createPrng } from '../core/prng.ts'

const safe = { preVote: true, checkQuorum: true }

t.test('a peer of priority p waits p election timeouts more, and is as random within its own', async t => {
  for (const priority of [0, 1, 3]) {
    const random = createPrng(4)
    const timeouts = Array.from({ length: 500 }, () => createLonePeer({ core: { priority, random } }).core.status().randomizedElectionTicks)

    t.equal(Math.min(...timeouts), (1 + priority) * electionTicks)
    t.equal(Math.max(...timeouts), (2 + priority) * electionTicks - 1)
  }
  for (const priority of [-1, 0.5, 9]) t.throws(() => createLonePeer({ core: { priority } }), RaftInvariantError)
})

t.test('of a group that has lost its leader the preferred one stands first, and is elected', async t => {
  for (let round = 0; round < 20; round++) {
    const group = createGroup({ settings: safe, cores: { 1: { priority: 0 }, 2: { priority: 1 }, 3: { priority: 1 } } })
    group.pass(2 * electionTicks)

    t.equal(group.leader(), 1)
  }
})

t.test('where nobody before it can be elected the last one is, and goes on leading when they come back', async t => {
  const group = createGroup({ settings: safe, cores: { 2: { priority: 2 }, 3: { priority: 2 } } })
  group.cut(1)
  group.pass(6 * electionTicks)
  const leader = group.leader()
  t.ok(leader === 2 || leader === 3)
  group.heal()
  group.pass(5 * electionTicks)

  t.equal(group.leader(), leader, 'a priority is no reason to change a leader')
})

t.test('a peer of low priority that is behind nobody votes and can be handed the lead', async t => {
  const group = createGroup({ settings: safe, cores: { 3: { priority: 8 } } })
  group.campaign(1)
  group.cut(2)
  group.propose(1)
  group.settle()
  t.equal(group.status(1).commit, 2)
  group.core(1).transferLeader(3)
  group.settle()

  t.equal(group.leader(), 3)
})
