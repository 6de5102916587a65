import t from 'tap'
import { add, addLearner, createGroup, remove } from './group.ts'
import { createLonePeer, electionTicks, run, snapshotAt } from './lone-peer.ts'
import type { ConfChangeSingle, ConfState, NodeId } from '../core/types.ts'

const change = (...changes: readonly ConfChangeSingle[]) => ({ transition: 'auto', changes, context: new Uint8Array(0) } as const)
const conf = (voters: readonly NodeId[], learners: readonly NodeId[] = []): ConfState => ({ voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false })

t.test('a change that was applied is in force: who is added, demoted, promoted or removed is so at once', async t => {
  for (const [what, before, single, after] of [
    ['a voter more', conf([1]), add(2), conf([1, 2])],
    ['a learner more', conf([1]), addLearner(2), conf([1], [2])],
    ['a voter less', conf([1, 2]), remove(2), conf([1])],
    ['a learner less', conf([1], [2]), remove(2), conf([1])],
    ['a learner is promoted', conf([1], [2]), add(2), conf([1, 2])],
    ['a voter is demoted', conf([1, 2]), addLearner(2), conf([1], [2])],
    ['who is a voter already stays one', conf([1, 2]), add(2), conf([1, 2])],
    ['who is no member cannot be removed', conf([1, 2]), remove(9), conf([1, 2])]
  ] as const) {
    const { core } = createLonePeer({ voters: before.voters, learners: before.learners })

    t.strictSame(core.applyConfChange(change(single)), after, what)
    t.strictSame(core.status().conf, after)
  }
})

t.test('peers agree who is a member, voters and learners, each list ascending', async t => {
  for (const voters of [[1, 2, 3], [3, 2, 1]]) t.strictSame(createLonePeer({ voters, learners: [9, 8] }).core.status().conf, conf([1, 2, 3], [8, 9]))
})

t.test('a leader whose group grows by a silent peer is not unseated before that one could have been heard', async t => {
  const peer = createLonePeer({ voters: [1], core: { checkQuorum: true } })
  peer.lead()
  for (let passed = 0; passed < electionTicks - 1; passed++) peer.core.tick()
  peer.core.applyConfChange(change(add(2)))
  peer.core.tick()
  t.equal(peer.core.status().role, 'leader')
  for (let passed = 0; passed < electionTicks; passed++) peer.core.tick()

  t.equal(peer.core.status().role, 'follower', 'then it is, one of two being silent')
})

t.test('who may be elected: a voter, alone or among others, and nobody else', async t => {
  for (const [voters, learners, isElectable] of [[[1], [], true], [[1, 2, 3], [], true], [[], [], false], [[2, 3], [], false], [[2, 3], [1], false]] as const) {
    const peer = createLonePeer({ voters, learners })
    peer.core.campaign()

    t.equal(peer.core.status().term === 1, isElectable, `voters ${voters.join(' ')}, learners ${learners.join(' ')}`)
  }
})

t.test('a learner that is promoted can lead, and the leader of before follows it', async t => {
  const group = createGroup({ voters: 1, learners: [2] })
  group.campaign(1)
  group.tick(2, 3 * electionTicks)
  t.equal(group.status(2).role, 'follower')
  group.change(1, [add(2)])
  group.pass(2)
  group.tick(2, 2 * electionTicks)
  group.settle()

  t.match([group.status(1), group.status(2)], [{ role: 'follower', lead: 2 }, { role: 'leader' }])
})

t.test('a learner takes part in replication, not in commitment', async t => {
  const group = createGroup({ voters: 1, learners: [2] })
  group.campaign(1)
  group.propose(1)
  group.settle()
  t.equal(group.status(1).commit, 2, 'the only voter has it')
  group.pass(1)

  t.match(group.status(2), { lastIndex: 2, commit: 2 })
  t.match(group.status(1).progress[1], { id: 2, learner: true, match: 2 })
})

t.test('a proposed membership change waits for its turn, and remembers where it stands', async t => {
  const group = createGroup()
  group.campaign(1)
  const { index } = group.change(1, [addLearner(4)]) as { index: number }

  t.equal(group.status(1).pendingConfIndex, index)
})

t.test('changes of either kind are proposed, applied by everyone, and answered with the membership they make', async t => {
  for (const [changes, transition, after] of [
    [[add(4)], 'auto', conf([1, 2, 3, 4])],
    [[addLearner(4)], 'auto', conf([1, 2, 3], [4])],
    [[add(4), remove(3)], 'auto', conf([1, 2, 4])],
    [[add(4)], 'implicit', conf([1, 2, 3, 4])],
    [[addLearner(3), add(4)], 'auto', conf([1, 2, 4], [3])],
    [[add(4)], 'explicit', { ...conf([1, 2, 3, 4]), votersOutgoing: [1, 2, 3] }]
  ] as const) {
    const group = createGroup({ others: [4] })
    group.campaign(1)
    group.change(1, changes, transition)
    group.pass(4)

    t.strictSame(group.status(1).conf, after)
    t.strictSame(group.status(2).conf, after)
  }
})

t.test('an addition said twice is applied twice and adds once; what follows it goes on', async t => {
  const group = createGroup({ others: [4] })
  group.campaign(1)
  for (const single of [add(4), add(4), addLearner(5)]) {
    t.match(group.change(1, [single]), { kind: 'appended', refusal: undefined })
    group.settle()
  }

  t.strictSame(group.status(1).conf, conf([1, 2, 3, 4], [5]))
  t.equal(group.peer(1).disk.seen.entries.filter(({ type }) => type !== 'EntryNormal').length, 3)
})

t.test('a snapshot makes of its receiver what its membership says', async t => {
  for (const [what, voters, learners, after] of [
    ['a learner stays one', [2, 3], [1], conf([2, 3], [1])],
    ['a learner is promoted', [2, 3], [1], conf([1, 2, 3])],
    ['a voter is demoted', [1, 2, 3], [], conf([2, 3], [1])],
    ['a stranger becomes a learner', [2, 3], [], conf([2, 3], [1])]
  ] as const) {
    const peer = createLonePeer({ voters, learners })
    peer.step('MsgSnap', { from: 2, term: 11, snapshot: snapshotAt(11, 11, after) })

    t.match(peer.core.status(), { commit: 11, lastIndex: 11, lead: 2, conf: after }, what)
    for (let passed = 0; passed < 2 * electionTicks; passed++) peer.core.tick()
    t.equal(peer.core.status().role === 'follower', after.learners.includes(1), 'and stands for election only as a voter')
  }
})

t.test('a learner is sent a snapshot, and follows from there', async t => {
  const group = createGroup({ voters: 1, learners: [2], settings: { snapshotEvery: 5, trailing: 0 } })
  group.cut(2)
  group.campaign(1)
  for (let at = 0; at < 12; at++) group.propose(1)
  group.settle()
  t.ok(group.status(1).firstIndex > 1)
  group.heal()
  group.pass(3)

  t.match(group.status(2), { lastIndex: group.status(1).lastIndex, commit: group.status(1).commit })
  t.ok(group.status(2).firstIndex > 1)
})

t.test('a change on a later page of what is to be applied keeps a peer from standing as well', async t => {
  const { data, type } = { data: Uint8Array.of(), type: 'EntryConfChangeV2' } as const
  const peer = createLonePeer({ core: { asyncStorageWrites: true, limits: { applyingBytesMax: 8 } }, log: [1, 1, 1, 1], commit: 4 })
  peer.log.append([...run(1, 1, 1, 1), { term: 1, index: 4, type, data }])
  peer.core.campaign()

  t.match(peer.core.status(), { role: 'follower', term: 1 })
})
