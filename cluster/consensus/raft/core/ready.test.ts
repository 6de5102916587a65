import t from 'tap'
import { entry, Group, turn } from '../replay/group.ts'
import { emptyData } from './entries.ts'
import { message } from './message.ts'
import { appendThread, applyThread } from './types.ts'
import type { Entry, Index, Message, Snapshot, Term } from './types.ts'

const three = { voters: [1, 2, 3] } as const
const entryOf = (index: Index, term: Term): Entry => ({ term, index, type: 'EntryNormal', data: emptyData })
const append = (fields: Partial<Message>): Message => message('MsgApp', { from: 1, term: 1, logTerm: 1, index: 2, ...fields })
const snapshotAt = (index: Index, voters: readonly number[]): Snapshot =>
  ({ meta: { index, term: 1, confState: { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: emptyData })

t.test('there is nothing to do at the start, and after everything is done', async t => {
  const group = new Group(three)
  t.notOk(group.core(2).hasReady())
  group.core(2).step(append({ entries: [entryOf(3, 1)], commit: 3 }))
  t.ok(group.core(2).hasReady())
  while (group.core(2).hasReady()) turn(group.node(2))

  t.match(group.core(2).status(), { applied: 3, unstableEntries: 0 })
})

t.test('it must be synced', async t => {
  const changes: ReadonlyArray<readonly [string, Message, boolean]> = [
    ['if the term moved', message('MsgHeartbeat', { from: 1, term: 2 }), true],
    ['if a vote was given', message('MsgVote', { from: 3, term: 1, logTerm: 1, index: 3 }), true],
    ['if there are entries', append({ index: 3, entries: [entryOf(4, 1)] }), true],
    ['but not for a commit index alone', message('MsgHeartbeat', { from: 1, term: 1, commit: 3 }), false],
    ['nor for an answer', message('MsgHeartbeat', { from: 1, term: 1 }), false]
  ]
  for (const [what, m, mustSync] of changes) {
    const group = new Group(three, { checkQuorum: false })
    group.core(2).step(append({ entries: [entryOf(3, 1)] }))
    group.core(2).forgetLeader()
    while (group.core(2).hasReady()) turn(group.node(2))
    group.core(2).step(m)

    t.equal(group.core(2).ready().mustSync, mustSync, what)
  }
})

t.test('what changed is said once', async t => {
  const group = new Group(three)
  group.core(2).step(message('MsgHeartbeat', { from: 1, term: 2, commit: 2 }))
  t.match(turn(group.node(2)), { softState: { lead: 1, role: 'follower' }, hardState: { term: 2, vote: 0, commit: 2 } })

  group.core(2).step(message('MsgHeartbeat', { from: 1, term: 2 }))
  t.match(turn(group.node(2)), { softState: undefined, hardState: undefined })
  group.core(2).forgetLeader()
  t.ok(group.core(2).hasReady(), 'another leader, or none, is news')
  t.match(turn(group.node(2)), { softState: { lead: 0 }, hardState: undefined, messages: [] })
})

t.test('a membership that a snapshot brings is in force when the snapshot is installed', async t => {
  const group = new Group(three)
  group.core(2).step(message('MsgSnap', { from: 1, term: 1, snapshot: snapshotAt(9, [1, 2, 3, 4]) }))
  t.strictSame(group.core(2).status().conf.voters, [1, 2, 3])
  const ready = turn(group.node(2))

  t.match(ready, { snapshot: { meta: { index: 9 } }, hardState: { commit: 9 }, committedEntries: [] })
  t.match(group.core(2).status(), { applied: 9, firstIndex: 10 })
  t.strictSame(group.core(2).status().conf.voters, [1, 2, 3, 4])
})

t.test('asynchronous storage', async t => {
  const isAsync = { asyncStorageWrites: true } as const
  const storageMessages = (group: Group): readonly Message[] => group.core(2).ready().messages.filter(({ to }) => to === appendThread || to === applyThread)

  t.test('is asked to write when there is something to write, or to wait for', async t => {
    for (const [m, count] of [
      [append({ entries: [entryOf(3, 1)] }), 1],
      [message('MsgHeartbeat', { from: 1, term: 5 }), 1],
      [message('MsgSnap', { from: 1, term: 1, snapshot: snapshotAt(9, [1, 2, 3]) }), 1],
      [message('MsgPreVote', { from: 1, term: 1, logTerm: 1, index: 2 }), 1]
    ] as const) {
      const group = new Group(three, isAsync)
      group.core(2).step(m)
      t.equal(storageMessages(group).length, count, m.type)
      t.notOk(group.core(2).hasReady(), 'once')
    }
    const group = new Group(three, isAsync)
    group.core(2).step(message('MsgHeartbeat', { from: 1, term: 1 }))
    group.core(2).ready()
    group.core(2).step(message('MsgHeartbeat', { from: 1, term: 1 }))
    t.strictSame(storageMessages(group), [], 'an answer that promises nothing waits for nothing')
  })

  t.test('says what is stable after what rests on it, and names the last entry there is', async t => {
    const group = new Group(three, isAsync)
    group.core(2).step(append({ entries: [entryOf(3, 1), entryOf(4, 1)] }))

    t.match(storageMessages(group), [{
      type: 'MsgStorageAppend', to: appendThread, entries: [{ index: 3 }, { index: 4 }], term: 1, commit: 2,
      responses: [{ type: 'MsgAppResp', to: 1, index: 4 }, { type: 'MsgStorageAppendResp', to: 2, term: 1, index: 4, logTerm: 1, snapshot: undefined }]
    }])
  })

  t.test('that has nothing of ours is not asked what is stable', async t => {
    const group = new Group(three, isAsync)
    group.core(2).step(message('MsgHeartbeat', { from: 1, term: 5 }))

    t.strictSame(storageMessages(group).map(({ responses }) => responses), [[]])
  })

  t.test('has the snapshot named when it is installed', async t => {
    const group = new Group(three, isAsync)
    group.core(2).step(message('MsgSnap', { from: 1, term: 1, snapshot: snapshotAt(9, [1, 2, 3]) }))

    t.match(storageMessages(group)[0]?.responses, [{ type: 'MsgAppResp', index: 9 }, { type: 'MsgStorageAppendResp', index: 0, logTerm: 0, snapshot: { meta: { index: 9 } } }])
  })

  t.test('holds what is to be applied before it is handed out', async t => {
    const group = new Group(three, isAsync)
    group.core(2).step(append({ entries: [entryOf(3, 1)], commit: 3 }))
    const write = storageMessages(group)
    t.strictSame(write.map(({ type }) => type), ['MsgStorageAppend'])
    t.notOk(group.core(2).hasReady(), 'nothing to do meanwhile')
    group.node(2).log.append(write[0]!.entries)
    for (const m of write[0]!.responses) if (m.to === 2) group.core(2).step(m)

    t.match(storageMessages(group), [{
      type: 'MsgStorageApply', to: applyThread, entries: [{ index: 3 }], responses: [{ type: 'MsgStorageApplyResp', to: 2, entries: [{ index: 3 }] }]
    }])
    t.equal(group.core(2).status().applied, 2, 'and counts as applied when the state machine says so')
  })
})

t.test('an entry of an earlier leader is committed with the first of the new one, not before', async t => {
  const group = new Group({ voters: [1, 2] }, { preVote: false })
  group.core(1).step(append({ from: 2, entries: [entryOf(3, 1)] }))
  turn(group.node(1))
  group.core(1).campaign()
  turn(group.node(1))
  group.core(1).step(message('MsgVoteResp', { from: 2, term: 2 }))
  turn(group.node(1))

  group.core(1).step(message('MsgAppResp', { from: 2, term: 2, index: 3 }))
  t.equal(group.core(1).status().commit, 2)
  group.core(1).step(message('MsgAppResp', { from: 2, term: 2, index: 4 }))
  t.equal(group.core(1).status().commit, 4)
})

t.test('a synchronous leader counts its own copy when the Ready is done', async t => {
  const group = new Group({ voters: [1] })
  const leader = group.elect(1)
  leader.propose([entry('x')])
  const ready = leader.ready()
  t.equal(leader.status().commit, 3)
  group.node(1).log.append(ready.entries)
  leader.advance()

  t.equal(leader.status().commit, 4)
})
