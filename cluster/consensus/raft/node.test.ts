import t from 'tap'
import { encodeWrite } from './processes/register-machine.ts'
import { Group } from './testing/group.ts'

const add = (key: string, value: number): Uint8Array => encodeWrite(key, { kind: 'add', value })

t.test('one voter alone commits what it is asked', async t => {
  await using group = await Group.of(1)

  t.equal(await group.add(1, 'a', 3), 3)
  t.equal(await group.add(1, 'a', 4), 7)
})

t.test('any peer takes a request, and answers when it has applied it itself', async t => {
  await using group = await Group.of(3)

  for (let i = 1; i <= 30; i++) {
    const id = i % 3 + 1
    t.equal(await group.add(id, 'sum', 1), i)
    t.equal(group.machine(id).get('sum'), i, 'reads its own write')
  }
})

t.test('IC-06 a read sees what was acknowledged elsewhere before', async t => {
  await using group = await Group.of(3)

  for (let i = 1; i <= 20; i++) {
    await group.put(1, 'k', i)
    await group.node(i % 3 + 1).readBarrier({ signal: group.signal })
    t.equal(group.machine(i % 3 + 1).get('k'), i)
  }
})

t.test('a request repeated at another peer is applied once', async t => {
  await using group = await Group.of(3)
  const session = await group.node(2).openSession({ signal: group.signal })
  const id = { session, sequence: 0, answeredBelow: 0 }

  const first = await group.node(2).propose(add('once', 5), { signal: group.signal, id })
  const again = await group.node(3).propose(add('once', 5), { signal: group.signal, id })

  t.strictSame([...again.answer], [...first.answer])
  t.equal(group.machine(3).get('once'), 5)
})

t.test('requests under way survive the loss of their leader, each applied once', async t => {
  await using group = await Group.of(3)
  await group.add(2, 'sum', 0)
  const asked = Array.from({ length: 200 }, () => group.add(2, 'sum', 1))

  await group.until(() => group.machine(1).get('sum') > 20)
  group.network.isolate(1)
  await Promise.all(asked)

  await group.node(2).readBarrier({ signal: group.signal })
  t.equal(group.machine(2).get('sum'), 200)
})

t.test('a leader that is cut off can neither write nor read', async t => {
  await using group = await Group.of(3)
  await group.put(1, 'k', 1)
  group.network.isolate(1)

  await t.rejects(group.node(1).readBarrier({ signal: AbortSignal.timeout(300) }), { code: 'ERR_RAFT_NOT_LEADER' })
  await t.rejects(group.node(1).propose(add('k', 1), { signal: AbortSignal.timeout(300) }), /not known yet|no leader/)

  group.network.heal()
  await group.put(1, 'k', 9)
  t.equal(group.machine(1).get('k'), 9)
})

t.test('without a leader a request that was never taken in says so', async t => {
  await using group = new Group()
  await group.start(2)

  await t.rejects(group.node(2).propose(add('k', 1), { signal: AbortSignal.timeout(100) }), { code: 'ERR_RAFT_NOT_LEADER', leader: undefined })
})

t.test('a peer that starts again has what was acknowledged', async t => {
  await using group = await Group.of(3)
  for (let i = 0; i < 50; i++) await group.add(1, 'sum', 1)

  for (const id of [1, 2, 3]) await group.restart(id)
  await group.node(2).readBarrier({ signal: group.signal })

  t.equal(group.machine(2).get('sum'), 50)
  t.equal(await group.add(3, 'sum', 1), 51)
})

t.test('a peer that is far behind gets a snapshot, sessions included', async t => {
  await using group = await Group.of(3, { snapshots: { thresholdEntries: 50, trailingEntries: 5 } })
  const session = await group.node(1).openSession({ signal: group.signal })
  const id = { session, sequence: 0, answeredBelow: 0 }
  await group.node(1).propose(add('once', 5), { signal: group.signal, id })
  group.network.isolate(3)
  for (let i = 0; i < 300; i++) await group.add(1, `k${i % 7}`, 1)
  await group.until(() => group.node(1).status().firstIndex > group.node(3).status().lastIndex + 1)

  group.network.heal()
  await group.until(() => group.machine(3).digest() === group.machine(1).digest())

  t.ok(group.node(3).status().firstIndex > 50)
  await group.node(3).propose(add('once', 5), { signal: group.signal, id })
  t.equal(group.machine(3).get('once'), 5, 'the retry is known there too')
  await group.restart(3)
  await group.node(3).readBarrier({ signal: group.signal })
  t.equal(group.machine(3).digest(), group.machine(1).digest(), 'and after a start from the snapshot')
})

