import t from 'tap'
import { Group, turn } from '../replay/group.ts'
import { encodeConfChange } from './conf-codec.ts'
import { emptyData } from './entries.ts'
import { message } from './message.ts'
import type { Message, MessageType, NodeId, Term } from './types.ts'

const ask = (type: MessageType, from: NodeId, term: Term, fields: Partial<Message> = {}): Message =>
  message(type, { from, term, logTerm: 1, index: 2, ...fields })

t.test('refusals', async t => {
  t.test('a pre-vote for the term that is on is refused by whoever has a leader or a vote in it', async t => {
    const led = new Group({ voters: [1, 2, 3] })
    led.core(2).step(message('MsgHeartbeat', { from: 1, term: 5 }))
    led.core(2).step(ask('MsgPreVote', 3, 5))
    t.match(turn(led.node(2)).messages.at(-1), { type: 'MsgPreVoteResp', to: 3, term: 5, reject: true })

    const voted = new Group({ voters: [1, 2, 3] })
    voted.core(2).step(ask('MsgVote', 1, 5))
    voted.core(2).step(ask('MsgPreVote', 3, 5))
    t.match(turn(voted.node(2)).messages.at(-1), { type: 'MsgPreVoteResp', to: 3, term: 5, reject: true })
  })

  t.test('a vote is refused by whoever follows a leader of that term without having voted', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    group.core(2).step(message('MsgHeartbeat', { from: 1, term: 5 }))
    group.core(2).step(ask('MsgVote', 3, 5))

    t.match(turn(group.node(2)).messages.at(-1), { type: 'MsgVoteResp', to: 3, reject: true })
    t.equal(group.core(2).status().vote, 0)
  })

  t.test('a voter\'s refusal says nothing of what is committed', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    group.core(2).step(ask('MsgPreVote', 3, 8, { index: 1 }))

    t.match(turn(group.node(2)).messages, [{ type: 'MsgPreVoteResp', reject: true, term: 0, commit: 0, logTerm: 0 }])
  })

  t.test('another\'s does, in the asker\'s own term, or the asker would not hear it', async t => {
    const learner = (): Group => new Group({ voters: [1, 2], learners: [3] })
    const behind = learner()
    behind.core(3).step(ask('MsgPreVote', 1, 8, { index: 1 }))
    t.match(turn(behind.node(3)).messages, [{ type: 'MsgPreVoteResp', reject: true, term: 7, commit: 2, logTerm: 1 }])

    const asked = learner()
    asked.core(3).step(ask('MsgVote', 1, 8, { index: 1 }))
    t.match(turn(asked.node(3)).messages, [{ type: 'MsgVoteResp', reject: true, term: 8, commit: 2, logTerm: 1 }])
  })
})

t.test('nobody stands while a change of the membership is being applied: its voters may not be those that decide', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { preVote: false, asyncStorageWrites: true })
  const peer = group.node(1)
  const receive = (): void => { group.env.deliver([{ id: 1, drop: false }], undefined) }
  const change = encodeConfChange({ transition: 'auto', changes: [{ type: 'ConfChangeRemoveNode', nodeId: 3 }], context: emptyData })
  peer.core.step(message('MsgApp', { from: 2, term: 1, logTerm: 1, index: 2, entries: [{ ...change, term: 1, index: 3 }], commit: 3 }))
  group.env.processReady(peer)
  group.env.processAppendWork(peer)
  receive()
  group.env.processReady(peer)
  t.equal(peer.applyWork.length, 1, 'it was handed out')

  peer.core.campaign()
  t.equal(peer.core.status().role, 'follower')
  group.env.processApplyWork(peer)
  receive()
  peer.core.campaign()

  t.equal(peer.core.status().role, 'candidate')
})

t.test('an answer', async t => {
  const candidate = (): Group => {
    const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
    const entries = [3, 4].map(index => ({ term: 1, index, type: 'EntryNormal', data: new Uint8Array(1) } as const))
    group.core(1).step(message('MsgApp', { from: 2, term: 1, logTerm: 1, index: 2, entries, commit: 2 }))
    group.core(1).campaign()
    turn(group.node(1))
    return group
  }

  t.test('that refuses and tells of more that is committed ends the candidacy: who decides may have changed', async t => {
    const group = candidate()
    group.core(1).step(ask('MsgVoteResp', 2, 2, { reject: true, commit: 4, logTerm: 1 }))

    t.match(group.core(1).status(), { role: 'follower', term: 2, commit: 4 })
  })

  t.test('that refuses and tells of an entry we do not have proves nothing', async t => {
    for (const [commit, logTerm] of [[4, 2], [9, 1], [2, 1]] as const) {
      const group = candidate()
      group.core(1).step(ask('MsgVoteResp', 2, 2, { reject: true, commit, logTerm }))
      t.match(group.core(1).status(), { role: 'candidate', commit: 2 })
      group.core(1).step(ask('MsgVoteResp', 3, 2, { reject: true }))

      t.equal(group.core(1).status().role, 'follower', 'but it is a refusal')
    }
  })

  t.test('that grants the vote counts, whatever else it says', async t => {
    const group = candidate()
    group.core(1).step(ask('MsgVoteResp', 2, 2, { commit: 4, logTerm: 1 }))

    t.match(group.core(1).status(), { role: 'leader', commit: 2 })
  })
})

t.test('a transfer asks for votes in the next term and says that the leader wants it', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  group.elect(1)
  group.core(2).step(message('MsgTimeoutNow', { from: 1, term: 1 }))

  const { messages } = turn(group.node(2))
  t.strictSame(messages.map(({ type, to, term, context }) => [type, to, term, context]), [['MsgVote', 1, 2, 1], ['MsgVote', 3, 2, 1]])
  group.core(3).campaign()
  t.strictSame(turn(group.node(3)).messages.map(({ type, to, term, context }) => [type, to, term, context]), [['MsgPreVote', 1, 2, 0], ['MsgPreVote', 2, 2, 0]])
})

t.test('a granted vote puts off one\'s own candidacy, a refused one and a pre-vote do not', async t => {
  for (const [m, waits] of [
    [ask('MsgVote', 3, 1), true],
    [ask('MsgVote', 3, 1, { index: 1 }), false],
    [ask('MsgPreVote', 3, 1), false]
  ] as const) {
    const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
    group.core(1).step(message('MsgHeartbeat', { from: 2, term: 1 }))
    group.core(1).forgetLeader()
    group.core(1).setRandomizedElectionTicks(10)
    group.tick(1, 9)
    group.core(1).step(m)
    group.tick(1)

    t.equal(group.core(1).status().role, waits ? 'follower' : 'candidate', m.type)
  }
})

t.test('who asks again counts answers anew: a refusal, like a grant, was given to the earlier question', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  group.core(1).step(message('MsgHeartbeat', { from: 3, term: 4 }))
  group.core(1).campaign()
  turn(group.node(1))
  group.core(1).step(message('MsgPreVoteResp', { from: 2, term: 4, reject: true }))
  group.core(1).campaign()
  t.equal(group.core(1).status().role, 'pre-candidate')
  turn(group.node(1))
  group.core(1).step(message('MsgPreVoteResp', { from: 2, term: 5 }))

  t.match(group.core(1).status(), { role: 'candidate', term: 5, vote: 1 })
})
