import t from 'tap'
import { createLonePeer } from './lone-peer.ts'
import type { LonePeer } from './lone-peer.ts'
import type { Message, ProgressStatus } from '../core/types.ts'

const data = new Uint8Array(8)
const appendsTo = (messages: readonly Message[], peer: number): readonly Message[] => messages.filter(({ type, to }) => type === 'MsgApp' && to === peer)
const progress = (peer: LonePeer, of: number): ProgressStatus => peer.core.status().progress.find(({ id }) => id === of) as ProgressStatus

function propose (peer: LonePeer, count = 1): readonly Message[] {
  for (let at = 0; at < count; at++) peer.core.propose([{ type: 'EntryNormal', data }])
  return peer.work()
}

t.test('a leader\'s own progress follows its storage', async t => {
  const peer = createLonePeer({ voters: [1, 2] })
  peer.lead()
  for (let at = 0; at < 5; at++) {
    peer.core.propose([{ type: 'EntryNormal', data }])
    t.match(progress(peer, 1), { match: at + 1 }, 'not durable yet')
    peer.work()

    t.match(progress(peer, 1), { state: 'replicate', match: at + 2, next: at + 3 })
  }
})

t.test('a new leader probes everyone, with one append at a time; who answers is sent on without waiting', async t => {
  const peer = createLonePeer({ voters: [1, 2, 3] })
  peer.lead()
  t.strictSame(appendsTo(propose(peer), 2), [], 'the first one is on its way')
  t.match(appendsTo(peer.step('MsgAppResp', { from: 2, term: 1, index: 1 }), 2).map(({ index, entries }) => [index, entries.length]), [[1, 1]])
  t.equal(appendsTo(propose(peer), 2).length, 1)
  t.equal(appendsTo(propose(peer), 2).length, 1)
  t.strictSame(appendsTo(propose(peer), 3), [], 'the other one has not answered')

  t.match(appendsTo(peer.step('MsgAppResp', { from: 3, term: 1, index: 1 }), 3).map(({ index, entries }) => [index, entries.length]), [[1, 4]], 'and is sent all of it')
})

t.test('an entry that others commit meanwhile does not free a probe that was not answered', async t => {
  const peer = createLonePeer()
  peer.lead()
  peer.step('MsgAppResp', { from: 2, term: 1, index: 1 })
  t.equal(peer.core.status().commit, 1)
  const sent = propose(peer)
  t.strictSame([appendsTo(sent, 2).length, appendsTo(sent, 3).length], [1, 0])

  const freed = appendsTo(peer.step('MsgAppResp', { from: 3, term: 1, index: 1 }), 3)
  t.match(freed, [{ index: 1, entries: [{ index: 2 }] }])
})

t.test('the window moves with what is acknowledged, each acknowledgement freeing all before it', async t => {
  const peer = createLonePeer({ voters: [1, 2], core: { limits: { inflightMessagesMax: 8 } } })
  peer.lead()
  peer.step('MsgAppResp', { from: 2, term: 1, index: 1 })
  for (let at = 0; at < 8; at++) propose(peer)
  t.match(progress(peer, 2), { inflightMessages: 8, inflightFull: true })
  for (let acknowledged = 3; acknowledged <= 9; acknowledged++) {
    peer.step('MsgAppResp', { from: 2, term: 1, index: acknowledged })
    const room = !progress(peer, 2).inflightFull
    while (!progress(peer, 2).inflightFull) t.equal(appendsTo(propose(peer), 2).length, 1)
    for (let old = 0; old < acknowledged; old++) peer.step('MsgAppResp', { from: 2, term: 1, index: old })

    t.ok(room, `${acknowledged} makes room`)
    t.ok(progress(peer, 2).inflightFull, 'older ones do not')
  }
})

t.test('of a full window each heartbeat that is answered frees one empty append', async t => {
  const peer = createLonePeer({ voters: [1, 2], core: { limits: { inflightMessagesMax: 4 } } })
  peer.lead()
  peer.step('MsgAppResp', { from: 2, term: 1, index: 1 })
  for (let at = 0; at < 6; at++) propose(peer)
  t.strictSame(appendsTo(propose(peer), 2), [])
  for (let beats = 0; beats < 3; beats++) {
    t.match(appendsTo(peer.step('MsgHeartbeatResp', { from: 2, term: 1 }), 2), [{ entries: [] }])
    t.strictSame(appendsTo(propose(peer), 2), [])
  }
})

