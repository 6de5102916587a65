import t from 'tap'
import { electionTicks, entry, Group, turn } from '../replay/group.ts'
import { message } from './message.ts'
import type { Message, NodeId } from './types.ts'

const answer = (from: NodeId, context = 0): Message => message('MsgHeartbeatResp', { from, term: 1, context })
const typesOf = (group: Group): readonly string[] => group.core(1).hasReady() ? turn(group.node(1)).messages.map(({ type }) => type) : []

t.test('heartbeats go out every so many ticks, to everyone else', async t => {
  const group = new Group({ voters: [1, 2], learners: [3] }, { heartbeatTicks: 3, checkQuorum: false })
  group.elect(1)
  const sent = Array.from({ length: 7 }, () => {
    group.tick(1)
    return typesOf(group).length
  })

  t.strictSame(sent, [0, 0, 2, 0, 0, 2, 0])
})

t.test('a new leader counts itself as heard before its disk has its first entry', async t => {
  const group = new Group({ voters: [1] }, { asyncStorageWrites: true, preVote: false })
  const peer = group.node(1)
  peer.core.campaign()
  group.env.processReady(peer)
  group.env.processAppendWork(peer)
  group.env.deliver([{ id: 1, drop: false }], undefined)
  group.tick(1, 2 * electionTicks)

  t.match(peer.core.status(), { role: 'leader', commit: 2 })
})

t.test('the quorum is checked every election timeout, by who was heard since the last time', async t => {
  const group = new Group({ voters: [1, 2, 3], learners: [4] })
  const leader = group.elect(1)
  group.tick(1, electionTicks)
  t.match(leader.status().progress.map(({ recentActive }) => recentActive), [true, false, false, false], 'oneself is always heard')
  for (const from of [2, 3]) {
    group.tick(1, electionTicks - 1)
    leader.step(answer(from))
    group.tick(1)
    t.equal(leader.status().role, 'leader', 'one of two others is enough')
  }
  group.tick(1, electionTicks - 1)
  leader.step(answer(4))
  t.equal(leader.status().role, 'leader')
  group.tick(1)

  t.match(leader.status(), { role: 'follower', lead: 0, term: 1 }, 'a learner is not')
})

t.test('refusals, too, show that a peer is alive', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  group.tick(1, electionTicks)
  leader.step(message('MsgAppResp', { from: 2, term: 1, index: 9, reject: true, rejectHint: 1 }))
  group.tick(1, electionTicks)

  t.equal(leader.status().role, 'leader')
})

t.test('a leader without the check of the quorum leads on in silence', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { checkQuorum: false })
  const leader = group.elect(1)
  group.tick(1, 5 * electionTicks)

  t.equal(leader.status().role, 'leader')
})

t.test('a transfer has one election timeout from when it was asked for', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { checkQuorum: false })
  const leader = group.elect(1)
  group.tick(1, electionTicks - 2)
  leader.transferLeader(3)
  group.tick(1, electionTicks - 1)
  t.equal(leader.status().leadTransferee, 3)
  leader.transferLeader(3)
  group.tick(1)

  t.equal(leader.status().leadTransferee, 0, 'asked for again, it has no longer')
})

t.test('a transfer to oneself gives up the one that runs', async t => {
  const leader = new Group({ voters: [1, 2, 3] }).elect(1)
  leader.transferLeader(3)
  leader.transferLeader(1)

  t.equal(leader.status().leadTransferee, 0)
})

t.test('a transfer to a learner leaves the one that runs', async t => {
  const leader = new Group({ voters: [1, 2, 3], learners: [4] }).elect(1)
  leader.transferLeader(3)
  leader.transferLeader(4)

  t.equal(leader.status().leadTransferee, 3)
})

t.test('a leader forgets nobody, asks for no votes and heeds no order to stand', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  leader.forgetLeader()
  leader.campaign()
  leader.step(message('MsgTimeoutNow', { from: 2, term: 1 }))

  t.match(leader.status(), { role: 'leader', lead: 1, term: 1 })
  t.notOk(leader.hasReady())
})

