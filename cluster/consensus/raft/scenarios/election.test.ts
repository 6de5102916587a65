import t from 'tap'
import { createGroup } from './group.ts'
import { message } from '../core/message.ts'
import { termMax } from '../core/limits.ts'
import type { Role } from '../core/types.ts'

const safe = { preVote: true, checkQuorum: true }

t.test('EL-01 a vote that was granted is still given after a crash; one that was lost was never told', async t => {
  const told = createGroup()
  told.step(1, 'MsgVote', { from: 2, term: 5 })
  told.peer(1).crash()
  told.peer(1).start()
  told.waiting.length = 0
  told.step(1, 'MsgVote', { from: 3, term: 5 })

  t.match(told.take('MsgVoteResp'), [{ to: 3, term: 5, reject: true }])

  const lost = createGroup()
  lost.peer(1).receive(message('MsgVote', { from: 2, to: 1, term: 5 }))
  lost.peer(1).crash()
  lost.peer(1).start()
  t.equal(lost.take('MsgVoteResp').length, 0)
  lost.step(1, 'MsgVote', { from: 3, term: 5 })

  t.match(lost.take('MsgVoteResp'), [{ to: 3, term: 5, reject: false }])
})

t.test('EL-02 term and vote are one record: no crash leaves the new term with the old vote', async t => {
  const group = createGroup({ terms: { 1: 4 } })
  group.step(1, 'MsgVote', { from: 2, term: 5 })

  t.strictSame(group.peer(1).disk.durable.hard, { term: 5, vote: 2, commit: 0 })
})

for (const voters of [3, 5]) {
  t.test(`EL-03 with ${voters} voters an entry of an older term commits only under one of the current term (Figure 8)`, async t => {
    const minority = Array.from({ length: (voters - 1) / 2 - 1 }, (_, at) => at + 2)
    const logs = Object.fromEntries([1, ...minority].map(id => [id, [1, 2]]))
    for (let id = 1; id <= voters; id++) logs[id] ??= [1]
    const group = createGroup({ voters, logs, terms: { 1: 3 }, settings: { messageBytesMax: 0 } })
    // The new entry of term 4 gets nowhere; the old one of term 2 reaches everybody.
    group.drop = ({ type, to, entries }) => type === 'MsgApp' && group.terms(to).length >= 2 && entries.some(({ term }) => term === 4)
    group.campaign(1)
    group.pass(3)
    t.ok(group.ids.every(id => group.terms(id)[1] === 2))
    t.equal(group.status(1).commit, 0, 'not by counting')

    group.drop = () => false
    group.pass(3)

    t.equal(group.status(1).commit, 3)
  })
}

t.test('EL-04 with pre-vote an isolated peer comes back and changes neither leader nor term', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  const { term } = group.status(1)
  group.cut(3)
  group.pass(60)
  t.equal(group.status(3).term, term, 'alone it raises no term')

  group.heal()
  group.propose(1)
  group.pass(5)

  t.match(group.status(1), { role: 'leader', term })
  t.match(group.status(3), { lead: 1, term, commit: group.status(1).commit })
})

t.test('EL-05 without pre-vote a peer that came back with a higher term is freed by one election at most', async t => {
  const group = createGroup({ settings: { ...safe, preVote: false } })
  group.campaign(1)
  group.cut(3)
  group.pass(80)
  t.ok(group.status(3).term > group.status(1).term)

  group.heal()
  const elections = group.spec.elections
  group.pass(60)

  t.ok(group.spec.elections - elections <= 1, 'one more election')
  t.equal(group.status(3).term, group.status(group.leader() as number).term)
})

t.test('EL-06 a mesh with holes keeps one leader (4 hears only 2, 5 hears only 3)', async t => {
  const group = createGroup({ voters: 5, settings: safe })
  group.drop = ({ from, to }) => [[4, 2], [5, 3]].some(([lonely, friend]) => (from === lonely && to !== friend) || (to === lonely && from !== friend))
  group.pass(30)
  const leader = group.leader()
  t.ok(leader !== undefined && leader <= 3)

  const before = group.spec.elections
  group.pass(600)

  t.ok(group.spec.elections - before <= 2, 'at most two changes of leader in sixty election timeouts')
  t.not(group.propose(group.leader() as number).kind, 'dropped')
})