t.test('after its probe a peer is sent what the window holds, in appends of their bound', async t => {
  const peer = createLonePeer({ voters: [1, 2], core: { limits: { inflightMessagesMax: 3, messageBytesMax: 2_048 } } })
  peer.lead()
  for (let at = 0; at < 10; at++) peer.core.propose([{ type: 'EntryNormal', data: new Uint8Array(1_000) }])
  t.strictSame(appendsTo(peer.work(), 2), [], 'the probe is on its way')

  const sent = appendsTo(peer.step('MsgAppResp', { from: 2, term: 1, index: 1 }), 2).filter(({ entries }) => entries.length > 0)
  t.strictSame(sent.map(({ entries }) => entries.map(({ index }) => index)), [[2, 3], [4, 5], [6, 7]])
  const rest = appendsTo(peer.step('MsgAppResp', { from: 2, term: 1, index: 7 }), 2).filter(({ entries }) => entries.length > 0)
  t.strictSame(rest.map(({ entries }) => entries.map(({ index }) => index)), [[8, 9], [10, 11]])
})

t.test('an answer to an append moves what is known of its sender as far as it says', async t => {
  // 2 has been sent the entries 1 to 3, the first of them as a probe.
  for (const [index, reject, match, next, sent] of [
    [3, true, 0, 1, 0], // not what was probed
    [0, true, 0, 1, 1],
    [1, false, 1, 4, 1],
    [3, false, 3, 4, 1],
    [9, false, 0, 1, 0] // more than there is
  ] as const) {
    const peer = createLonePeer({ voters: [1, 2, 3] })
    peer.lead()
    propose(peer, 2)
    const messages = peer.step('MsgAppResp', { from: 2, term: 1, index, reject })

    t.match(progress(peer, 2), { match, next }, `${reject ? 'refused' : 'acknowledged'} ${index}`)
    t.equal(appendsTo(messages, 2).length, sent)
  }
})

t.test('a heartbeat tells what is committed, as far as its receiver is known to hold it, and never takes it back', async t => {
  const leader = createLonePeer()
  leader.lead()
  propose(leader, 3)
  leader.step('MsgAppResp', { from: 2, term: 1, index: 4 })
  leader.core.tick()
  t.match(leader.work().map(({ type, to, commit, entries }) => [type, to, commit, entries.length]), [['MsgHeartbeat', 2, 4, 0], ['MsgHeartbeat', 3, 0, 0]])

  for (const [commit, expected] of [[3, 3], [1, 2]] as const) {
    const follower = createLonePeer({ log: [1, 2, 3], commit: 2, term: 3 })
    t.match(follower.step('MsgHeartbeat', { from: 2, term: 3, commit }), [{ type: 'MsgHeartbeatResp', to: 2 }])
    t.equal(follower.core.status().commit, expected)
  }
})

t.test('an answered heartbeat asks for what is missing until it is acknowledged', async t => {
  const peer = createLonePeer({ voters: [1, 2], log: [1, 1] })
  peer.lead()
  for (let beats = 0; beats < 2; beats++) {
    t.match(appendsTo(peer.step('MsgHeartbeatResp', { from: 2, term: 2 }), 2), [{ index: 2, entries: [{ index: 3 }] }])
  }
  peer.step('MsgAppResp', { from: 2, term: 2, index: 3 })

  t.strictSame(peer.step('MsgHeartbeatResp', { from: 2, term: 2 }), [])
})

t.test('only a leader sends heartbeats', async t => {
  for (const [role, sent] of [['follower', 0], ['candidate', 0], ['leader', 2]] as const) {
    const peer = createLonePeer()
    if (role === 'leader') peer.lead()
    if (role === 'candidate') peer.core.campaign()
    peer.work()
    peer.core.tick()

    t.equal(peer.work().filter(({ type }) => type === 'MsgHeartbeat').length, sent, role)
  }
})

t.test('appends that overtake each other are put right with one refusal for each', async t => {
  const leader = createLonePeer({ voters: [1, 2] })
  const follower = createLonePeer({ voters: [1, 2] })
  leader.lead()
  leader.step('MsgAppResp', { from: 2, term: 1, index: 1 })
  follower.step('MsgApp', { from: 2, term: 1, entries: [{ term: 1, index: 1, type: 'EntryNormal', data: new Uint8Array(0) }] })
  const [second, third] = [appendsTo(propose(leader), 2)[0], appendsTo(propose(leader), 2)[0]] as const
  const answers = [third, second].flatMap(append => follower.step('MsgApp', { ...append, to: 1, from: 2 }))
  t.match(answers.map(({ index, reject }) => [index, reject]), [[2, true], [2, false]])
  const again = answers.map(answer => leader.step('MsgAppResp', { ...answer, to: 1, from: 2 })).flat()
  for (const append of appendsTo(again, 2)) follower.step('MsgApp', { ...append, to: 1, from: 2 })

  t.equal(follower.core.status().lastIndex, 3)
})
