import t from 'tap'
import { RaftInvariantError } from './assert.ts'
import { restoreMembership } from './conf-state.ts'
import { defaultLimits } from './limits.ts'
import { emptyMembership, Tracker } from './tracker.ts'
import type { ConfState } from './types.ts'

function trackerOf (conf: Partial<ConfState>): Tracker {
  const full = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false, ...conf }
  const { membership, progress } = restoreMembership({ lastIndex: 5, limits: defaultLimits }, full)
  const tracker = new Tracker()
  tracker.use(membership, progress)
  for (const peer of tracker.members) peer.recentActive = false
  return tracker
}

t.test('votes are counted by person, the first one given, and those of learners not', async t => {
  const tracker = trackerOf({ voters: [1, 2, 3], learners: [4] })
  tracker.recordVote(1, true)
  tracker.recordVote(2, false)
  tracker.recordVote(2, true)
  tracker.recordVote(4, true)
  t.strictSame(tracker.tally(), { granted: 1, rejected: 1, result: 'pending' })
  tracker.recordVote(3, true)
  t.strictSame(tracker.tally(), { granted: 2, rejected: 1, result: 'won' })

  tracker.resetVotes()
  t.strictSame(tracker.tally(), { granted: 0, rejected: 0, result: 'pending' })
})

t.test('while the membership is joint both halves elect, commit and are to be heard', async t => {
  const tracker = trackerOf({ voters: [1, 2, 3], votersOutgoing: [3, 4, 5] })
  for (const id of [1, 2, 3]) {
    tracker.recordVote(id, true)
    tracker.get(id)!.match = 9
    tracker.get(id)!.recentActive = true
  }
  t.equal(tracker.tally().result, 'pending')
  t.equal(tracker.committed(), 0)
  t.notOk(tracker.quorumActive())

  tracker.recordVote(4, true)
  tracker.get(4)!.match = 7
  tracker.get(4)!.recentActive = true
  t.equal(tracker.tally().result, 'won')
  t.equal(tracker.committed(), 7)
  t.ok(tracker.quorumActive())
})

t.test('learners commit nothing and are no quorum', async t => {
  const tracker = trackerOf({ voters: [1, 2], learners: [3, 4] })
  for (const id of [1, 3, 4]) {
    tracker.get(id)!.match = 9
    tracker.get(id)!.recentActive = true
  }

  t.equal(tracker.committed(), 0)
  t.notOk(tracker.quorumActive())
})

t.test('members are visited by id, and told apart', async t => {
  const joint = trackerOf({ voters: [9, 2], votersOutgoing: [5], learners: [1], learnersNext: [5] })
  t.strictSame(joint.members.map(({ id }) => id), [1, 2, 5, 9])
  t.strictSame([1, 2, 5, 9, 7].map(id => joint.isVoter(id)), [false, true, true, true, false])
  t.match({ isJoint: joint.isJoint, isSingleVoter: joint.isSingleVoter }, { isJoint: true, isSingleVoter: false })

  t.ok(trackerOf({ voters: [1], learners: [2, 3] }).isSingleVoter)
  t.notOk(trackerOf({ voters: [1, 2] }).isSingleVoter)
  t.notOk(trackerOf({ voters: [1], votersOutgoing: [1, 2] }).isSingleVoter, 'the other half has a say')
})

t.test('a membership without the progress of its members is a bug', async t => {
  const tracker = new Tracker()

  t.throws(() => { tracker.use({ ...emptyMembership, voters: { incoming: [1], outgoing: [] } }, new Map()) }, RaftInvariantError)
  t.throws(() => { tracker.use({ ...emptyMembership, learners: [1] }, new Map()) }, RaftInvariantError)
})