t.test('the status says how long syncs, reads and snapshots took, and how busy each part is', async t => {
  await using group = await Group.of(2, { snapshots: { thresholdEntries: 20, trailingEntries: 5 } })
  for (let i = 1; i <= 60; i++) await group.add(1, 'sum', 1)
  await group.node(2).readBarrier({ signal: group.signal })
  await group.join(3)
  await group.node(3).readBarrier({ signal: group.signal })

  const [leader, follower, late] = [1, 2, 3].map(id => JSON.parse(JSON.stringify(group.node(id).status())))

  t.ok(leader.log.syncSeconds.count >= 60)
  t.equal(leader.log.syncSeconds.count, leader.log.syncs)
  t.ok(leader.log.groupEntries.sum >= 60)
  for (const part of ['turns', 'apply', 'log']) t.ok(leader.busy[part] > 0 && leader.busy[part] <= 1, part)
  t.equal(follower.readSeconds.count, 1)
  t.ok(follower.readSeconds.sum > 0)
  t.ok(leader.snapshots.made.count > 0 && leader.snapshots.made.bytes > 0)
  t.match(leader.snapshots.sent, { count: 1 })
  t.equal(late.snapshots.received.bytes, leader.snapshots.sent.bytes)
  t.match(late.snapshots.restored, { count: 1 })
})

t.test('members come and go while writes go on', async t => {
  await using group = await Group.of(3)
  let writing = true
  let sum = 0
  const writer = (async () => { while (writing) { await group.add(2, 'sum', 1); sum++ } })()

  await group.join(4)
  await group.join(5, { asLearner: true })
  t.match(group.leader.status().membership, { voters: [1, 2, 3, 4], learners: [5] })
  await group.leader.membership.remove(4, { signal: group.signal })
  await group.leader.membership.replace(3, { id: 5, incarnation: 5, name: 'peer-5', address: '' }, { signal: group.signal })
  t.match(group.leader.status().membership, { voters: [1, 2, 5], learners: [], votersOutgoing: [] })
  t.strictSame(group.leader.bookkeeping().members.map(({ name }) => name), ['peer-1', 'peer-2', 'peer-5'])
  writing = false
  await writer

  await group.node(5).readBarrier({ signal: group.signal })
  t.equal(group.machine(5).get('sum'), sum)
})

t.test('a change of the membership that was decided on an older one is refused', async t => {
  await using group = await Group.of(2)
  const seen = group.leader.bookkeeping().confIndex
  await group.join(3)

  await t.rejects(group.leader.membership.remove(2, { signal: group.signal, ifConfIndex: seen }), { code: 'ERR_RAFT_DROPPED', message: /outdated/ })
})

t.test('TR-09 a leader that stops hands over first', async t => {
  await using group = await Group.of(3, { electionTicks: 400 })
  const before = group.leader
  const term = before.status().term

  await before[Symbol.asyncDispose]()
  group.peers.delete(before.id)

  await group.until(() => [...group.peers.values()].some(({ node }) => node.status().role === 'leader'))
  t.equal(group.leader.status().term, term + 1, 'without waiting for an election timeout of two seconds')
})

t.test('who is preferred leads when the leader is gone', async t => {
  await using group = await Group.of(1)
  for (const id of [2, 3, 4]) await group.join(id, { config: { priority: 4 } })
  await group.join(5)
  await Promise.all([1, 2, 3, 4, 5].map(id => group.node(id).readBarrier({ signal: group.signal }))) // nobody is behind

  group.network.isolate(1)
  const leads = (id: number): boolean => group.node(id).status().role === 'leader'
  await group.until(() => [2, 3, 4, 5].some(leads))

  t.ok(leads(5))
  await t.rejects(new Group().start(1, { found: true, config: { priority: 9 } }), { message: /priority/ })
})

t.test('a failed disk stops the peer, and the others go on', async t => {
  await using group = await Group.of(3)
  await group.add(1, 'k', 1)
  const { disk, node } = group.peers.get(1)!
  disk.faults.beforeStep = what => { if (what === 'sync') throw Object.assign(new Error('i/o error'), { code: 'EIO' }) }
  const asked = group.add(1, 'k', 1).catch(err => err.code)

  t.match(await node.ended, { code: 'ERR_RAFT_STORAGE_FAILED' })
  t.equal(await asked, 'ERR_RAFT_UNKNOWN_OUTCOME')
  t.ok(await group.add(2, 'other', 1))
})

t.test('without a leader a request is given up after a while, and says whether it may happen yet', async t => {
  await using group = await Group.of(2, { leaderWaitTicks: 30 })
  await group.add(1, 'x', 1)
  group.network.isolate(1)

  const sent = group.add(1, 'x', 1)
  await t.rejects(sent, { code: 'ERR_RAFT_UNKNOWN_OUTCOME' })
  await t.rejects(group.add(1, 'x', 1), { code: 'ERR_RAFT_NOT_LEADER' })
})
