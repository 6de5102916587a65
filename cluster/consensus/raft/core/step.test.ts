import t from 'tap'
import { electionTicks, Group, turn } from '../replay/group.ts'
import { RaftInvariantError } from './assert.ts'
import { emptyData } from './entries.ts'
import { indexMax } from './limits.ts'
import { message } from './message.ts'
import { RaftCore } from './raft.ts'
import { hex } from './state.ts'
import { appendThread, applyThread } from './types.ts'
import type { Entry, Index, Message, Term } from './types.ts'

const entryOf = (index: Index, term: Term): Entry => ({ term, index, type: 'EntryNormal', data: emptyData })
const append = (fields: Partial<Message>): Message => message('MsgApp', { from: 1, term: 3, logTerm: 1, index: 2, ...fields })

t.test('an append is malformed', async t => {
  for (const [what, fields] of [
    ['if its entries do not follow each other', { entries: [entryOf(3, 1), entryOf(5, 1)] }],
    ['if they do not follow what they are said to follow', { entries: [entryOf(4, 1)] }],
    ['if their terms fall', { entries: [entryOf(3, 2), entryOf(4, 1)] }],
    ['if their first term is before that of what they follow', { logTerm: 2, entries: [entryOf(3, 1)] }],
    ['if an entry is of a later term than its leader', { entries: [entryOf(3, 4)] }],
    ['if what it follows is', { logTerm: 4 }],
    ['if its indexes are used up', { index: indexMax, entries: [entryOf(indexMax + 1, 1)] }]
  ] as const) {
    const group = new Group({ voters: [1, 2, 3] })
    t.equal(group.core(2).step(append(fields)), 'malformed', what)
    t.match(group.core(2).status(), { term: 0, lastIndex: 2 }, 'and changes nothing')
  }
  t.equal(new Group({ voters: [1, 2, 3] }).core(2).step(append({ entries: [entryOf(3, 1), entryOf(4, 3)] })), 'accepted')
})

t.test('a snapshot message without one, and a proposal of nothing, are malformed', async t => {
  const leader = new Group({ voters: [1, 2, 3] }).elect(1)

  t.equal(leader.step(message('MsgSnap', { from: 2, term: 1 })), 'malformed')
  t.equal(leader.step(message('MsgProp', { from: 2 })), 'malformed')
})

t.test('a later term', async t => {
  t.test('is entered with whoever leads in it, if the message says so', async t => {
    for (const [type, lead] of [['MsgApp', 2], ['MsgHeartbeat', 2], ['MsgSnap', 2], ['MsgAppResp', 0], ['MsgVoteResp', 0], ['MsgHeartbeatResp', 0]] as const) {
      const group = new Group({ voters: [1, 2, 3] })
      const snapshot = type === 'MsgSnap' ? group.node(1).history[0]! : undefined
      group.elect(1).step(message(type, { from: 2, term: 9, logTerm: 1, index: 2, snapshot }))

      t.match(group.core(1).status(), { role: 'follower', term: 9, vote: 0, lead }, type)
    }
  })

  t.test('of a refused pre-vote is entered, of a granted one or a request not', async t => {
    for (const [type, reject, term] of [['MsgPreVoteResp', true, 9], ['MsgPreVoteResp', false, 1], ['MsgPreVote', false, 1]] as const) {
      const group = new Group({ voters: [1, 2, 3] })
      group.elect(1).step(message(type, { from: 2, term: 9, reject }))

      t.equal(group.core(1).status().term, term, type)
    }
  })

  t.test('asked for is not entered while a leader is alive, by leader or follower; once it is silent it is', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
    group.elect(1)
    const ask = message('MsgVote', { from: 2, term: 9, logTerm: 1, index: 3 })
    for (const id of [1, 3]) {
      group.core(id).step(ask)
      t.equal(group.core(id).status().term, 1)
    }
    group.core(3).setRandomizedElectionTicks(2 * electionTicks)
    group.tick(3, electionTicks - 1)
    group.core(3).step(ask)
    t.equal(group.core(3).status().term, 1)
    group.tick(3)
    group.core(3).step(ask)

    t.match(group.core(3).status(), { term: 9, vote: 2 })
  })

  t.test('asked for is entered at once without the check of the quorum', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { preVote: false, checkQuorum: false })
    group.elect(1)
    group.core(3).step(message('MsgVote', { from: 2, term: 9, logTerm: 1, index: 3 }))

    t.equal(group.core(3).status().term, 9)
  })
})

