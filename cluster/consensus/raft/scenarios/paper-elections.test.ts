import t from 'tap'
import { createPrng } from '../core/prng.ts'
import { createLonePeer, electionTicks, run } from './lone-peer.ts'
import type { LonePeer } from './lone-peer.ts'
import type { Message, Role } from '../core/types.ts'

/** What the paper and the thesis say of elections, sentence by sentence (paper §5.1, §5.2, §5.4.1). */

const asksForVotes = (messages: readonly Message[]): ReadonlyArray<readonly [number, number]> =>
  messages.filter(({ type }) => type === 'MsgVote').map(({ to, term }) => [to, term])

function tick (peer: LonePeer, ticks: number): readonly Message[] {
  for (let passed = 0; passed < ticks; passed++) peer.core.tick()
  return peer.work()
}

t.test('a peer begins as a follower (5.2)', async t => {
  t.match(createLonePeer().core.status(), { role: 'follower', lead: 0, term: 0 })
})

t.test('a leader tells everyone that it lives before they could miss it (5.2)', async t => {
  const peer = createLonePeer()
  peer.lead()

  for (let passed = 1; passed < electionTicks; passed++) {
    t.strictSame(tick(peer, 1).map(({ type, to, term }) => [type, to, term]), [['MsgHeartbeat', 2, 1], ['MsgHeartbeat', 3, 1]])
  }
})

for (const from of ['follower', 'candidate'] as const) {
  t.test(`after silence a ${from} stands in the next term, votes for itself and asks everyone else (5.2)`, async t => {
    const peer = createLonePeer({ term: 1, core: { random: createPrng(3) } })
    if (from === 'candidate') peer.core.campaign()
    peer.work()
    const { term } = peer.core.status()
    const sent = tick(peer, 2 * electionTicks - 1)

    t.match(peer.core.status(), { role: 'candidate', term: term + 1, vote: 1 })
    t.strictSame(asksForVotes(sent), [[2, term + 1], [3, term + 1]])
  })
}

t.test('one round of answers decides: a majority of grants elects, one of refusals ends it, else it is open (5.2)', async t => {
  const ids = (size: number): readonly number[] => Array.from({ length: size }, (_, at) => at + 1)
  for (const [size, grants, refusals, role] of [
    [1, [], [], 'leader'], [3, [2, 3], [], 'leader'], [3, [2], [], 'leader'],
    [5, [2, 3, 4, 5], [], 'leader'], [5, [2, 3, 4], [], 'leader'], [5, [2, 3], [], 'leader'],
    [3, [], [2, 3], 'follower'], [5, [], [2, 3, 4, 5], 'follower'], [5, [2], [3, 4, 5], 'follower'],
    [3, [], [], 'candidate'], [5, [2], [], 'candidate'], [5, [], [2, 3], 'candidate'], [5, [], [], 'candidate']
  ] as const) {
    const peer = createLonePeer({ voters: ids(size) })
    peer.core.campaign()
    peer.work()
    for (const from of grants) peer.step('MsgVoteResp', { from, term: 1 })
    for (const from of refusals) peer.step('MsgVoteResp', { from, term: 1, reject: true })

    t.match(peer.core.status(), { role: role satisfies Role, term: 1 }, `${size}: ${grants.length} for, ${refusals.length} against`)
  }
})

t.test('one vote a term, to whoever asks first, and again to the same one (5.2)', async t => {
  for (const [vote, from, reject] of [[0, 2, false], [0, 3, false], [2, 2, false], [3, 3, false], [2, 3, true], [3, 2, true]] as const) {
    const peer = createLonePeer({ term: 1, vote })

    t.match(peer.step('MsgVote', { from, term: 1 }), [{ type: 'MsgVoteResp', to: from, term: 1, reject }], `voted ${vote}, asked by ${from}`)
  }
})

t.test('a candidate that hears a leader of its term or later follows it (5.2)', async t => {
  for (const term of [1, 2]) {
    const peer = createLonePeer()
    peer.core.campaign()
    peer.work()
    peer.step('MsgApp', { from: 2, term })

    t.match(peer.core.status(), { role: 'follower', term, lead: 2 })
  }
})

for (const role of ['follower', 'candidate'] as const) {
  t.test(`the timeout of a ${role} takes every value from one to less than two election timeouts (5.2)`, async t => {
    const random = createPrng(role === 'follower' ? 5 : 6)
    const seen = new Set<number>()
    for (let times = 0; times < 50 * electionTicks; times++) {
      const peer = createLonePeer({ core: { random } })
      if (role === 'candidate') peer.core.campaign()
      peer.work()
      const began = peer.core.status().term
      let waited = 0
      for (; peer.core.status().term === began; waited++) tick(peer, 1)
      seen.add(waited)
    }

    t.strictSame([...seen].sort((a, b) => a - b), Array.from({ length: electionTicks }, (_, at) => electionTicks + at))
  })

  t.test(`of five ${role}s most often one alone times out first (5.2)`, async t => {
    const random = createPrng(role === 'follower' ? 7 : 8)
    const rounds = 1_000
    let conflicts = 0
    for (let round = 0; round < rounds; round++) {
      const timeouts = Array.from({ length: 5 }, () => {
        const peer = createLonePeer({ voters: [1, 2, 3, 4, 5], core: { random } })
        if (role === 'candidate') peer.core.campaign()
        return peer.core.status().randomizedElectionTicks
      }).sort((a, b) => a - b)
      if (timeouts[0] === timeouts[1]) conflicts++
    }

    t.ok(conflicts / rounds < 0.45, `${conflicts} of ${rounds}; five draws from ten collide at the least in a good third`)
  })
}

t.test('each tick more makes it as much more likely that the timeout has passed', async t => {
  const random = createPrng(9)
  const draws = 20_000
  const timeouts = Array.from({ length: draws }, () => createLonePeer({ voters: [1], core: { random } }).core.status().randomizedElectionTicks)
  for (const [elapsed, share] of [[5, 0], [9, 0], [10, 0.1], [13, 0.4], [15, 0.6], [18, 0.9], [19, 1], [20, 1]] as const) {
    const passed = timeouts.filter(ticks => elapsed >= ticks).length / draws

    t.ok(Math.abs(passed - share) < 0.02, `after ${elapsed} ticks: ${passed}`)
  }
})

t.test('a request for a vote names the last entry of the candidate\'s log (5.4.1)', async t => {
  for (const [log, term] of [[[1], 2], [[1, 2], 3]] as const) {
    const peer = createLonePeer({ term: term - 1, log: [] })
    peer.step('MsgApp', { from: 2, term: term - 1, entries: run(1, ...log) })
    const sent = tick(peer, 2 * electionTicks)

    t.match(sent, [2, 3].map(to => ({ type: 'MsgVote', to, term, index: log.length, logTerm: log.at(-1) })))
  }
})

t.test('who has the more up-to-date log denies its vote: the later last term, then the longer log (5.4.1)', async t => {
  for (const [log, logTerm, index, reject] of [
    [[1], 1, 1, false], [[1], 1, 2, false], [[1, 1], 1, 1, true],
    [[1], 2, 1, false], [[1], 2, 2, false], [[1, 1], 2, 1, false],
    [[2], 1, 1, true], [[2], 1, 2, true], [[2, 1].sort((a, b) => a - b), 1, 1, true]
  ] as const) {
    const peer = createLonePeer({ log })

    t.match(peer.step('MsgVote', { from: 2, term: 3, logTerm, index }), [{ type: 'MsgVoteResp', term: 3, reject }], `${log.join(' ')} asked with ${logTerm}/${index}`)
  }
})
