import t from 'tap'
import { createGroup } from './group.ts'
import { message } from '../core/message.ts'
import type { Entry, Message, Term } from '../core/types.ts'

const data = new Uint8Array(0)

function entries (from: number, ...terms: readonly Term[]): readonly Entry[] {
  return terms.map((term, at) => ({ term, index: from + at, type: 'EntryNormal', data }))
}

for (const { why, log, prev, sent, commit, expected } of [
  { why: 'an empty append above a stale suffix', log: [1, 1, 2, 2], prev: [1, 2], sent: [], commit: 4, expected: 2 },
  { why: 'one entry, a higher commit index', log: [1, 1, 2, 2], prev: [1, 2], sent: [3], commit: 9, expected: 3 },
  { why: 'a commit index below what it brings', log: [1, 1], prev: [1, 2], sent: [3, 3], commit: 3, expected: 3 },
  { why: 'a commit index that is old', log: [1, 1], prev: [1, 2], sent: [], commit: 1, expected: 1 }
] as const) {
  t.test(`LR-01 a follower commits no more than an append proves: ${why}`, async t => {
    const theirs = [1, 1, ...sent]
    const group = createGroup({ logs: { 1: log, 2: theirs, 3: theirs } })

    group.step(1, 'MsgApp', { from: 2, term: 5, logTerm: prev[0], index: prev[1], entries: entries(prev[1] + 1, ...sent), commit })

    t.equal(group.status(1).commit, expected)
  })
}

t.test('LR-02 a heartbeat tells no more commits than the follower is known to hold', async t => {
  const group = createGroup()
  group.campaign(1)
  group.cut(3)
  for (let at = 0; at < 5; at++) group.propose(1)
  group.settle()
  t.equal(group.status(1).commit, 6)

  group.tick(1)

  const told = group.take('MsgHeartbeat').map(({ to, commit }) => [to, commit])
  t.strictSame(told, [[2, 6], [3, 1]])
})

t.test('LR-03 appends that come twice, late or in another order take nothing back', async t => {
  const group = createGroup()
  group.campaign(1)
  for (let at = 0; at < 4; at++) group.propose(1)
  const appends = group.take('MsgApp').filter(({ to }) => to === 2)
  group.settle()

  for (const append of [...appends].reverse()) group.deliver(append)
  for (const append of appends) group.deliver(append)
  group.deliver(appends[0] as (typeof appends)[number])
  group.settle()
  group.pass(2)

  t.strictSame(group.terms(2), group.terms(1))
  t.equal(group.status(2).commit, group.status(1).commit)
})

t.test('LR-03 an append of which everything is held already cuts off nothing after it', async t => {
  const group = createGroup({ logs: { 1: [1, 1, 1] } })

  group.step(1, 'MsgApp', { from: 2, term: 1, logTerm: 0, index: 0, entries: entries(1, 1) })

  t.strictSame(group.terms(1), [1, 1, 1])
  t.match(group.take('MsgAppResp'), [{ index: 1, reject: false }])
})

t.test('LR-03 an append from before the commit index is answered with the commit index', async t => {
  const group = createGroup({ logs: { 1: [1, 1, 1], 2: [1, 1, 1] }, commits: { 1: 3 } })

  group.step(1, 'MsgApp', { from: 2, term: 1, logTerm: 1, index: 1, entries: entries(2, 1) })

  t.match(group.take('MsgAppResp'), [{ index: 3, reject: false }])
})

t.test('LR-04 answers that come twice, late or out of order never lower what matches', async t => {
  const group = createGroup()
  group.campaign(1)
  for (let at = 0; at < 4; at++) group.propose(1)
  const answers: ReturnType<typeof group.take>[number][] = []
  group.drop = said => { if (said.type === 'MsgAppResp' && said.to === 1) answers.push(said); return false }
  group.settle()
  const { progress, term } = group.status(1)

  for (const answer of [...answers].reverse()) group.deliver(answer)
  group.step(1, 'MsgAppResp', { from: 2, term, index: 2, reject: true, rejectHint: 0 })
  group.step(1, 'MsgAppResp', { from: 3, term, index: 1, reject: true, rejectHint: 1, logTerm: 0 })
  group.settle()

  for (const { id, match, next } of group.status(1).progress) {
    t.equal(match, progress.find(before => before.id === id)?.match)
    t.ok(next > match)
  }
})