t.test('EL-07 a leader that can send but not hear steps down, and another leads', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.drop = ({ to }) => to === 1
  group.pass(80)

  t.not(group.status(1).role, 'leader')
  const leader = group.leader()
  t.ok(leader === 2 || leader === 3)
})

t.test('EL-07 a leader that can hear but not send is replaced and commits nothing more', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  const { commit } = group.status(1)
  group.drop = ({ from }) => from === 1
  group.propose(1)
  group.pass(80)

  t.ok(group.leader() === 2 || group.leader() === 3)
  t.equal(group.status(1).commit, commit)
})

for (const voters of [2, 4, 6]) {
  t.test(`EL-08 ${voters} voters elect somebody although votes can split evenly`, async t => {
    const group = createGroup({ voters, settings: safe })
    for (let ticks = 0; ticks < 300 && group.leader() === undefined; ticks++) group.pass(1)

    t.not(group.leader(), undefined)
  })
}

t.test('EL-08 timeouts differ and are drawn anew with every change of role', async t => {
  const group = createGroup()
  const seen = new Set<number>()
  for (let times = 0; times < 60; times++) {
    group.core(1).campaign()
    group.work()
    seen.add(group.status(1).randomizedElectionTicks)
  }

  t.equal(seen.size, 10)
  t.ok([...seen].every(ticks => ticks >= 10 && ticks < 20), 'from one to two election timeouts')
})

t.test('EL-09 grants of an earlier term, or of the pre-candidacy, elect nobody', async t => {
  const group = createGroup({ voters: 5, settings: { preVote: true } })
  group.core(1).campaign()
  group.work()
  group.take()
  for (const from of [2, 3]) group.step(1, 'MsgPreVoteResp', { from, term: 1 })
  t.match(group.status(1), { role: 'candidate', term: 1 })
  group.take()

  for (const from of [4, 5]) group.step(1, 'MsgPreVoteResp', { from, term: 1 })
  for (const from of [2, 3, 4, 5]) group.step(1, 'MsgVoteResp', { from, term: 0 })
  t.equal(group.status(1).role, 'candidate')

  group.step(1, 'MsgVoteResp', { from: 2, term: 1 })
  group.step(1, 'MsgVoteResp', { from: 2, term: 1 })
  t.equal(group.status(1).role, 'candidate', 'the same voter counts once')
  group.step(1, 'MsgVoteResp', { from: 3, term: 1 })
  t.equal(group.status(1).role, 'leader')
})

t.test('EL-10 a response of somebody who is no member raises no term', async t => {
  const group = createGroup()
  group.campaign(1)
  const { term } = group.status(1)

  const result = group.core(1).step(message('MsgAppResp', { from: 9, to: 1, term: term + 5, index: 1 }))

  t.equal(result, 'peer-not-found')
  t.match(group.status(1), { role: 'leader', term })
})

t.test('EL-11 peers with and without pre-vote elect together', async t => {
  const group = createGroup({ settings: { checkQuorum: true }, cores: { 1: { preVote: true }, 2: { preVote: false }, 3: { preVote: true } } })
  group.pass(100)
  const first = group.leader() as number
  group.cut(first)
  group.pass(100)

  const second = group.leader()
  t.ok(second !== undefined && second !== first)
})

t.test('EL-13 a peer at the last term does not stand', async t => {
  const group = createGroup({ terms: { 1: termMax } })
  group.core(1).campaign()
  group.work()

  t.match(group.status(1), { role: 'follower', term: termMax })
  t.equal(group.waiting.length, 0)
})

