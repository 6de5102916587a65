import t from 'tap'
import { createLonePeer, run } from './lone-peer.ts'
import type { LonePeer } from './lone-peer.ts'
import type { Index, Message, NodeId, Term } from '../core/types.ts'

/** What the paper says of replication and commitment, sentence by sentence (paper §5.3, §5.4.2). */

const data = new TextEncoder().encode('some data')

/** Peer 1, elected, with its first entry committed and everyone at it. */
function leading (voters: readonly NodeId[] = [1, 2, 3], log: readonly Term[] = []): LonePeer {
  const peer = createLonePeer({ voters, log })
  peer.lead()
  for (const from of voters) if (from !== 1) acknowledge(peer, from, peer.core.status().lastIndex)
  return peer
}

function acknowledge (peer: LonePeer, from: NodeId, index: Index): readonly Message[] {
  return peer.step('MsgAppResp', { from, term: peer.core.status().term, index })
}

function propose (peer: LonePeer): readonly Message[] {
  peer.core.propose([{ type: 'EntryNormal', data }])
  return peer.work()
}

t.test('a leader appends a command to its log and sends it to everyone at once, with the entry before it (5.3)', async t => {
  const peer = leading()
  const before = peer.core.status()
  const sent = propose(peer)

  t.match(peer.core.status(), { commit: before.commit, lastIndex: before.lastIndex + 1 })
  const append = { type: 'MsgApp', term: 1, logTerm: 1, index: before.lastIndex, commit: before.commit, entries: [{ term: 1, index: before.lastIndex + 1, data }] }
  t.match(sent, [{ ...append, to: 2 }, { ...append, to: 3 }])
})

t.test('a replicated entry is committed, applied, and told with the next append (5.3)', async t => {
  const peer = leading()
  propose(peer)
  const sent = acknowledge(peer, 2, 2)

  t.equal(peer.core.status().commit, 2)
  t.match(peer.applied.at(-1), { index: 2, data })
  t.match(sent.filter(({ type }) => type === 'MsgApp').map(({ to, commit }) => [to, commit]), [[2, 2], [3, 2]])
})

t.test('an entry is committed when a majority holds it, and not before (5.3)', async t => {
  for (const [size, holders, isCommitted] of [
    [1, [], true], [3, [], false], [3, [2], true], [3, [2, 3], true],
    [5, [], false], [5, [2], false], [5, [2, 3], true], [5, [2, 3, 4], true], [5, [2, 3, 4, 5], true]
  ] as const) {
    const peer = leading(Array.from({ length: size }, (_, at) => at + 1))
    propose(peer)
    for (const from of holders) acknowledge(peer, from, 2)

    t.equal(peer.core.status().commit === 2, isCommitted, `${holders.length + 1} of ${size}`)
  }
})

t.test('with an entry all before it are committed, also those of earlier leaders (5.3)', async t => {
  for (const log of [[], [2], [1, 2], [1]] as const) {
    const peer = createLonePeer({ log, term: 2 })
    peer.lead()
    propose(peer)
    for (const from of [2, 3]) acknowledge(peer, from, log.length + 2)

    t.strictSame(peer.applied.map(({ index, term }) => [index, term]), [...log, 3, 3].map((term, at) => [at + 1, term]))
  }
})

t.test('a follower applies what it is told to be committed, in log order (5.3)', async t => {
  for (const [terms, commit] of [[[1], 1], [[1, 1], 2], [[1, 1], 1]] as const) {
    const peer = createLonePeer({ term: 1 })
    peer.step('MsgApp', { from: 2, term: 1, entries: run(1, ...terms), commit })

    t.equal(peer.core.status().commit, commit)
    t.strictSame(peer.applied.map(({ index }) => index), terms.slice(0, commit).map((_, at) => at + 1))
  }
})

t.test('a follower refuses an append unless it has the entry before it, and says where it may agree (5.3)', async t => {
  for (const [logTerm, index, answer] of [
    [0, 0, { index: 1, reject: false }],
    [1, 1, { index: 1, reject: false }],
    [2, 2, { index: 2, reject: false }],
    [1, 2, { index: 2, reject: true, rejectHint: 1, logTerm: 1 }],
    [3, 3, { index: 3, reject: true, rejectHint: 2, logTerm: 2 }]
  ] as const) {
    const peer = createLonePeer({ log: [1, 2], commit: 1 })

    t.match(peer.step('MsgApp', { from: 2, term: 3, logTerm, index }), [{ type: 'MsgAppResp', to: 2, term: 3, ...answer }], `after ${logTerm}/${index}`)
  }
})

t.test('a follower deletes what conflicts, with all behind it, and adds what is new (5.3)', async t => {
  for (const [index, logTerm, added, log, written] of [
    [2, 2, [3], [1, 2, 3], [3]],
    [1, 1, [3, 4], [1, 3, 4], [2, 3]],
    [0, 0, [1], [1, 2], []],
    [0, 0, [3], [3], [1]]
  ] as const) {
    const peer = createLonePeer({ log: [1, 2] })
    const writes: Index[] = []
    const append = peer.log.append.bind(peer.log)
    peer.log.append = entries => { writes.push(...entries.map(entry => entry.index)); append(entries) }
    peer.step('MsgApp', { from: 2, term: 4, logTerm, index, entries: run(index + 1, ...added) })

    t.strictSame(peer.terms(), log)
    t.strictSame(writes, written, 'and writes no more than that')
  }
})

t.test('a leader commits by counting only what is of its own term (5.4.2)', async t => {
  for (const [index, commit] of [[1, 0], [2, 0], [3, 3]] as const) {
    const peer = createLonePeer({ log: [1, 2] })
    peer.lead()
    propose(peer)
    acknowledge(peer, 2, index)

    t.equal(peer.core.status().commit, commit, `a majority holds ${index}`)
  }
})

t.test('commitment follows who holds what, the last entry of it being of the leader\'s term', async t => {
  // What each voter holds of a log with these terms; the leader, of term 3, holds all of it and its own empty entry behind.
  for (const [log, held, commit] of [
    [[1], [], 2],
    [[1, 2], [3], 3], [[1, 2], [2], 0],
    [[1, 2], [3, 3], 3], [[1, 2], [2, 3], 3], [[1, 2], [2, 2], 0],
    [[1, 2], [3, 0, 0], 0], [[1, 2], [3, 3, 0], 3], [[1, 2], [2, 2, 2], 0], [[1, 2], [3, 3, 3, 0], 3], [[1, 2], [3, 2, 2, 2], 0]
  ] as const) {
    const peer = createLonePeer({ log, term: 2, voters: [1, ...held.map((_, at) => at + 2)] })
    peer.lead()
    held.forEach((index, at) => { if (index > 0) acknowledge(peer, at + 2, index) })

    t.equal(peer.core.status().commit, commit, `${held.join(' ')} of ${log.join(' ')}`)
  }
})
