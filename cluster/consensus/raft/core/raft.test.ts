import t from 'tap'
import { change, electionTicks, entry, Group, turn } from '../replay/group.ts'
import { RaftInvariantError } from './assert.ts'
import { emptyData } from './entries.ts'
import { termMax } from './limits.ts'
import { message } from './message.ts'
import { RaftCore } from './raft.ts'
import type { Message, MessageType } from './types.ts'

function types (messages: readonly Message[]): readonly MessageType[] {
  return messages.map(({ type }) => type)
}

t.test('silence makes one peer stand, and the others elect it', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  group.core(2).setRandomizedElectionTicks(electionTicks)

  group.tick(2, electionTicks)
  group.settle()

  t.match(group.core(2).status(), { role: 'leader', term: 1, commit: 3, applied: 3 })
  for (const id of [1, 3]) t.match(group.core(id).status(), { role: 'follower', lead: 2, commit: 3 })
})

t.test('equal seeds and inputs give equal messages', async t => {
  const play = (): string => {
    const group = new Group({ voters: [1, 2, 3] })
    group.env.output.setLevel('debug')
    for (let i = 0; i < 200; i++) {
      group.tick(1 + i % 3)
      if (i % 7 === 0) group.core(1 + i % 2).propose([entry(`p${i}`)])
      if (i % 3 === 0) group.settle()
    }
    return group.env.output.text
  }

  t.ok(play().length > 5_000)
  t.equal(play(), play())
})

t.test('proposals', async t => {
  t.test('are appended by the leader, passed on by a follower, and dropped without a leader', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    t.strictSame(group.core(1).propose([entry('x')]), { kind: 'dropped', reason: 'no-leader' })

    const leader = group.elect(1)
    t.strictSame(leader.propose([entry('a'), entry('b')]), { kind: 'appended', index: 4, term: 1 })
    t.strictSame(group.core(2).propose([entry('c')]), { kind: 'forwarded', to: 1 })
    group.settle()

    t.equal(leader.status().commit, 6)
  })

  t.test('are not passed on if that is switched off, nor a second time', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { disableProposalForwarding: true })
    group.elect(1)
    t.strictSame(group.core(2).propose([entry('c')]), { kind: 'dropped', reason: 'forwarding-disabled' })

    const other = new Group({ voters: [1, 2, 3] })
    other.elect(1)
    const forwarded = message('MsgProp', { from: 3, to: 2, entries: [{ term: 0, index: 0, ...entry('d') }] })
    t.equal(other.core(2).step(forwarded), 'dropped')
  })

  t.test('are dropped when too much is uncommitted, and taken again once it is applied', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { limits: { uncommittedBytesMax: 10 } })
    const leader = group.elect(1)

    t.equal(leader.propose([entry('more than ten bytes')]).kind, 'appended', 'anything fits into nothing')
    t.strictSame(leader.propose([entry('x')]), { kind: 'dropped', reason: 'uncommitted-full' })
    t.equal(leader.propose([{ type: 'EntryNormal', data: emptyData }]).kind, 'appended', 'empty ones always fit')
    group.settle()
    t.equal(leader.status().uncommittedBytes, 0)
    t.equal(leader.propose([entry('x')]).kind, 'appended')
  })

  t.test('that are too large are dropped by whoever is asked', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { limits: { entryBytesMax: 4 } })
    group.elect(1)

    for (const id of [1, 2]) t.strictSame(group.core(id).propose([entry('12345')]), { kind: 'dropped', reason: 'entry-too-large' })
  })
})