t.test('LR-04 a refusal from before does not move a probe that has gone on', async t => {
  const group = createGroup({ logs: { 1: [1, 2, 2, 2], 2: [1] }, terms: { 1: 2 } })
  group.core(1).campaign()
  group.work()
  group.take()
  group.step(1, 'MsgVoteResp', { from: 2, term: 3 })
  const [probe] = group.take('MsgApp').filter(({ to }) => to === 2)
  t.match(probe, { index: 4 })
  group.step(1, 'MsgAppResp', { from: 2, term: 3, index: 4, reject: true, rejectHint: 1, logTerm: 1 })
  t.match(group.take('MsgApp'), [{ index: 1 }])
  const { next } = group.status(1).progress[1] as { next: number }

  group.step(1, 'MsgAppResp', { from: 2, term: 3, index: 4, reject: true, rejectHint: 0 })

  t.equal(group.status(1).progress[1]?.next, next)
  t.equal(group.take('MsgApp').length, 0)
})

t.test('LR-06 a divergent tail of fifty terms is found in at most one probe a term', async t => {
  const terms = (of: (term: number) => number, each: number): Term[] => Array.from({ length: 50 * each }, (_, at) => of(Math.floor(at / each)))
  const group = createGroup({ logs: { 1: [1, ...terms(term => 2 * term + 3, 40)], 2: [1, ...terms(term => 2 * term + 2, 40)] } })
  let probes = 0
  group.drop = ({ type, from, reject }) => { if (type === 'MsgAppResp' && from === 2 && reject) probes++; return false }

  group.campaign(1)
  group.pass(3)

  t.strictSame(group.terms(2), group.terms(1))
  t.ok(probes <= 60, `${probes} refusals`)
})

t.test('a refusal with a term lets the leader skip what cannot agree (both sides)', async t => {
  for (const [leaderLog, followerLog, probesMax] of [
    [[1, 1, 1, 4, 4, 4, 4], [1, 1, 1, 2, 2, 2, 2, 2, 2], 2],
    [[1, 2, 2, 2, 2, 5, 5], [1, 3, 3, 3, 3, 3, 3, 3], 2],
    [[1, 3, 3, 3, 6], [1, 2, 2, 2, 2, 2], 2],
    [[1, 1, 1, 1, 4], [1, 1], 1]
  ] as const) {
    const group = createGroup({ logs: { 1: leaderLog, 2: followerLog } })
    let refusals = 0
    group.drop = ({ type, from, reject }) => { if (type === 'MsgAppResp' && from === 2 && reject) refusals++; return false }

    group.campaign(1)
    group.pass(2)

    t.strictSame(group.terms(2), group.terms(1))
    t.ok(refusals <= probesMax, `${refusals} refusals for ${followerLog.join(' ')}`)
  }
})

t.test('LR-12 completions of writes of an older term do not shorten the unstable tail', async t => {
  const group = createGroup({ core: { asyncStorageWrites: true } })
  const core = group.core(1)
  const append = (term: Term, from: number, ...terms: readonly Term[]): void => {
    core.step(message('MsgApp', { from: from, to: 1, term, index: 0, logTerm: 0, entries: entries(1, ...terms) }))
  }
  const written = (): readonly ReturnType<typeof core.ready>['messages'][number][] => core.ready().messages.filter(({ type }) => type === 'MsgStorageAppend')
  append(1, 2, 1)
  const [first] = written()
  append(2, 3, 2)
  const [second] = written()
  append(3, 2, 1)
  const [third] = written()
  const complete = (write: typeof first): void => { group.persist(1, write as Message) }

  complete(first)
  t.equal(core.status().unstableEntries, 1, 'the first write may yet be replaced by the second')
  complete(second)
  t.equal(core.status().unstableEntries, 1)
  complete(third)
  t.equal(core.status().unstableEntries, 0)
})

