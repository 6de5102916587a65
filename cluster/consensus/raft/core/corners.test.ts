import t from 'tap'
import { change, electionTicks, entry, Group, turn } from '../replay/group.ts'
import { emptyData } from './entries.ts'
import { message } from './message.ts'
import { RaftCore } from './raft.ts'
import type { LogReader, Message, Snapshot } from './types.ts'

const addNode = (nodeId: number): ReturnType<typeof change> => change([{ type: 'ConfChangeAddNode', nodeId }])
const snapshotAt = (index: number, term: number, voters: readonly number[]): Snapshot =>
  ({ meta: { index, term, confState: { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: emptyData })
const fromLeader = (fields: Partial<Message>): Message => message('MsgSnap', { from: 1, to: 2, term: 1, ...fields })

t.test('candidates', async t => {
  t.test('take no proposals and no order to stand again', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
    group.core(1).campaign()

    t.strictSame(group.core(1).propose([entry('x')]), { kind: 'dropped', reason: 'no-leader' })
    group.core(1).step(message('MsgTimeoutNow', { from: 2, to: 1, term: 1 }))
    t.match(group.core(1).status(), { role: 'candidate', term: 1 })
  })

  t.test('follow whoever leads in their term, whatever it says first', async t => {
    for (const m of [
      message('MsgHeartbeat', { from: 2, to: 1, term: 1 }),
      message('MsgApp', { from: 2, to: 1, term: 1, logTerm: 1, index: 2 }),
      message('MsgSnap', { from: 2, to: 1, term: 1, snapshot: snapshotAt(9, 1, [1, 2, 3]) })
    ]) {
      const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
      group.core(1).campaign()
      group.core(1).step(m)

      t.match(group.core(1).status(), { role: 'follower', lead: 2, term: 1 }, m.type)
    }
  })

  t.test('that a majority refuses are followers again, in the same term', async t => {
    const group = new Group({ voters: [1, 2, 3] }, { preVote: false })
    group.core(1).campaign()
    turn(group.node(1))
    for (const from of [2, 2, 3]) {
      t.equal(group.core(1).status().role, 'candidate', 'one refusal said twice is one')
      group.core(1).step(message('MsgVoteResp', { from, to: 1, term: 1, reject: true }))
    }

    t.match(group.core(1).status(), { role: 'follower', term: 1, vote: 1 })
  })

  t.test('EL-09: count no answers to their earlier pre-candidacy', async t => {
    const group = new Group({ voters: [1, 2, 3, 4, 5] }, { preVote: false })
    group.core(1).campaign()
    turn(group.node(1))
    for (const from of [2, 3, 4, 5]) group.core(1).step(message('MsgPreVoteResp', { from, to: 1, term: 1 }))

    t.equal(group.core(1).status().role, 'candidate')
  })
})

t.test('a pre-vote of a past term is answered, so that its asker learns the term', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  group.core(1).step(message('MsgHeartbeat', { from: 2, to: 1, term: 7 }))
  group.core(1).step(message('MsgPreVote', { from: 3, to: 1, term: 4, logTerm: 1, index: 2 }))

  t.match(turn(group.node(1)).messages.at(-1), { type: 'MsgPreVoteResp', to: 3, term: 7, reject: true })
})

t.test('a pre-vote changes neither term nor vote, on either side', async t => {
  const group = new Group({ voters: [1, 2, 3] })
  group.core(1).campaign()
  t.match(group.core(1).status(), { role: 'pre-candidate', term: 0, vote: 0 })

  group.core(2).step(message('MsgPreVote', { from: 1, to: 2, term: 1, logTerm: 1, index: 2 }))
  t.match(group.core(2).status(), { term: 0, vote: 0 })
  t.match(turn(group.node(2)).messages, [{ type: 'MsgPreVoteResp', term: 1, reject: false }])
})

