import t from 'tap'
import { createGroup } from './group.ts'
import type { Group } from './group.ts'
import type { NodeId, ReadState } from '../core/types.ts'

/** What a peer was answered, noted as it is handed out. */
function answersOf (group: Group, id: NodeId): ReadState[] {
  const answers: ReadState[] = []
  const core = group.core(id)
  const ready = core.ready.bind(core)
  core.ready = () => {
    const handedOut = ready()
    answers.push(...handedOut.readStates)
    return handedOut
  }
  return answers
}

function ask (group: Group, id: NodeId, context: number): void {
  group.spec.readAsked(context)
  group.core(id).readIndex(context)
  group.work()
}

t.test('a read is answered with the commit index once a majority has answered a heartbeat', async t => {
  const group = createGroup()
  group.campaign(1)
  const answers = answersOf(group, 1)
  ask(group, 1, 7)
  t.strictSame(answers, [])

  group.settle()

  t.strictSame(answers, [{ context: 7, index: 1 }])
})

t.test('RD-01 a read before the first commit of the term waits for it', async t => {
  const group = createGroup({ logs: { 1: [1, 1], 2: [1, 1] } })
  group.drop = ({ type }) => type === 'MsgApp'
  group.campaign(1)
  const answers = answersOf(group, 1)
  ask(group, 1, 1)
  group.pass(3)
  t.strictSame(answers, [], 'its commit index may be behind that of the leader before')

  group.drop = () => false
  group.pass(3)

  t.strictSame(answers, [{ context: 1, index: 3 }])
})

t.test('RD-02 a leader that was replaced confirms nothing, neither with old answers nor with none', async t => {
  const group = createGroup()
  group.campaign(1)
  group.tick(1)
  const term = group.status(1).term
  const answers = answersOf(group, 1)
  ask(group, 1, 1)
  const heartbeats = group.take('MsgHeartbeat')
  const round = Math.max(...heartbeats.map(({ context }) => context))
  group.cut(1)
  group.campaign(2)

  for (const from of [2, 3]) for (const context of [0, round - 1]) group.step(1, 'MsgHeartbeatResp', { from, term, context })

  t.strictSame(answers, [])
})

t.test('RD-02 a round that was sent before the read does not confirm it', async t => {
  const group = createGroup()
  group.campaign(1)
  const term = group.status(1).term
  const answers = answersOf(group, 1)
  ask(group, 1, 1)
  const first = Math.max(...group.take('MsgHeartbeat').map(({ context }) => context))
  ask(group, 1, 2)
  const second = Math.max(...group.take('MsgHeartbeat').map(({ context }) => context))
  t.ok(second > first)

  group.step(1, 'MsgHeartbeatResp', { from: 2, term, context: first })
  t.strictSame(answers, [{ context: 1, index: 1 }])
  group.step(1, 'MsgHeartbeatResp', { from: 2, term, context: second })
  t.strictSame(answers.map(({ context }) => context), [1, 2])
})

t.test('RD-03 answers of learners and of strangers are not counted', async t => {
  const group = createGroup({ learners: [4, 5], others: [6] })
  group.campaign(1)
  const term = group.status(1).term
  const answers = answersOf(group, 1)
  ask(group, 1, 1)
  const round = Math.max(...group.take('MsgHeartbeat').map(({ context }) => context))

  for (const from of [4, 5, 6]) group.step(1, 'MsgHeartbeatResp', { from, term, context: round })
  t.strictSame(answers, [])
  group.step(1, 'MsgHeartbeatResp', { from: 3, term, context: round })

  t.strictSame(answers, [{ context: 1, index: 1 }])
})

t.test('RD-04 in a joint membership both majorities must answer', async t => {
  const group = createGroup({ conf: { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] }, others: [] })
  group.campaign(1)
  const term = group.status(1).term
  const answers = answersOf(group, 1)
  ask(group, 1, 1)
  const round = Math.max(...group.take('MsgHeartbeat').map(({ context }) => context))

  for (const from of [2, 3]) group.step(1, 'MsgHeartbeatResp', { from, term, context: round })
  t.strictSame(answers, [])
  group.step(1, 'MsgHeartbeatResp', { from: 4, term, context: round })

  t.strictSame(answers.map(({ context }) => context), [1])
})

t.test('RD-05 a lease answers at once, ends in time, and ends for good with a transfer', async t => {
  const group = createGroup({ settings: { checkQuorum: true }, core: { readOnly: 'lease' } })
  group.campaign(1)
  group.pass(2)
  const answers = answersOf(group, 1)
  ask(group, 1, 1)
  t.equal(answers.length, 1)

  group.tick(1, 9)
  ask(group, 1, 2)
  t.equal(answers.length, 1, 'nobody has answered for nearly an election timeout')
  group.take()

  const handing = createGroup({ settings: { checkQuorum: true }, core: { readOnly: 'lease' } })
  handing.campaign(1)
  handing.pass(2)
  const after = answersOf(handing, 1)
  handing.core(1).transferLeader(2)
  ask(handing, 1, 1)
  t.strictSame(after, [], 'the target may lead already')
})

t.test('RD-06 a follower asks the leader, and nobody without one', async t => {
  const group = createGroup({ learners: [4] })
  t.equal(group.core(2).readIndex(9), 'dropped')
  group.campaign(1)
  const [voter, learner] = [answersOf(group, 2), answersOf(group, 4)]

  ask(group, 2, 1)
  ask(group, 4, 2)
  group.settle()

  t.strictSame(voter, [{ context: 1, index: 1 }])
  t.strictSame(learner, [{ context: 2, index: 1 }])
})

t.test('reads that ask with one number are answered one by one, and none is kept afterwards', async t => {
  const group = createGroup()
  group.campaign(1)
  const answers = answersOf(group, 1)
  ask(group, 1, 5)
  ask(group, 1, 5)
  group.settle()

  t.strictSame(answers, [{ context: 5, index: 1 }, { context: 5, index: 1 }])
  t.equal(group.status(1).pendingReads, 0)
})

t.test('a leader that steps down forgets the reads that wait', async t => {
  const group = createGroup()
  group.campaign(1)
  ask(group, 1, 1)
  group.take()
  t.equal(group.status(1).pendingReads, 1)

  group.step(1, 'MsgHeartbeat', { from: 2, term: 9 })

  t.equal(group.status(1).pendingReads, 0)
})

t.test('waiting reads are bounded', async t => {
  const group = createGroup({ core: { limits: { pendingReadsMax: 3 } } })
  group.campaign(1)
  const results = [1, 2, 3, 4].map(context => {
    group.spec.readAsked(context)
    return group.core(1).readIndex(context)
  })

  t.strictSame(results, ['accepted', 'accepted', 'accepted', 'dropped'])
})

t.test('a single voter answers its own reads without asking', async t => {
  const group = createGroup({ voters: 1 })
  group.campaign(1)
  const answers = answersOf(group, 1)
  ask(group, 1, 1)

  t.strictSame(answers, [{ context: 1, index: 1 }])
})