t.test('an earlier term', async t => {
  const at9 = (options: { readonly preVote: boolean, readonly checkQuorum: boolean, readonly asEtcd?: boolean }): Group => {
    const group = new Group({ voters: [1, 2, 3] }, options)
    group.core(1).step(message('MsgHeartbeat', { from: 2, term: 9 }))
    turn(group.node(1))
    return group
  }

  t.test('of a leader is answered, so that it learns that it leads no more', async t => {
    for (const [preVote, checkQuorum, asEtcd, answers] of [[true, false, false, 1], [false, true, false, 1], [false, false, false, 1], [false, false, true, 0]] as const) {
      for (const type of ['MsgApp', 'MsgHeartbeat'] as const) {
        const group = at9({ preVote, checkQuorum, asEtcd })
        group.core(1).step(message(type, { from: 3, term: 4, logTerm: 1, index: 2, commit: 2, entries: type === 'MsgApp' ? [entryOf(3, 4)] : [] }))

        t.match(group.core(1).status(), { lead: 2, lastIndex: 2 })
        t.equal(group.core(1).hasReady(), answers > 0)
        if (answers > 0) t.match(turn(group.node(1)).messages, [{ type: 'MsgAppResp', to: 3, term: 9, index: 0, reject: true }])
      }
    }
  })

  t.test('of anything else is ignored', async t => {
    for (const type of ['MsgVote', 'MsgVoteResp', 'MsgAppResp', 'MsgHeartbeatResp', 'MsgTimeoutNow'] as const) {
      const group = at9({ preVote: false, checkQuorum: true })
      group.core(1).step(message(type, { from: 3, term: 4, logTerm: 9, index: 9 }))

      t.notOk(group.core(1).hasReady(), type)
    }
  })
})

t.test('a write that was begun in an earlier term makes nothing stable', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { asyncStorageWrites: true })
  const peer = group.core(2)
  peer.step(append({ term: 1, entries: [entryOf(3, 1)] }))
  const write = peer.ready().messages.find(({ to }) => to === appendThread)!
  group.node(2).log.append(write.entries)
  group.node(2).log.setHardState({ term: 1, vote: 0, commit: 2 })
  peer.step(message('MsgHeartbeat', { from: 3, term: 2 }))
  for (const m of write.responses) if (m.to === 2) peer.step(m)

  t.equal(peer.status().unstableEntries, 1)
})

t.test('a snapshot that was installed counts, although a newer term came meanwhile: or nothing after it would ever be applied', async t => {
  const node = new Group({ voters: [1, 2, 3] }, { asyncStorageWrites: true }).node(2)
  const peer = node.core
  const snapshot = { meta: { index: 9, term: 1, confState: node.history[0]!.meta.confState }, data: emptyData }
  peer.step(message('MsgSnap', { from: 1, term: 1, snapshot }))
  const write = peer.ready().messages.find(({ to }) => to === appendThread)!
  node.log.applySnapshot(snapshot)
  peer.step(message('MsgHeartbeat', { from: 3, term: 2 }))
  for (const m of write.responses) if (m.to === 2) peer.step(m)

  t.equal(peer.status().applied, 9)
})

t.test('what cannot be, as terms never fall, stops a peer; scripts in which they fall are told what etcd tells them', async t => {
  // As if a write of another leader of the same term had been made since: storage does not hold what it said.
  const overtaken = message('MsgStorageAppendResp', { from: appendThread, to: 2, index: 3, logTerm: 1, term: 1 })
  const withoutTerm = message('MsgStorageAppendResp', { from: appendThread, to: 2, index: 3, logTerm: 1 })
  for (const answer of [overtaken, withoutTerm]) {
    for (const asEtcd of [false, true]) {
      const peer = new Group({ voters: [1, 2, 3] }, { asyncStorageWrites: true, asEtcd }).core(2)
      peer.step(append({ term: 1, entries: [entryOf(3, 1)] }))

      if (asEtcd) t.equal(peer.step(answer), 'accepted')
      else t.throws(() => peer.step(answer), RaftInvariantError)
    }
  }
})

t.test('storage lanes have etcd\'s numbers in traces, which no peer has', async t => {
  t.strictSame([appendThread, applyThread, 10].map(hex), ['ffffffffffffffff', 'fffffffffffffffe', 'a'])
})

t.test('a restart is a follower of nobody, with the term, the vote and the commit index that storage has', async t => {
  const { log } = new Group({ voters: [1, 2, 3] }).node(1)
  log.append([entryOf(3, 1), entryOf(4, 1)])
  log.setHardState({ term: 7, vote: 3, commit: 3 })
  const core = new RaftCore({ id: 1, log, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1, applied: 2 })

  t.match(core.status(), { role: 'follower', lead: 0, term: 7, vote: 3, commit: 3, applied: 2, lastIndex: 4 })
  t.strictSame(core.ready().committedEntries.map(({ index }) => index), [3], 'and applies what was not applied')
})

t.test('what is passed on to the leader has no term: the leader may be in a later one', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  group.elect(1)
  group.core(2).readIndex(5)
  group.core(2).propose([{ type: 'EntryNormal', data: emptyData }])

  t.match(turn(group.node(2)).messages, [{ type: 'MsgReadIndex', to: 1, from: 2, term: 0, context: 5 }, { type: 'MsgProp', to: 1, from: 2, term: 0 }])
})