t.test('membership changes', async t => {
  t.test('wait for each other: the second becomes an empty entry', async t => {
    const group = new Group({ voters: [1, 2, 3], size: 4 })
    const leader = group.elect(1)
    const add = change([{ type: 'ConfChangeAddLearnerNode', nodeId: 4 }])

    t.match(leader.proposeConfChange(add), { kind: 'appended', index: 4 })
    t.match(leader.proposeConfChange(add), { kind: 'appended', index: 5, refusal: 'change-pending' })
    group.settle()
    t.strictSame(leader.status().conf.learners, [4])
  })

  t.test('that do not fit are refused before they can stop everyone', async t => {
    const leader = new Group({ voters: [1] }).elect(1)
    const removeAll = change([{ type: 'ConfChangeRemoveNode', nodeId: 1 }])

    t.match(leader.proposeConfChange(removeAll), { kind: 'appended', refusal: 'invalid' })
    t.match(leader.proposeConfChange(change([])), { refusal: 'not-joint' })
    t.match(leader.propose([{ type: 'EntryConfChangeV2', data: Uint8Array.of(255) }]), { kind: 'dropped', reason: 'malformed' })
  })

  t.test('of several members leave their joint state by themselves', async t => {
    const group = new Group({ voters: [1, 2, 3], size: 5 })
    const leader = group.elect(1)
    leader.proposeConfChange(change([{ type: 'ConfChangeAddNode', nodeId: 4 }, { type: 'ConfChangeAddNode', nodeId: 5 }]))
    group.settle()

    t.match(leader.status().conf, { voters: [1, 2, 3, 4, 5], votersOutgoing: [], autoLeave: false })
  })

  t.test('MC-01: a new leader makes none before it has applied what it was elected with', async t => {
    const group = new Group({ voters: [1, 2, 3], size: 4 })
    group.elect(1).propose([entry('x')])
    group.env.processReady(group.node(1))
    group.env.deliver([{ id: 1, drop: true }, { id: 2, drop: false }, { id: 3, drop: true }], undefined)
    const next = group.core(2)
    next.forgetLeader()
    group.core(3).forgetLeader()
    next.campaign()
    for (let round = 0; next.status().role !== 'leader'; round++) {
      t.ok(round < 9)
      for (const id of [2, 3]) while (group.core(id).hasReady()) group.env.processReady(group.node(id))
      group.env.deliver([{ id: 1, drop: true }, { id: 3, drop: false }, { id: 2, drop: false }], undefined)
    }
    const add = change([{ type: 'ConfChangeAddNode', nodeId: 4 }])

    t.match(next.proposeConfChange(add), { kind: 'appended', refusal: 'change-pending' })
    group.settle(2, 3)
    t.match(next.proposeConfChange(add), { kind: 'appended', refusal: undefined })
  })

  t.test('step a removed leader down', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    const leader = group.elect(1)
    leader.proposeConfChange(change([{ type: 'ConfChangeRemoveNode', nodeId: 1 }]))
    group.settle()

    t.match(leader.status(), { role: 'follower', conf: { voters: [2, 3] } })
    leader.campaign()
    t.equal(leader.status().role, 'follower', 'and it does not stand again')
  })
})

t.test('a leader that hears of no majority steps down', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)

  group.tick(1, 2 * electionTicks)

  t.match(leader.status(), { role: 'follower', lead: 0, term: 1 })
})

t.test('while a leader is alive no vote is given, unless it asks for it itself', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
  group.elect(1)
  const ask = { from: 2, to: 3, term: 2, logTerm: 9, index: 9 } as const

  group.core(3).step(message('MsgVote', ask))
  t.equal(group.core(3).status().term, 1)
  group.core(3).step(message('MsgVote', { ...ask, context: 1 }))
  t.match(group.core(3).status(), { term: 2, vote: 2 })
})

t.test('one vote a term: the second candidate is refused', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const voter = group.core(3)
  voter.step(message('MsgVote', { from: 1, to: 3, term: 5, logTerm: 1, index: 2 }))
  voter.step(message('MsgVote', { from: 2, to: 3, term: 5, logTerm: 1, index: 9 }))

  t.match(turn(group.node(3)).messages, [{ to: 1, reject: false }, { to: 2, reject: true }])
  t.equal(voter.status().vote, 1)
})

t.test('EL-13: whose terms are used up does not stand', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
  group.core(1).step(message('MsgHeartbeat', { from: 2, to: 1, term: termMax }))

  group.core(1).campaign()

  t.match(group.core(1).status(), { role: 'follower', term: termMax })
  t.equal(group.core(1).step(message('MsgHeartbeat', { from: 2, to: 1, term: termMax + 1 })), 'malformed')
})

t.test('messages that cannot be', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  const follower = group.core(2)

  t.equal(leader.step(message('MsgAppResp', { from: 9, to: 1, term: 1, index: 3 })), 'peer-not-found')
  t.equal(leader.step(message('MsgHup', { from: 2 })), 'local-message')
  t.equal(leader.step(message('MsgForgetLeader', { from: 2 })), 'local-message')
  t.equal(follower.step(message('MsgApp', { from: 1, to: 2, index: 3 })), 'malformed', 'no term')
  const gap = { term: 1, index: 9, type: 'EntryNormal', data: emptyData } as const
  t.equal(follower.step(message('MsgApp', { from: 1, to: 2, term: 1, logTerm: 1, index: 3, entries: [gap] })), 'malformed')

  leader.step(message('MsgAppResp', { from: 2, to: 1, term: 1, index: 99 }))
  t.equal(leader.status().progress[1]!.match, 3, 'nobody holds more than there is')
})

