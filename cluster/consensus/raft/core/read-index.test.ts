import t from 'tap'
import { Environment } from '../replay/environment.ts'
import type { NodeOptions, ScriptNode } from '../replay/environment.ts'
import { stabilize } from '../replay/stabilize.ts'
import { emptyData } from './entries.ts'
import { message } from './message.ts'
import type { RaftCore } from './raft.ts'
import type { Message, NodeId, Ready, ReadState } from './types.ts'

const electionTicks = 10

interface Group {
  readonly env: Environment
  readonly leader: RaftCore
  node (id: NodeId): ScriptNode
}

/** Peer 1 leads and has committed an entry of its own, unless it is only to be elected. */
function groupOf (voters: readonly NodeId[], learners: readonly NodeId[] = [], options: Partial<NodeOptions> = {}): Group {
  const env = new Environment()
  const confState = { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false }
  for (let i = 0; i < voters.length + learners.length; i++) {
    const settings = { electionTicks, heartbeatTicks: 1, applied: 2, ...options }
    env.addNode(settings, { meta: { index: 2, term: 1, confState }, data: emptyData }, true)
  }
  env.output.setLevel('none')
  const leader = env.node(1).core
  leader.campaign()
  settle(env)
  return { env, leader, node: id => env.node(id) }
}

function settle (env: Environment): void {
  stabilize(env, { command: 'stabilize', args: [], input: '', expected: '', line: 0 })
}

/** A Ready of a peer, done; its messages stay with the test. */
function turn ({ core, log }: ScriptNode): Ready {
  const ready = core.ready()
  if (ready.hardState !== undefined) log.setHardState(ready.hardState)
  log.append(ready.entries)
  core.advance()
  return ready
}

function answer (m: Message): Message {
  return message('MsgHeartbeatResp', { from: m.to, to: m.from, term: m.term, context: m.context })
}

function reads (node: ScriptNode): readonly ReadState[] {
  return node.core.hasReady() ? turn(node).readStates : []
}

t.test('a read is confirmed by a majority that answers a heartbeat sent after it', async t => {
  const { leader, node } = groupOf([1, 2, 3])
  leader.readIndex(41)
  const beats = turn(node(1)).messages
  t.strictSame(beats.map(({ type, to }) => [type, to]), [['MsgHeartbeat', 2], ['MsgHeartbeat', 3]])
  t.strictSame(reads(node(1)), [])

  leader.step(answer(beats[0]!))

  t.strictSame(reads(node(1)), [{ index: 3, context: 41 }])
})

t.test('many reads need one round', async t => {
  const { leader, node } = groupOf([1, 2, 3])
  for (let context = 1; context <= 100; context++) leader.readIndex(context)

  const beats = turn(node(1)).messages
  t.equal(beats.length, 2)
  leader.step(answer(beats[1]!))

  t.strictSame(reads(node(1)).map(({ context }) => context), Array.from({ length: 100 }, (_, at) => at + 1))
})

t.test('a read whose heartbeats were lost is confirmed by the next ones', async t => {
  const { leader, node } = groupOf([1, 2, 3])
  leader.readIndex(41)
  turn(node(1)) // what it sends never arrives
  leader.tick()

  const [beat] = turn(node(1)).messages
  leader.step(answer(beat!))

  t.match(reads(node(1)), [{ context: 41 }])
})

t.test('a late answer to an earlier round takes back nothing of what its sender answered since', async t => {
  const { leader, node } = groupOf([1, 2, 3, 4, 5])
  leader.readIndex(1)
  const [early] = turn(node(1)).messages
  leader.readIndex(2)
  const [later, ofAnother] = turn(node(1)).messages
  leader.step(answer(later!))
  leader.step(answer(early!))

  leader.step(answer(ofAnother!))

  t.match(reads(node(1)), [{ context: 1 }, { context: 2 }])
})

t.test('RD-02: an answer to an earlier heartbeat confirms no later read', async t => {
  const { leader, node } = groupOf([1, 2, 3])
  leader.readIndex(1)
  const first = turn(node(1)).messages
  leader.readIndex(2)
  const second = turn(node(1)).messages

  leader.step(answer(first[0]!))
  leader.step(answer(first[0]!))
  t.strictSame(reads(node(1)), [{ index: 3, context: 1 }])
  leader.step(answer(second[1]!))
  t.strictSame(reads(node(1)), [{ index: 3, context: 2 }])
})

t.test('RD-03: learners and strangers confirm nothing', async t => {
  const { leader, node } = groupOf([1, 2, 3], [4, 5])
  leader.readIndex(1)
  const beats = turn(node(1)).messages

  for (const m of beats.filter(({ to }) => to > 3)) leader.step(answer(m))
  leader.step(message('MsgHeartbeatResp', { from: 9, to: 1, term: 1, context: beats[0]!.context }))

  t.strictSame(reads(node(1)), [])
})

t.test('RD-01: before the leader has committed an entry of its own term, reads wait', async t => {
  const { env, node } = groupOf([1, 2, 3])
  const next = node(2).core
  next.transferLeader(2)
  env.processReady(node(2))
  node(1).core.transferLeader(2)
  for (const id of [1, 2, 3, 1, 2]) {
    while (node(id).core.hasReady()) env.processReady(node(id))
    if (next.status().role === 'leader') break
    env.deliver([{ id: 1, drop: false }, { id: 2, drop: false }, { id: 3, drop: false }], undefined)
  }
  t.equal(next.status().role, 'leader')

  next.readIndex(7)
  t.equal(next.status().pendingReads, 1)
  settle(env)

  t.equal(next.status().pendingReads, 0)
  t.equal(next.status().commit, 4)
})