t.test('a peer that holds everything but is probed is sent an empty append when it answers', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  leader.reportUnreachable(2)
  t.match(leader.status().progress[1], { state: 'probe', match: 3, next: 4 })
  leader.step(answer(2))
  t.match(turn(group.node(1)).messages, [{ type: 'MsgApp', to: 2, index: 3, entries: [] }])
  leader.step(message('MsgAppResp', { from: 2, term: 1, index: 3 }))

  t.equal(leader.status().progress[1]!.state, 'replicate')
})

t.test('a probe is sent once, until something is heard', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  leader.reportUnreachable(2)
  leader.propose([entry('x')])
  leader.propose([entry('y')])
  t.equal(turn(group.node(1)).messages.filter(({ to }) => to === 2).length, 1)
  leader.step(answer(2))

  t.match(turn(group.node(1)).messages.filter(({ to }) => to === 2), [{ index: 3, entries: [{ index: 4 }, { index: 5 }] }])
})

t.test('snapshot reports about peers that are sent none change nothing', async t => {
  const leader = new Group({ voters: [1, 2, 3] }).elect(1)
  const before = leader.status().progress
  leader.reportSnapshot(2, false)
  leader.reportSnapshot(3, true)
  leader.reportSnapshot(9, true)

  t.strictSame(leader.status().progress, before)
})

t.test('a follower', async t => {
  const following = (options: ConstructorParameters<typeof Group>[1] = {}): Group => {
    const group = new Group({ voters: [1, 2, 3], learners: [4] }, options)
    group.elect(1)
    return group
  }

  t.test('passes reads and transfers on, what is its own and what it was asked for directly', async t => {
    const group = following()
    group.core(2).readIndex(7)
    group.core(2).transferLeader(3)

    t.match(turn(group.node(2)).messages, [{ type: 'MsgReadIndex', to: 1, from: 2, context: 7 }, { type: 'MsgTransferLeader', to: 1, from: 3, term: 1 }])
  })

  t.test('passes on no read that was passed on already', async t => {
    const group = following()

    t.equal(group.core(2).step(message('MsgReadIndex', { from: 3, context: 7 })), 'dropped')
    t.notOk(group.core(2).hasReady())
  })

  t.test('takes an answer to a read', async t => {
    const group = following()
    group.core(2).step(message('MsgReadIndexResp', { from: 1, term: 1, index: 3, context: 7 }))

    t.strictSame(turn(group.node(2)).readStates, [{ index: 3, context: 7 }])
  })

  t.test('that leases rest on forgets no leader', async t => {
    const group = following({ readOnly: 'lease' })
    group.core(2).forgetLeader()

    t.equal(group.core(2).status().lead, 1)
  })

  t.test('that is a learner, or no member, never stands', async t => {
    const group = following()
    group.core(4).setRandomizedElectionTicks(electionTicks)
    group.tick(4, 5 * electionTicks)
    group.core(4).campaign()
    group.core(4).step(message('MsgTimeoutNow', { from: 1, term: 1 }))

    t.match(group.core(4).status(), { role: 'follower', term: 1 })
  })
})

t.test('a peer waits between one and two election timeouts', async t => {
  for (const [extra, least] of [[0, electionTicks], [electionTicks - 1, 2 * electionTicks - 1]] as const) {
    const group = new Group({ voters: [1, 2, 3] })
    group.core(2).setRandomizedElectionTicks(electionTicks + extra)
    group.tick(2, least - 1)
    t.equal(group.core(2).status().role, 'follower')
    group.tick(2)

    t.equal(group.core(2).status().role, 'pre-candidate')
  }
})

t.test('a proposal that was passed on is said to be dropped when it is', async t => {
  const leader = new Group({ voters: [1, 2, 3] }).elect(1)
  const passedOn = message('MsgProp', { from: 2, entries: [{ term: 0, index: 0, ...entry('x') }] })

  t.equal(leader.step(passedOn), 'accepted')
  leader.transferLeader(3)
  t.equal(leader.step(passedOn), 'dropped')
})