t.test('a lost window is found out by heartbeats', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { limits: { inflightMessagesMax: 2 } })
  const leader = group.elect(1)
  for (let i = 0; i < 5; i++) leader.propose([entry(`p${i}`)])
  turn(group.node(1)).messages.forEach(() => {})
  t.match(leader.status().progress[1], { paused: true, inflightFull: true })

  for (let beat = 0; beat < 2; beat++) {
    group.tick(1)
    group.settle()
  }

  t.equal(leader.status().commit, 8)
  t.equal(group.core(2).status().commit, 8)
})

t.test('transfers', async t => {
  t.test('hand over when the target holds everything', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    group.elect(1)
    group.core(3).transferLeader(2)
    group.settle()

    t.match(group.core(2).status(), { role: 'leader', term: 2 })
    t.match(group.core(1).status(), { role: 'follower', lead: 2 })
  })

  t.test('take no proposals meanwhile, and end after one election timeout', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    const leader = group.elect(1)
    leader.transferLeader(3)
    t.strictSame(leader.propose([entry('x')]), { kind: 'dropped', reason: 'transferring' })

    group.node(1).core.ready()
    group.node(1).core.advance()
    group.tick(1, electionTicks)

    t.match(leader.status(), { role: 'leader', leadTransferee: 0 })
    t.equal(leader.propose([entry('x')]).kind, 'appended')
  })

  t.test('go to no learner, nor to oneself, nor to strangers', async t => {
    const group = new Group({ voters: [1, 2], learners: [3] })
    const leader = group.elect(1)
    for (const id of [1, 3, 9]) leader.transferLeader(id)

    t.equal(leader.status().leadTransferee, 0)
  })
})

t.test('a forgotten leader frees the vote, and is found again by its next message', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  group.core(2).forgetLeader()
  t.equal(group.core(2).status().lead, 0)

  group.tick(1)
  group.settle()

  t.equal(leader.status().role, 'leader')
  t.equal(group.core(2).status().lead, 1)
})

t.test('asynchronous storage', async t => {
  t.test('D1, D2: votes and acknowledgements leave only as answers of storage', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { asyncStorageWrites: true, preVote: false })
    group.core(1).campaign()
    const candidacy = group.core(1).ready()
    t.strictSame(types(candidacy.messages), ['MsgVote', 'MsgVote', 'MsgStorageAppend'])
    t.match(candidacy.messages[2]!.responses, [{ type: 'MsgVoteResp', to: 1, from: 1 }], 'not even its own vote counts before')

    group.core(2).step(candidacy.messages[0]!)
    const vote = group.core(2).ready()
    t.strictSame(types(vote.messages), ['MsgStorageAppend'])
    t.match(vote.messages[0], { term: 1, vote: 1, responses: [{ type: 'MsgVoteResp', to: 1, reject: false }] })
  })

  t.test('D3: the leader counts its own copy when it is durable', async t => {
    const group = new Group({ voters: [1] }, { asyncStorageWrites: true })
    const leader = group.elect(1)
    leader.propose([entry('x')])
    const [write] = leader.ready().messages

    t.equal(leader.status().commit, 3)
    group.node(1).log.append(write!.entries)
    for (const response of write!.responses) leader.step(response)
    t.equal(leader.status().commit, 4)
  })

  t.test('there is nothing to advance', async t => {
    const group = new Group({ voters: [1] }, { asyncStorageWrites: true })
    t.throws(() => { group.core(1).advance() }, RaftInvariantError)
  })
})

t.test('one Ready at a time: taking another before the first is done is a bug', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  group.core(1).campaign()
  group.core(1).ready()

  t.throws(() => group.core(1).ready(), RaftInvariantError)
})

t.test('what is restored has to be true', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const { log } = group.node(1)
  const random = { below: () => 0 }
  log.setHardState({ term: 3, vote: 0, commit: 99 })

  t.throws(() => new RaftCore({ id: 1, log, random, electionTicks, heartbeatTicks: 1 }), RaftInvariantError)
  t.throws(() => new RaftCore({ id: 0, log, random, electionTicks, heartbeatTicks: 1 }), RaftInvariantError)
  t.throws(() => new RaftCore({ id: 1, log, random, electionTicks: 1, heartbeatTicks: 1 }), RaftInvariantError)
})

t.test('a joiner whose snapshot is older than its joining takes it, and joins by the log', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  const leader = group.elect(1)
  leader.proposeConfChange(change([{ type: 'ConfChangeAddNode', nodeId: 4 }]))
  group.settle()
  group.env.addNode({ electionTicks, heartbeatTicks: 1 }, group.node(1).history[0]!, false)
  const joiner = group.core(4)

  joiner.step(message('MsgSnap', { from: 1, to: 4, term: 1, snapshot: group.node(1).history[0]! }))
  t.equal(joiner.status().commit, 2)
  group.settle()
  group.tick(1)
  group.settle()

  t.match(joiner.status().conf, { voters: [1, 2, 3, 4] })
})