t.test('a follower asks the leader, and is answered with its own number', async t => {
  const { env, node } = groupOf([1, 2, 3])
  const seen: ReadState[] = []
  node(3).core.readIndex(55)
  for (let round = 0; round < 10; round++) {
    for (const id of [1, 2]) while (node(id).core.hasReady()) env.processReady(node(id))
    while (node(3).core.hasReady()) {
      const ready = turn(node(3))
      seen.push(...ready.readStates)
      env.queue(ready.messages)
    }
    env.deliver([1, 2, 3].map(id => ({ id, drop: false })), undefined)
  }

  t.strictSame(seen, [{ index: 3, context: 55 }])
})

t.test('without a leader, and beyond the bound, reads are dropped', async t => {
  const lonely = groupOf([1, 2, 3])
  lonely.node(2).core.forgetLeader()
  t.equal(lonely.node(2).core.readIndex(1), 'dropped')

  const { leader } = groupOf([1, 2, 3], [], { limits: { pendingReadsMax: 2 } })
  t.strictSame([1, 2, 3].map(context => leader.readIndex(context)), ['accepted', 'accepted', 'dropped'])
})

t.test('a leader that steps down forgets the reads it was asked for', async t => {
  const { leader, node } = groupOf([1, 2, 3])
  leader.readIndex(1)
  turn(node(1))

  leader.step(message('MsgHeartbeat', { from: 2, to: 1, term: 9 }))

  t.equal(leader.status().pendingReads, 0)
})

t.test('RD-02: what was answered in an earlier leadership confirms no read of a later one', async t => {
  const { env, leader, node } = groupOf([1, 2, 3])
  for (let context = 1; context <= 3; context++) {
    leader.readIndex(context)
    for (const beat of turn(node(1)).messages) leader.step(answer(beat))
    t.equal(reads(node(1)).length, 1)
  }
  leader.step(message('MsgHeartbeat', { from: 2, to: 1, term: 9 }))
  leader.campaign()
  settle(env)
  t.equal(leader.status().role, 'leader')

  leader.readIndex(4)
  const { messages: beats, readStates } = turn(node(1))

  t.strictSame(readStates, [])
  leader.step(answer(beats[0]!))
  t.match(reads(node(1)), [{ context: 4 }])
})

t.test('a single voter needs nobody', async t => {
  const { leader, node } = groupOf([1], [2])
  leader.readIndex(3)

  t.strictSame(reads(node(1)), [{ index: 3, context: 3 }])
})

t.test('a leader that was removed asks the single voter that is left', async t => {
  const { env, leader, node } = groupOf([1, 2], [], { stepDownOnRemoval: false })
  leader.applyConfChange({ transition: 'auto', changes: [{ type: 'ConfChangeRemoveNode', nodeId: 1 }], context: emptyData })
  leader.readIndex(1)
  t.strictSame(reads(node(1)), [])

  leader.tick()
  settle(env)

  t.equal(leader.status().pendingReads, 0)
})

t.test('leases', async t => {
  const lease = { readOnly: 'lease' } as const
  const beat = (group: Group, isAnswered = true): void => {
    group.leader.tick()
    const beats = turn(group.node(1)).messages
    if (isAnswered) for (const m of beats) group.leader.step(answer(m))
  }
  let asked = 0
  const isImmediate = (group: Group): boolean => {
    const context = ++asked
    group.leader.readIndex(context)
    return turn(group.node(1)).readStates.some(state => state.context === context)
  }

  t.test('while a majority has just answered, reads are answered at once', async t => {
    const group = groupOf([1, 2, 3], [], lease)
    t.notOk(isImmediate(group), 'nobody has answered a heartbeat yet')
    beat(group)
    t.ok(isImmediate(group))
  })

  t.test('end before another leader can be elected', async t => {
    const group = groupOf([1, 2, 3], [], lease)
    beat(group)
    for (let i = 0; i < electionTicks - 2; i++) beat(group, false)
    t.ok(isImmediate(group))
    beat(group, false)
    t.notOk(isImmediate(group))
  })

  t.test('count from when the heartbeat was sent, not from its answer', async t => {
    const group = groupOf([1, 2, 3], [], lease)
    group.leader.tick()
    const [old] = turn(group.node(1)).messages
    for (let i = 0; i < electionTicks - 1; i++) beat(group, false)

    group.leader.step(answer(old!))

    t.notOk(isImmediate(group))
  })

  t.test('are void after lost time, until a majority answers anew', async t => {
    const group = groupOf([1, 2, 3], [], lease)
    beat(group)
    group.leader.voidLease()
    t.notOk(isImmediate(group))
    beat(group)
    t.ok(isImmediate(group))
  })

  t.test('are void after lost time: what was sent before it does not count, the first round after it does', async t => {
    const group = groupOf([1, 2, 3], [], lease)
    group.leader.tick()
    const late = turn(group.node(1)).messages
    group.leader.voidLease()
    for (const m of late) group.leader.step(answer(m))
    t.notOk(isImmediate(group))

    const other = groupOf([1, 2, 3], [], lease)
    beat(other)
    other.leader.voidLease()
    beat(other)
    t.ok(isImmediate(other))
  })

  t.test('are over once the target of a transfer was told to stand', async t => {
    const group = groupOf([1, 2, 3], [], lease)
    beat(group)
    group.leader.transferLeader(2)
    turn(group.node(1))
    for (let i = 0; i < electionTicks; i++) beat(group)

    t.equal(group.leader.status().leadTransferee, 0)
    t.notOk(isImmediate(group), 'it may stand at any later time')
  })
})