t.test('MC-03: who has a committed membership change to apply does not stand', async t => {
  const group = new Group({ voters: [1, 2, 3], size: 4 }, { asyncStorageWrites: true, limits: { applyingBytesMax: 5 } })
  const leader = group.elect(1)
  leader.propose([entry('a'), entry('b')])
  leader.proposeConfChange(addNode(4))
  group.settle()
  t.equal(leader.status().commit, 6)

  const late = new Group({ voters: [1, 2, 3], size: 4 }, { asyncStorageWrites: true, limits: { applyingBytesMax: 5 } })
  const entries = group.node(1).log.entries(3, 7, Infinity)
  t.not(entries, 'compacted')
  late.core(2).step(message('MsgApp', { from: 1, to: 2, term: 1, logTerm: 1, index: 2, commit: 6, entries: entries as Message['entries'] }))
  late.core(2).campaign()
  t.equal(late.core(2).status().role, 'follower', 'its voters may not be those that decide')
  late.settle(2)
  late.core(2).campaign()
  t.equal(late.core(2).status().role, 'pre-candidate')
})

t.test('transfers', async t => {
  t.test('TR-02: wait until a slow target holds everything', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    const leader = group.elect(1)
    leader.propose([entry('x')])
    group.env.processReady(group.node(1))
    group.lose(3)
    group.settle(1, 2)
    leader.transferLeader(3)
    t.notOk(turn(group.node(1)).messages.some(({ type }) => type === 'MsgTimeoutNow'))

    leader.tick()
    group.settle()

    t.match(group.core(3).status(), { role: 'leader', term: 2 })
  })

  t.test('TR-05: a second one replaces the first', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    const leader = group.elect(1)
    leader.transferLeader(2)
    leader.transferLeader(3)

    t.equal(leader.status().leadTransferee, 3)
  })

  t.test('TR-08: an order of a past term is ignored', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    group.core(2).step(message('MsgHeartbeat', { from: 1, to: 2, term: 5 }))
    group.core(2).step(message('MsgTimeoutNow', { from: 3, to: 2, term: 4 }))

    t.equal(group.core(2).status().role, 'follower')
  })

  t.test('MC-15: end when their target is removed', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    const leader = group.elect(1)
    leader.proposeConfChange(change([{ type: 'ConfChangeRemoveNode', nodeId: 3 }]))
    group.env.processReady(group.node(1))
    group.env.deliver([{ id: 2, drop: false }], undefined)
    group.env.processReady(group.node(2))
    leader.transferLeader(3)
    group.env.deliver([{ id: 1, drop: false }], undefined)
    t.equal(leader.status().leadTransferee, 3)
    group.env.processReady(group.node(1))

    t.match(leader.status(), { leadTransferee: 0, conf: { voters: [1, 2] } })
  })

  t.test('let a joint membership be left by whoever leads after them', async t => {
    const group = new Group({ voters: [1, 2, 3], size: 4 })
    const leader = group.elect(1)
    leader.proposeConfChange(change([{ type: 'ConfChangeAddNode', nodeId: 4 }], 'implicit'))
    for (const id of [1, 2]) {
      group.env.processReady(group.node(id))
      group.env.deliver([{ id: 2, drop: false }, { id: 3, drop: true }], undefined)
    }
    leader.transferLeader(3)
    group.env.deliver([{ id: 1, drop: false }], undefined)
    group.env.processReady(group.node(1))
    t.match(leader.status().conf, { votersOutgoing: [1, 2, 3], autoLeave: true })
    t.equal(leader.status().lastIndex, 4, 'nothing is proposed meanwhile')

    group.settle()
    for (let beat = 0; beat < 3; beat++) {
      group.tick(3)
      group.settle()
    }
    t.match(group.core(3).status(), { role: 'leader', conf: { voters: [1, 2, 3, 4], votersOutgoing: [] } })
  })
})

