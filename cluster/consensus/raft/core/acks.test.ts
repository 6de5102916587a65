import t from 'tap'
import { entry, Group, turn } from '../replay/group.ts'
import { message } from './message.ts'
import type { RaftCore } from './raft.ts'
import type { Index, Message, NodeId } from './types.ts'

const acknowledge = (from: NodeId, index: Index): Message => message('MsgAppResp', { from, term: 1, index })
const refuse = (from: NodeId, index: Index, rejectHint: Index, logTerm = 0): Message =>
  message('MsgAppResp', { from, term: 1, index, reject: true, rejectHint, logTerm })
const sentTo = (group: Group, to: NodeId): readonly Message[] => turn(group.node(1)).messages.filter(m => m.to === to)

/** Peer 1 leads and has entries 4 to 8, which it has sent; nobody has acknowledged them. */
function leading (): { readonly group: Group, readonly leader: RaftCore } {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  for (let i = 0; i < 5; i++) leader.propose([entry(`p${i}`)])
  turn(group.node(1))
  return { group, leader }
}

t.test('a commit index moves to what a majority has acknowledged, and is told at once', async t => {
  const { group, leader } = leading()
  leader.step(acknowledge(2, 5))
  t.equal(leader.status().commit, 5)
  t.match(turn(group.node(1)).messages.map(({ to, type, commit }) => [to, type, commit]), [[2, 'MsgApp', 5], [3, 'MsgApp', 5]])

  leader.step(acknowledge(3, 4))
  t.match(sentTo(group, 3), [], 'it has been told')
  leader.step(acknowledge(2, 4))
  t.equal(leader.status().commit, 5, 'and never moves back')
  t.match(leader.status().progress[1], { match: 5 })
})

t.test('the target of a transfer is told to stand when it holds everything, not before', async t => {
  const { group, leader } = leading()
  leader.transferLeader(3)
  leader.step(acknowledge(3, 7))
  t.notOk(sentTo(group, 3).some(({ type }) => type === 'MsgTimeoutNow'))
  leader.step(acknowledge(2, 8))
  t.notOk(turn(group.node(1)).messages.some(({ type }) => type === 'MsgTimeoutNow'), 'another one is not meant')
  leader.step(acknowledge(3, 8))

  t.strictSame(sentTo(group, 3).filter(({ type }) => type === 'MsgTimeoutNow').length, 1)
})

t.test('a refusal', async t => {
  t.test('without a term, of one whose log ends early, is followed by a probe right there', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    group.core(1).step(message('MsgApp', {
      from: 3, term: 1, logTerm: 1, index: 2, entries: [3, 4, 5, 6, 7].map(index => ({ term: 1, index, ...entry('x') }))
    }))
    turn(group.node(1))
    group.core(1).campaign()
    turn(group.node(1))
    for (const type of ['MsgPreVoteResp', 'MsgVoteResp'] as const) {
      group.core(1).step(message(type, { from: 3, term: 2 }))
      turn(group.node(1))
    }
    t.equal(group.core(1).status().role, 'leader')

    group.core(1).step(message('MsgAppResp', { from: 2, term: 2, index: 7, reject: true, rejectHint: 4 }))
    t.match(sentTo(group, 2), [{ type: 'MsgApp', index: 4, logTerm: 1 }])
    group.core(1).step(message('MsgAppResp', { from: 2, term: 2, index: 7, reject: true, rejectHint: 2 }))
    t.match(sentTo(group, 2), [], 'said twice, it is an old one')
  })

  t.test('from one that replicates takes it back to a probe behind what it holds', async t => {
    const { group, leader } = leading()
    leader.step(refuse(2, 7, 3, 1))

    t.match(leader.status().progress[1], { state: 'probe', match: 3, paused: true })
    t.match(sentTo(group, 2), [{ type: 'MsgApp', index: 3 }])
  })

  t.test('of what it has acknowledged since is an old one', async t => {
    const { group, leader } = leading()
    leader.step(acknowledge(2, 8))
    turn(group.node(1))
    leader.step(refuse(2, 8, 3, 1))

    t.match(leader.status().progress[1], { state: 'replicate', match: 8, next: 9 })
  })
})

t.test('one that was unreachable is probed behind what it is known to hold, once it answers', async t => {
  const { group, leader } = leading()
  leader.reportUnreachable(2)
  t.match(leader.status().progress[1], { state: 'probe', match: 3, next: 4 })
  leader.step(message('MsgHeartbeatResp', { from: 2, term: 1 }))

  t.match(sentTo(group, 2), [{ type: 'MsgApp', index: 3 }])
})

t.test('a window that an answer opens is filled at once', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { limits: { inflightMessagesMax: 3, messageBytesMax: 0 } })
  const leader = group.elect(1)
  for (let i = 0; i < 9; i++) leader.propose([entry(`p${i}`)])
  t.equal(sentTo(group, 2).length, 3)
  leader.step(acknowledge(2, 6))

  t.strictSame(sentTo(group, 2).filter(({ entries }) => entries.length > 0).map(({ index }) => index), [6, 7, 8])
})

t.test('heartbeats tell the commit index only as far as the peer is known to hold it', async t => {
  const { group, leader } = leading()
  leader.step(acknowledge(2, 8))
  turn(group.node(1))
  group.tick(1)

  t.match(turn(group.node(1)).messages, [{ type: 'MsgHeartbeat', to: 2, commit: 8 }, { type: 'MsgHeartbeat', to: 3, commit: 3 }])
})

t.test('an answered heartbeat sends on what is missing, and nothing to who misses nothing', async t => {
  const { group, leader } = leading()
  leader.step(acknowledge(2, 8))
  turn(group.node(1))
  for (const [from, count] of [[2, 0], [3, 1]] as const) {
    leader.step(message('MsgHeartbeatResp', { from, term: 1 }))
    t.equal(leader.hasReady() ? sentTo(group, from).length : 0, count, `peer ${from}`)
  }
})

t.test('a snapshot on its way is waited for, until the peer holds what the log continues', async t => {
  const { group, leader } = leading()
  leader.step(acknowledge(2, 8))
  while (leader.hasReady()) group.env.processReady(group.node(1))
  group.node(1).log.compact(7)
  leader.reportUnreachable(3)
  leader.step(message('MsgHeartbeatResp', { from: 3, term: 1 }))
  t.match(sentTo(group, 3).map(({ type }) => type), ['MsgSnap'])

  leader.step(acknowledge(3, 5))
  t.strictSame(sentTo(group, 3), [], 'not a second one')
  t.match(leader.status().progress[2], { state: 'snapshot', match: 5 }, 'late news')
  leader.step(acknowledge(3, 7))
  t.match(leader.status().progress[2], { state: 'replicate', match: 7 }, 'whatever it was that arrived')
})
