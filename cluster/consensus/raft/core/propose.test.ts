import t from 'tap'
import { change, entry, Group, turn } from '../replay/group.ts'
import { encodeConfChange } from './conf-codec.ts'
import { message } from './message.ts'
import type { EntryInput, NodeId } from './types.ts'

const addLearner = (nodeId: NodeId): EntryInput => encodeConfChange(change([{ type: 'ConfChangeAddLearnerNode', nodeId }]), 2)

t.test('a membership change is vetted wherever it stands among proposals', async t => {
  for (const [inputs, types] of [
    [[entry('x'), addLearner(3)], ['EntryNormal', 'EntryNormal']],
    [[addLearner(3), entry('x')], ['EntryNormal', 'EntryNormal']]
  ] as const) {
    const group = new Group({ voters: [1, 2], size: 3 })
    const leader = group.elect(1)
    leader.propose([addLearner(3)])

    t.match(leader.propose(inputs), { kind: 'appended', index: 5, refusal: 'change-pending' })
    t.strictSame(turn(group.node(1)).entries.slice(-2).map(({ type }) => type), types)
  }
})

t.test('of two membership changes proposed together the second is refused', async t => {
  const leader = new Group({ voters: [1, 2], size: 4 }).elect(1)

  t.match(leader.propose([addLearner(3), addLearner(4)]), { kind: 'appended', index: 4, refusal: 'change-pending' })
})

t.test('the next membership change waits until this one is applied, not only what was proposed with it', async t => {
  for (const [inputs, at] of [[[entry('x'), addLearner(2)], 5], [[addLearner(2), entry('x')], 4]] as const) {
    const group = new Group({ voters: [1], size: 2 }, { limits: { applyingBytesMax: 1 } })
    const leader = group.elect(1)
    leader.propose(inputs)
    while (leader.status().applied < at - 1) turn(group.node(1))
    t.match(leader.propose([addLearner(3)]), { refusal: 'change-pending' })
    while (leader.status().applied < at) turn(group.node(1))

    t.match(leader.propose([addLearner(3)]), { refusal: undefined })
  }
})

t.test('a joint membership takes only the change that leaves it, and no other takes that', async t => {
  const group = new Group({ voters: [1, 2], size: 3 })
  const leader = group.elect(1)
  leader.proposeConfChange(change([{ type: 'ConfChangeAddNode', nodeId: 3 }], 'explicit'))
  group.settle()

  t.match(leader.propose([addLearner(4)]), { refusal: 'still-joint' })
  t.match(leader.proposeConfChange(change([])), { refusal: undefined })
  group.settle()
  t.match(leader.status().conf, { voters: [1, 2, 3], votersOutgoing: [] })
  t.match(leader.proposeConfChange(change([])), { refusal: 'not-joint' })
})

t.test('a leader that stays although it was removed takes no proposals', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { stepDownOnRemoval: false })
  const leader = group.elect(1)
  leader.proposeConfChange(change([{ type: 'ConfChangeRemoveNode', nodeId: 1 }]))
  group.settle()

  t.equal(leader.status().role, 'leader')
  t.strictSame(leader.propose([entry('x')]), { kind: 'dropped', reason: 'not-member' })
})

t.test('what may be uncommitted is counted to the byte, and only as long as one leads', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { limits: { uncommittedBytesMax: 6 } })
  const leader = group.elect(1)
  t.equal(leader.propose([entry('abc')]).kind, 'appended')
  t.equal(leader.propose([entry('abc')]).kind, 'appended', 'exactly full')
  t.match(leader.status(), { uncommittedBytes: 6 })
  t.strictSame(leader.propose([entry('d')]), { kind: 'dropped', reason: 'uncommitted-full' })

  leader.step(message('MsgHeartbeat', { from: 2, term: 9 }))
  t.match(leader.status(), { uncommittedBytes: 0 })
})

t.test('an entry may be as large as the bound, and no larger, whoever is asked', async t => {
  const group = new Group({ voters: [1, 2, 3] }, { limits: { entryBytesMax: 4 } })
  group.elect(1)
  t.equal(group.core(1).propose([entry('1234')]).kind, 'appended')
  t.equal(group.core(2).propose([entry('1234')]).kind, 'forwarded')

  for (const id of [1, 2]) t.strictSame(group.core(id).propose([entry('1'), entry('12345')]), { kind: 'dropped', reason: 'entry-too-large' })
})