t.test('LR-13 a crash between cutting off and replacing leaves what is committed', async t => {
  const group = createGroup({ logs: { 1: [1, 1, 2, 2], 2: [1, 1, 3] }, commits: { 1: 2 } })
  group.peer(1).receive(message('MsgApp', { from: 2, to: 1, term: 3, logTerm: 1, index: 2, entries: entries(3, 3) }))
  group.peer(1).crash()
  group.peer(1).start()

  t.strictSame(group.terms(1), [1, 1, 2, 2])
  t.equal(group.status(1).commit, 2)
})

t.test('LR-14 a proposal that is too large is refused at once and leaves no trace', async t => {
  const group = createGroup({ core: { limits: { entryBytesMax: 100 } } })
  group.campaign(1)

  t.match(group.propose(1, 200), { kind: 'dropped', reason: 'entry-too-large' })
  t.match(group.propose(2, 200), { kind: 'dropped', reason: 'entry-too-large' })
  t.equal(group.status(1).lastIndex, 1)
})

t.test('LR-15 a single voter counts its own copy when it is durable, not before', async t => {
  const group = createGroup({ voters: 1 })
  group.campaign(1)
  const core = group.core(1)
  core.propose([{ type: 'EntryNormal', data: new Uint8Array(8) }])
  t.equal(core.status().commit, 1)

  group.work()

  t.equal(core.status().commit, 2)
  t.equal(group.peer(1).disk.durable.entries.length, 2)
})

t.test('a new leader adds an empty entry of its term, and it commits what came before (paper 5.4.2)', async t => {
  const group = createGroup({ logs: { 1: [1, 2], 2: [1] } })

  group.campaign(1)

  t.strictSame(group.terms(1), [1, 2, 3])
  t.equal(group.status(1).commit, 3)
  t.equal(group.status(2).commit, 3)
})

t.test('a leader repairs logs of every shape (paper, Figure 7)', async t => {
  const logs = {
    1: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
    2: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    3: [1, 1, 1, 4],
    4: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    5: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    6: [1, 1, 1, 4, 4, 4, 4],
    7: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]
  }
  const group = createGroup({ voters: 7, logs, terms: { 1: 7 } })

  group.campaign(1)
  group.pass(3)

  for (const id of group.ids) t.strictSame(group.terms(id), [...logs[1], 8], `log of ${id}`)
})

t.test('a follower answers an append that does not follow with where its log may still agree', async t => {
  const group = createGroup({ logs: { 1: [1, 2, 2] } })

  group.step(1, 'MsgApp', { from: 2, term: 4, logTerm: 3, index: 3 })
  group.step(1, 'MsgApp', { from: 2, term: 4, logTerm: 1, index: 3 })
  group.step(1, 'MsgApp', { from: 2, term: 4, logTerm: 4, index: 9 })

  t.match(group.take('MsgAppResp'), [
    { reject: true, index: 3, rejectHint: 3, logTerm: 2 },
    { reject: true, index: 3, rejectHint: 1, logTerm: 1 },
    { reject: true, index: 9, rejectHint: 3, logTerm: 2 }
  ])
})

t.test('proposals go through a follower to the leader, and nowhere without one', async t => {
  const group = createGroup()
  t.match(group.propose(2), { kind: 'dropped', reason: 'no-leader' })
  group.campaign(1)

  t.match(group.propose(2), { kind: 'forwarded', to: 1 })
  group.settle()
  t.equal(group.status(2).commit, 2)

  const alone = createGroup({ settings: { disableForwarding: true } })
  alone.campaign(1)
  t.match(alone.propose(2), { kind: 'dropped', reason: 'forwarding-disabled' })
})
