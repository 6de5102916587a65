import t from 'tap'
import { message } from '../core/message.ts'
import { createLonePeer, run } from './lone-peer.ts'
import type { LonePeer, LonePeerOptions } from './lone-peer.ts'
import type { Message, Role } from '../core/types.ts'

const roles: readonly Role[] = ['follower', 'pre-candidate', 'candidate', 'leader']

/** In term 1 whatever it is, with one entry of that term in its log. */
function peerIn (role: Role, options: LonePeerOptions = {}): LonePeer {
  const preVote = role === 'pre-candidate'
  const peer = createLonePeer({ log: [1], term: role === 'candidate' || role === 'leader' ? 1 : 2, ...options, core: { preVote, ...options.core } })
  if (role === 'leader') peer.lead()
  else if (role !== 'follower') peer.core.campaign()
  peer.work()
  t.match(peer.core.status(), { role, term: 2 })
  return peer
}

t.test('a vote in a later term is given from any role, and makes its giver a follower of nobody', async t => {
  for (const role of roles) {
    const peer = peerIn(role)
    const sent = peer.step('MsgVote', { from: 2, term: 3, logTerm: 3, index: 42 })

    t.match(sent.at(-1), { type: 'MsgVoteResp', to: 2, term: 3, reject: false }, role)
    t.match(peer.core.status(), { role: 'follower', term: 3, vote: 2, lead: 0 })
  }
})

t.test('a pre-vote for a later term is granted from any role, and changes nothing', async t => {
  for (const role of roles) {
    const peer = peerIn(role)
    const { vote } = peer.core.status()
    const sent = peer.step('MsgPreVote', { from: 2, term: 3, logTerm: 3, index: 42 })

    t.match(sent.at(-1), { type: 'MsgPreVoteResp', to: 2, term: 3, reject: false }, role)
    t.match(peer.core.status(), { role, term: 2, vote })
  }
})

t.test('a vote depends on the log, on the vote given before, and on the role', async t => {
  // The log of whoever is asked has the entries 2/1 and 2/2.
  for (const [role, logTerm, index, vote, reject] of [
    ['follower', 0, 0, 0, true], ['follower', 0, 1, 0, true], ['follower', 0, 2, 0, true], ['follower', 0, 3, 0, true],
    ['follower', 1, 0, 0, true], ['follower', 1, 1, 0, true], ['follower', 1, 2, 0, true], ['follower', 1, 3, 0, true],
    ['follower', 2, 0, 0, true], ['follower', 2, 1, 0, true], ['follower', 2, 2, 0, false], ['follower', 2, 3, 0, false],
    ['follower', 3, 0, 0, false], ['follower', 3, 1, 0, false], ['follower', 3, 2, 0, false], ['follower', 3, 3, 0, false],
    ['follower', 3, 2, 2, false], ['follower', 3, 2, 1, true],
    ['leader', 3, 3, 1, true], ['pre-candidate', 3, 3, 1, true], ['candidate', 3, 3, 1, true]
  ] as const) {
    const preVote = role === 'pre-candidate'
    const raises = role === 'leader' || role === 'candidate'
    const peer = createLonePeer({ log: [2, 2], term: raises ? 2 : 3, vote: raises ? 0 : vote, core: { preVote } })
    if (role === 'leader') peer.lead()
    else if (role !== 'follower') peer.core.campaign()
    peer.work()

    t.match(peer.step('MsgVote', { from: 2, term: 3, logTerm, index }), [{ type: 'MsgVoteResp', to: 2, term: 3, reject }], `${role}, ${logTerm}/${index}, vote ${vote}`)
  }
})

t.test('a pre-vote depends on the log alone, as long as it asks about a later term', async t => {
  for (const [logTerm, index, reject] of [[1, 9, true], [2, 1, true], [2, 2, false], [2, 3, false], [3, 0, false]] as const) {
    const peer = createLonePeer({ log: [2, 2], term: 2, vote: 3 })

    t.match(peer.step('MsgPreVote', { from: 2, term: 3, logTerm, index }), [{ type: 'MsgPreVoteResp', to: 2, reject }], `${logTerm}/${index}`)
  }
})

t.test('a learner that is asked votes: it may be a voter without knowing it', async t => {
  const peer = createLonePeer({ voters: [2], learners: [1] })

  t.match(peer.step('MsgVote', { from: 2, term: 2, logTerm: 11, index: 11 }), [{ type: 'MsgVoteResp', reject: false }])
})