t.test('a granted pre-vote raises no term, asked or answered', async t => {
  const group = createGroup({ settings: { preVote: true } })
  group.core(1).campaign()
  group.work()
  const [request] = group.take('MsgPreVote')
  t.match(request, { term: 1 })
  t.equal(group.status(1).term, 0)

  group.step(2, 'MsgPreVote', { from: 1, term: 1 })
  t.equal(group.status(2).term, 0)
  t.match(group.take('MsgPreVoteResp'), [{ term: 1, reject: false }])
  group.step(1, 'MsgPreVoteResp', { from: 2, term: 1 })

  t.match(group.status(1), { role: 'candidate', term: 1 })
})

t.test('a follower of a fresh leader gives neither votes nor pre-votes, unless the leader itself hands over', async t => {
  for (const type of ['MsgVote', 'MsgPreVote'] as const) {
    const group = createGroup({ settings: safe })
    group.campaign(1)
    const { term } = group.status(1)
    group.step(2, type, { from: 3, term: term + 1, logTerm: term, index: 1 })
    t.match(group.status(2), { term, lead: 1 }, `${type} is ignored`)
    t.equal(group.take().length, 0)

    group.step(2, type, { from: 3, term: term + 1, logTerm: term, index: 1, context: 1 })
    t.equal(group.waiting.length, 1, `${type} of a transfer is answered`)
  }
})

t.test('a candidate that refuses votes of smaller logs and grants those of larger ones (thesis 3.6.1)', async t => {
  for (const [logTerm, index, reject] of [[1, 9, true], [2, 1, true], [2, 2, false], [2, 3, false], [3, 1, false]] as const) {
    const group = createGroup({ logs: { 1: [1, 2] } })
    group.step(1, 'MsgVote', { from: 2, term: 7, logTerm, index })

    t.match(group.take('MsgVoteResp'), [{ reject, term: 7 }], `log ${logTerm}/${index}`)
  }
})

for (const role of ['follower', 'candidate', 'pre-candidate', 'leader'] satisfies Role[]) {
  t.test(`a ${role} that hears of a newer leader follows it`, async t => {
    const group = createGroup({ settings: { preVote: role === 'pre-candidate' } })
    if (role === 'leader') group.campaign(1)
    else if (role !== 'follower') group.core(1).campaign()
    group.work()
    t.equal(group.status(1).role, role)

    group.step(1, 'MsgHeartbeat', { from: 2, term: 9 })

    t.match(group.status(1), { role: 'follower', term: 9, lead: 2 })
  })
}

t.test('a candidate falls back when the leader of its own term speaks', async t => {
  const group = createGroup()
  group.core(1).campaign()
  group.work()

  group.step(1, 'MsgApp', { from: 2, term: 1, index: 0, logTerm: 0 })

  t.match(group.status(1), { role: 'follower', term: 1, lead: 2 })
})

t.test('a candidate whose votes are refused by a majority gives up', async t => {
  const group = createGroup()
  group.core(1).campaign()
  group.work()
  group.step(1, 'MsgVoteResp', { from: 2, term: 1, reject: true })
  t.equal(group.status(1).role, 'candidate')

  group.step(1, 'MsgVoteResp', { from: 3, term: 1, reject: true })

  t.equal(group.status(1).role, 'follower')
})

t.test('a message of a past term changes nothing', async t => {
  const group = createGroup({ terms: { 1: 5 } })
  group.step(1, 'MsgApp', { from: 2, term: 4, index: 0, logTerm: 0, entries: [{ term: 4, index: 1, type: 'EntryNormal', data: new Uint8Array(0) }] })

  t.match(group.status(1), { term: 5, lead: 0, lastIndex: 0 })
})

t.test('a leader of the past is told of the newer term by the answer to its heartbeat', async t => {
  const group = createGroup({ settings: { checkQuorum: true }, terms: { 1: 5 } })
  group.step(1, 'MsgHeartbeat', { from: 2, term: 4 })

  t.match(group.take(), [{ type: 'MsgAppResp', to: 2, term: 5 }])
})
