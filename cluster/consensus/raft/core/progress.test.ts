import t from 'tap'
import { RaftInvariantError } from './assert.ts'
import { Inflights } from './inflights.ts'
import { Progress } from './progress.ts'

const create = (match: number, next: number, window = 2): Progress => {
  const progress = new Progress(2, next, false, new Inflights(window, Infinity))
  progress.match = match
  return progress
}

t.test('a probed peer is sent one append at a time', async t => {
  const peer = create(3, 8)

  peer.sentEntries(0, 0)
  t.notOk(peer.isPaused(), 'an empty one does not count')
  peer.sentEntries(2, 20)
  t.ok(peer.isPaused())
  t.equal(peer.next, 8, 'what it holds is not known yet')
})

t.test('a replicating peer is sent appends until the window is full', async t => {
  const peer = create(3, 4)
  peer.becomeReplicate()

  peer.sentEntries(2, 20)
  t.match(peer, { next: 6, paused: false })
  peer.sentEntries(1, 10)
  t.ok(peer.isPaused())
  t.equal(peer.next, 7)
})

t.test('what matches never falls', async t => {
  const peer = create(5, 9)

  t.notOk(peer.acknowledged(4))
  t.notOk(peer.acknowledged(5))
  t.match(peer, { match: 5, next: 9 })
  t.ok(peer.acknowledged(9))
  t.match(peer, { match: 9, next: 10 })
})

t.test('refusals: a stale one is ignored, a true one lowers next, never to what matches', async t => {
  const replicating = create(5, 10)
  replicating.becomeReplicate()
  replicating.next = 10
  t.notOk(replicating.refused(5, 5), 'it holds 5')
  t.ok(replicating.refused(9, 2))
  t.equal(replicating.next, 6)

  const probed = create(0, 10)
  t.notOk(probed.refused(7, 7), 'not what was probed')
  t.ok(probed.refused(9, 4))
  t.equal(probed.next, 5)
  t.ok(probed.refused(4, 9), 'a hint beyond the refused index brings it no further')
  t.equal(probed.next, 4)
})

t.test('after a snapshot the next probe starts behind it, or where it stood if it failed', async t => {
  const arrived = create(3, 8)
  arrived.becomeSnapshot(20)
  t.ok(arrived.isPaused())
  t.throws(() => { arrived.sentEntries(1, 1) }, RaftInvariantError)
  arrived.becomeProbe()
  t.equal(arrived.next, 21)

  const failed = create(3, 8)
  failed.becomeSnapshot(20)
  failed.pendingSnapshot = 0
  failed.becomeProbe()
  t.equal(failed.next, 4)
})

t.test('a commit index is worth telling once, and only as far as the peer can follow', async t => {
  const peer = create(3, 6)

  t.ok(peer.canBumpCommit(4))
  peer.sentCommit(4)
  t.notOk(peer.canBumpCommit(4))
  t.ok(peer.canBumpCommit(9))
  peer.sentCommit(5)
  t.notOk(peer.canBumpCommit(9), 'it has nothing beyond 5 to commit')
})

t.test('a commit index whose message was lost, or went too far, is worth telling again', async t => {
  const lost = create(3, 4, 9)
  lost.becomeReplicate()
  lost.sentEntries(4, 40)
  lost.sentCommit(7)
  lost.becomeProbe()
  lost.becomeReplicate()
  lost.sentEntries(4, 40)
  t.ok(lost.canBumpCommit(5))

  const refusing = create(3, 9, 9)
  refusing.sentCommit(8)
  t.ok(refusing.refused(8, 5))
  refusing.sentEntries(0, 0)
  t.notOk(refusing.canBumpCommit(4), 'not beyond what was probed')
  refusing.acknowledged(8)
  t.ok(refusing.canBumpCommit(6))
})

t.test('a new leadership knows nothing of its peers', async t => {
  const peer = create(3, 6)
  peer.recentActive = true
  peer.sentCommit(5)
  peer.becomeReplicate()
  peer.sentEntries(1, 1)
  peer.sentEntries(1, 1)

  peer.restart(0, 8)

  t.match(peer, { state: 'probe', match: 0, next: 8, recentActive: false, paused: false, inflights: { count: 0 } })
  t.ok(peer.canBumpCommit(4))
})