t.test('who hears of a later term leaves its role, whatever says so: as the speaker\'s follower if it leads', async t => {
  for (const role of roles) {
    for (const [type, lead] of [['MsgVote', 0], ['MsgApp', 2], ['MsgHeartbeat', 2]] as const) {
      const peer = peerIn(role)
      const { lastIndex } = peer.core.status()
      peer.step(type, { from: 2, term: 3, logTerm: type === 'MsgVote' ? 3 : 0 })

      t.match(peer.core.status(), { role: 'follower', term: 3, lead }, `${role}, ${type}`)
      t.equal(peer.core.status().lastIndex, lastIndex)
    }
  }
})

t.test('what is of an earlier term reaches no role', async t => {
  for (const role of roles) {
    const peer = peerIn(role)
    const { lastIndex, lead } = peer.core.status()
    peer.step('MsgApp', { from: 2, term: 1, logTerm: 1, index: 1, entries: run(2, 1), commit: 2 })

    t.match(peer.core.status(), { role, term: 2, lastIndex, lead, commit: 0 }, role)
  }
})

/** A candidate whose storage has been handed its vote for itself and has not answered. */
function waiting (preVote: boolean): { readonly peer: LonePeer, readonly own: readonly Message[] } {
  const peer = createLonePeer({ term: 1, core: { asyncStorageWrites: true, preVote } })
  peer.core.campaign()
  const write = peer.core.ready().messages.find(({ type }) => type === 'MsgStorageAppend')
  const hard = peer.core.status()
  peer.log.setHardState({ term: hard.term, vote: hard.vote, commit: hard.commit })
  return { peer, own: (write?.responses ?? []).filter(({ to }) => to === 1) }
}

t.test('a vote for oneself that storage confirms after the election was lost elects nobody', async t => {
  for (const preVote of [false, true]) {
    const { peer, own } = waiting(preVote)
    const { term } = peer.core.status()
    t.match(own, [{ type: preVote ? 'MsgPreVoteResp' : 'MsgVoteResp' }])
    for (const from of [2, 3]) peer.core.step(message(preVote ? 'MsgPreVoteResp' : 'MsgVoteResp', { from, term, reject: true }))
    t.equal(peer.core.status().role, 'follower')
    for (const m of own) peer.core.step(m)

    t.match(peer.core.status(), { role: 'follower', term })
  }
})

t.test('a vote for oneself as pre-candidate does not count for the candidate it has become meanwhile', async t => {
  const { peer, own } = waiting(true)
  for (const from of [2, 3]) peer.core.step(message('MsgPreVoteResp', { from, term: 2 }))
  t.equal(peer.core.status().role, 'candidate')
  for (const m of own) peer.core.step(m)
  t.equal(peer.core.status().role, 'candidate')
  peer.core.step(message('MsgVoteResp', { from: 2, term: 2 }))
  t.equal(peer.core.status().role, 'candidate', 'one of three: its own vote is not durable')

  const write = peer.core.ready().messages.find(({ type }) => type === 'MsgStorageAppend')
  for (const m of write?.responses ?? []) if (m.to === 1) peer.core.step(m)
  t.equal(peer.core.status().role, 'leader')
})

t.test('a leader\'s own copy that is confirmed in a later term counts for nothing', async t => {
  const peer = createLonePeer({ voters: [1, 2, 3], core: { asyncStorageWrites: true } })
  peer.core.campaign()
  const elected = peer.core.ready().messages.find(({ type }) => type === 'MsgStorageAppend')
  peer.log.setHardState({ term: 1, vote: 1, commit: 0 })
  for (const m of elected?.responses ?? []) if (m.to === 1) peer.core.step(m)
  peer.core.step(message('MsgVoteResp', { from: 2, term: 1 }))
  t.equal(peer.core.status().role, 'leader')
  const write = peer.core.ready().messages.find(({ type }) => type === 'MsgStorageAppend')

  peer.core.step(message('MsgApp', { from: 3, term: 2, entries: run(1, 2) }))
  t.match(peer.core.status(), { role: 'follower', term: 2, lastIndex: 1 })
  for (const m of write?.responses ?? []) if (m.to === 1) peer.core.step(m)

  t.match(peer.core.status(), { role: 'follower', term: 2, lead: 3, commit: 0, unstableEntries: 1 })
})