t.test('snapshots', async t => {
  const behind = (): { group: Group, leader: RaftCore } => {
    const group = new Group({ voters: [1, 2, 3] })
    const leader = group.elect(1)
    for (let i = 0; i < 5; i++) leader.propose([entry(`p${i}`)])
    group.env.processReady(group.node(1))
    group.lose(3)
    group.settle(1, 2)
    group.lose(3)
    group.node(1).log.compact(7)
    return { group, leader }
  }

  t.test('go to who needs compacted entries, once, if it is alive', async t => {
    const { group, leader } = behind()
    leader.reportUnreachable(3)
    group.tick(1)
    group.settle(1, 2)
    t.match(leader.status().progress[2], { state: 'probe', next: 4 })
    group.settle()

    t.match(group.core(3).status(), { commit: 8, firstIndex: 9 })
    t.match(leader.status().progress[2], { state: 'replicate', match: 8 })
  })

  t.test('that failed are tried again, those that arrived are probed behind', async t => {
    for (const [ok, next] of [[true, 9], [false, 4]] as const) {
      const { group, leader } = behind()
      leader.reportUnreachable(3)
      leader.step(message('MsgHeartbeatResp', { from: 3, to: 1, term: 1 }))
      t.match(leader.status().progress[2], { state: 'snapshot', pendingSnapshot: 8, paused: true })
      leader.reportSnapshot(3, ok)

      t.match(leader.status().progress[2], { state: 'probe', next, paused: true })
      leader.reportSnapshot(3, !ok)
      t.match(leader.status().progress[2], { next }, 'said twice, it changes nothing')
      t.ok(group.core(1).hasReady())
    }
  })

  t.test('go on travelling when somebody says that messages to that peer are lost', async t => {
    const { leader } = behind()
    leader.reportUnreachable(3)
    leader.step(message('MsgHeartbeatResp', { from: 3, to: 1, term: 1 }))

    leader.reportUnreachable(3)

    t.match(leader.status().progress[2], { state: 'snapshot', pendingSnapshot: 8, paused: true })
  })

  t.test('do not go to the silent', async t => {
    const { group, leader } = behind()
    leader.reportUnreachable(3)
    for (let i = 0; i < electionTicks; i++) {
      leader.tick()
      group.settle(1, 2)
      group.lose(3)
    }
    leader.propose([entry('more')])

    t.match(leader.status().progress[2], { state: 'probe', recentActive: false })
  })

  t.test('SN-01: older than what is committed are answered with that', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    group.elect(1)
    group.core(2).step(fromLeader({ snapshot: snapshotAt(3, 1, [1, 2, 3]) }))
    group.core(2).step(fromLeader({ snapshot: snapshotAt(2, 1, [1]) }))

    t.match(turn(group.node(2)).messages, [{ type: 'MsgAppResp', index: 3 }, { type: 'MsgAppResp', index: 3 }])
    t.strictSame(group.core(2).status().conf.voters, [1, 2, 3])
  })

  t.test('SN-02: that the log already holds only commit; the entries after them stay', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    const log = [3, 4, 5].map(index => ({ term: 1, index, type: 'EntryNormal', data: emptyData } as const))
    const follower = group.core(2)
    follower.step(message('MsgApp', { from: 1, to: 2, term: 1, logTerm: 1, index: 2, entries: log, commit: 2 }))

    follower.step(fromLeader({ snapshot: snapshotAt(4, 1, [1, 2, 3]) }))
    t.match(follower.status(), { commit: 4, lastIndex: 5 })
    follower.step(fromLeader({ snapshot: snapshotAt(5, 9, [1, 2, 3]) }))
    t.match(follower.status(), { commit: 5, lastIndex: 5, firstIndex: 6 }, 'of another term: everything goes')
  })

  t.test('keep their receiver from standing until they are installed', async t => {
    const group = new Group({ voters: [1, 2, 3] })
    group.core(2).step(fromLeader({ snapshot: snapshotAt(9, 1, [1, 2, 3]) }))
    group.core(2).campaign()
    t.equal(group.core(2).status().role, 'follower')

    group.env.processReady(group.node(2))
    group.core(2).campaign()
    t.match(group.core(2).status(), { role: 'pre-candidate', applied: 9 })
  })
})

