import t from 'tap'
import { Group, turn } from '../replay/group.ts'
import { emptyData } from './entries.ts'
import { message } from './message.ts'
import type { Entry, Index, Message, Snapshot, Term } from './types.ts'

const entryOf = (index: Index, term: Term): Entry => ({ term, index, type: 'EntryNormal', data: emptyData })
const snapshotAt = (index: Index, term: Term): Snapshot =>
  ({ meta: { index, term, confState: { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: emptyData })
const append = (index: Index, logTerm: Term, entries: readonly Entry[], commit: Index, term = 3): Message =>
  message('MsgApp', { from: 1, term, index, logTerm, entries, commit })

/** Peer 2 of three, with entries of these terms after index 2, and this much committed. */
function followerOf (terms: readonly Term[], commit: Index): Group {
  const group = new Group({ voters: [1, 2, 3] })
  group.core(2).step(append(2, 1, terms.map((term, at) => entryOf(3 + at, term)), commit))
  turn(group.node(2))
  return group
}

function answerTo (group: Group, m: Message): Message | undefined {
  group.core(2).step(m)
  return turn(group.node(2)).messages.at(-1)
}

t.test('appends', async t => {
  t.test('before what is committed are answered with that, unread', async t => {
    const group = followerOf([1, 1, 1], 4)

    t.match(answerTo(group, append(3, 3, [entryOf(4, 3)], 5)), { type: 'MsgAppResp', index: 4, reject: false })
    t.match(group.core(2).status(), { commit: 4, lastIndex: 5 })
  })

  t.test('right behind what is committed are taken', async t => {
    const group = followerOf([1, 1, 1], 4)

    t.match(answerTo(group, append(4, 1, [entryOf(5, 3), entryOf(6, 3)], 4)), { type: 'MsgAppResp', index: 6, reject: false })
    t.match(group.core(2).status(), { commit: 4, lastIndex: 6 })
  })

  t.test('acknowledge only what they carry, not what follows it in the log', async t => {
    t.match(answerTo(followerOf([1, 1, 1], 2), append(2, 1, [entryOf(3, 1)], 2)), { index: 3, reject: false })
  })

  t.test('that do not fit are refused with the last entry that may agree', async t => {
    t.match(answerTo(followerOf([1, 1, 2, 2], 2), append(6, 1, [], 2)), { index: 6, reject: true, rejectHint: 4, logTerm: 1 })
    t.match(answerTo(followerOf([1, 1, 2, 2], 2), append(9, 3, [], 2)), { index: 9, reject: true, rejectHint: 6, logTerm: 2 }, 'a short log')
  })
})

t.test('a heartbeat moves the commit index, and its answer names the round', async t => {
  const group = followerOf([1, 1], 2)

  t.match(answerTo(group, message('MsgHeartbeat', { from: 1, term: 3, commit: 3, context: 77 })), { type: 'MsgHeartbeatResp', to: 1, context: 77 })
  t.equal(group.core(2).status().commit, 3)
})

t.test('an old snapshot is answered with what is committed, not with a tail that nobody compared', async t => {
  for (const index of [1, 3, 4]) {
    const group = followerOf([1, 1, 1], 4)

    t.match(answerTo(group, message('MsgSnap', { from: 1, term: 3, snapshot: snapshotAt(index, 1) })), { type: 'MsgAppResp', index: 4 })
    t.match(group.core(2).status(), { commit: 4, lastIndex: 5 })
  }
})

t.test('a snapshot that the log holds commits so far, and is answered with no more', async t => {
  const group = followerOf([1, 1, 1], 2)

  t.match(answerTo(group, message('MsgSnap', { from: 1, term: 3, snapshot: snapshotAt(4, 1) })), { type: 'MsgAppResp', index: 4 })
  t.match(group.core(2).status(), { commit: 4, lastIndex: 5 })
})

t.test('whatever the leader says puts off the next election', async t => {
  for (const m of [append(2, 1, [], 2, 1), message('MsgHeartbeat', { from: 1, term: 1 }), message('MsgSnap', { from: 1, term: 1, snapshot: snapshotAt(2, 1) })]) {
    const group = new Group({ voters: [1, 2, 3] })
    group.core(2).step(message('MsgHeartbeat', { from: 1, term: 1 }))
    group.core(2).setRandomizedElectionTicks(10)
    group.tick(2, 9)
    group.core(2).step(m)
    group.tick(2, 9)
    t.equal(group.core(2).status().role, 'follower', m.type)
    group.tick(2)

    t.equal(group.core(2).status().role, 'pre-candidate', m.type)
  }
})
