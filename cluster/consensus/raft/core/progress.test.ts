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