t.test('what storage is still reading or making is waited for', async t => {
  const { log } = new Group({ voters: [1, 2] }).node(1)
  log.append([3, 4].map(index => ({ term: 1, index, type: 'EntryNormal', data: emptyData })))
  log.setHardState({ term: 1, vote: 1, commit: 4 })
  let isReadable = false
  const reader: LogReader = {
    initialState: () => log.initialState(),
    firstIndex: () => log.firstIndex(),
    lastIndex: () => log.lastIndex(),
    term: index => log.term(index),
    entries: (lo, hi, max) => isReadable ? log.entries(lo, hi, max) : 'pending',
    snapshot: () => 'pending'
  }
  const core = new RaftCore({ id: 1, log: reader, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1, applied: 3, preVote: false })
  core.campaign()
  t.equal(core.status().role, 'follower', 'there may be a membership change in it')

  isReadable = true
  core.campaign()
  const elect = core.ready()
  t.strictSame(elect.committedEntries.map(({ index }) => index), [4])
  core.advance()
  core.step(message('MsgVoteResp', { from: 2, to: 1, term: 2 }))
  t.equal(core.status().role, 'leader')
  log.append(core.ready().entries)
  core.advance()

  isReadable = false
  core.step(message('MsgAppResp', { from: 2, to: 1, term: 2, index: 4, reject: true, rejectHint: 2, logTerm: 1 }))
  t.notOk(core.hasReady(), 'nothing to send yet')
  isReadable = true
  core.entriesFetched()
  const [append] = core.ready().messages
  t.match(append, { type: 'MsgApp', to: 2, index: 2 })
  t.strictSame(append!.entries.map(({ index }) => index), [3, 4, 5])
})

t.test('a compacted log without a snapshot ready sends nothing, and goes on leading', async t => {
  const group = new Group({ voters: [1, 2] })
  const leader = group.elect(1)
  leader.propose([entry('x'), entry('y')])
  group.settle()
  const { log } = group.node(1)
  log.compact(4)
  const reader: LogReader = {
    initialState: () => log.initialState(),
    firstIndex: () => log.firstIndex(),
    lastIndex: () => log.lastIndex(),
    term: index => log.term(index),
    entries: (lo, hi, max) => log.entries(lo, hi, max),
    snapshot: () => 'pending'
  }
  const core = new RaftCore({ id: 1, log: reader, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1, applied: 5, preVote: false })
  core.campaign()
  core.ready()
  core.advance()
  core.step(message('MsgVoteResp', { from: 2, to: 1, term: 2 }))
  log.append(core.ready().entries)
  core.advance()

  core.step(message('MsgAppResp', { from: 2, to: 1, term: 2, index: 5, reject: true, rejectHint: 2, logTerm: 1 }))

  t.match(core.status(), { role: 'leader', progress: [{ id: 1 }, { id: 2, state: 'probe', next: 2 + 1 }] })
  t.notOk(core.hasReady())
})

t.test('a change that lets more be committed at once tells everyone', async t => {
  const group = new Group({ voters: [1, 2, 3, 4] })
  const leader = group.elect(1)
  leader.proposeConfChange(change([{ type: 'ConfChangeRemoveNode', nodeId: 4 }]))
  group.env.processReady(group.node(1))
  group.env.deliver([{ id: 2, drop: false }, { id: 3, drop: false }, { id: 4, drop: true }], undefined)
  leader.propose([entry('x')])
  group.env.processReady(group.node(1))
  group.env.deliver([{ id: 2, drop: false }, { id: 3, drop: true }, { id: 4, drop: true }], undefined)
  for (const id of [2, 3]) group.env.processReady(group.node(id))
  group.env.deliver([{ id: 1, drop: false }], undefined)
  t.equal(leader.status().commit, 4, 'two of four hold the last entry')
  group.env.processReady(group.node(1))

  t.equal(leader.status().commit, 5, 'two of three do')
})

t.test('who is no voter any more helps who needs its vote to learn so', async t => {
  const group = new Group({ voters: [1, 2] })
  const leader = group.elect(1)
  leader.proposeConfChange(change([{ type: 'ConfChangeRemoveNode', nodeId: 1 }]))
  group.env.processReady(group.node(1))
  group.env.deliver([{ id: 2, drop: false }], undefined)
  group.env.processReady(group.node(2))
  group.env.deliver([{ id: 1, drop: false }], undefined)
  group.env.processReady(group.node(1))
  group.lose(2)
  t.match(leader.status(), { role: 'follower', conf: { voters: [2] }, commit: 4 })
  t.match(group.core(2).status(), { commit: 3, conf: { voters: [1, 2] } })

  for (let attempt = 0; attempt < 3; attempt++) {
    group.core(2).forgetLeader()
    group.core(2).campaign()
    group.settle()
  }

  t.match(group.core(2).status(), { role: 'leader', conf: { voters: [2] } })
})