t.test('a copy for a trial shares only the window', async t => {
  const peer = create(3, 6)
  const copy = peer.withSharedWindow()

  copy.isLearner = true
  copy.acknowledged(9)

  t.match(peer, { match: 3, isLearner: false })
  t.equal(copy.inflights, peer.inflights)
})

t.test('a copy for a trial has all that is known of the peer', async t => {
  const peer = create(3, 6)
  peer.recentActive = true
  peer.becomeSnapshot(9)
  peer.paused = true

  const copy = peer.withSharedWindow()

  t.match(copy, { id: 2, state: 'snapshot', match: 3, next: 10, pendingSnapshot: 9, paused: true, recentActive: true, isLearner: false })
  copy.becomeProbe()
  t.notOk(copy.canBumpCommit(12), 'it has been told')
  copy.acknowledged(20)
  t.notOk(copy.canBumpCommit(9))
  t.ok(copy.canBumpCommit(10))
})

t.test('each change of state begins with an open way, an empty window, and the next entry it implies', async t => {
  for (const [what, enter, expected] of [
    ['probe', (peer: Progress) => { peer.becomeProbe() }, { state: 'probe', next: 4 }],
    ['replicate', (peer: Progress) => { peer.becomeReplicate() }, { state: 'replicate', next: 4 }],
    ['snapshot', (peer: Progress) => { peer.becomeSnapshot(10) }, { state: 'snapshot', next: 11, pendingSnapshot: 10 }]
  ] as const) {
    const peer = create(3, 4, 1)
    peer.becomeReplicate()
    peer.sentEntries(3, 30)
    t.ok(peer.isPaused())
    enter(peer)

    t.match(peer, { match: 3, paused: false, inflights: { count: 0 }, ...expected }, what)
  }
})

t.test('what holds a peer back: a probe on its way, a full window, a snapshot', async t => {
  for (const [state, paused, isPaused] of [
    ['probe', false, false], ['probe', true, true], ['replicate', false, false], ['replicate', true, true], ['snapshot', false, true], ['snapshot', true, true]
  ] as const) {
    const peer = create(3, 4)
    peer.state = state
    peer.paused = paused

    t.equal(peer.isPaused(), isPaused, `${state}, ${paused ? 'paused' : 'open'}`)
  }
})

t.test('news of what it holds, or a refusal, opens the way again', async t => {
  const acknowledging = create(2, 2 + 1)
  acknowledging.sentEntries(1, 1)
  t.ok(acknowledging.isPaused())
  acknowledging.acknowledged(3)
  t.notOk(acknowledging.isPaused())

  const refusing = create(1, 4)
  refusing.sentEntries(1, 1)
  refusing.refused(3, 1)
  t.notOk(refusing.isPaused())
})

t.test('acknowledgements against every place they can fall', async t => {
  for (const [index, match, next, isNews] of [[2, 3, 5, false], [3, 3, 5, false], [4, 4, 5, true], [5, 5, 6, true], [7, 7, 8, true]] as const) {
    const peer = create(3, 5)

    t.equal(peer.acknowledged(index), isNews, `${index}`)
    t.match(peer, { match, next })
  }
})

t.test('refusals against every place they can fall', async t => {
  for (const [state, match, next, rejected, hint, isTaken, after] of [
    ['replicate', 5, 10, 5, 5, false, 10], ['replicate', 5, 10, 4, 4, false, 10], ['replicate', 5, 10, 9, 9, true, 6],
    ['probe', 0, 0 + 1, 3, 3, false, 1], ['probe', 0, 10, 5, 5, false, 10], ['probe', 0, 10, 9, 9, true, 9],
    ['probe', 0, 2, 1, 1, true, 1], ['probe', 0, 1, 0, 0, true, 1], ['probe', 0, 10, 9, 2, true, 3], ['probe', 0, 10, 9, 0, true, 1]
  ] as const) {
    const peer = create(match, next)
    peer.state = state

    t.equal(peer.refused(rejected, hint), isTaken, `${state} ${match}/${next}, refused ${rejected}, hint ${hint}`)
    t.equal(peer.next, after)
  }
})
