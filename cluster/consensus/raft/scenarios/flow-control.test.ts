import t from 'tap'
import { createGroup } from './group.ts'
import type { Group } from './group.ts'
import type { Message, ProgressStatus } from '../core/types.ts'

function progress (group: Group, of: number): ProgressStatus {
  return group.status(1).progress.find(({ id }) => id === of) as ProgressStatus
}

t.test('a probed peer is sent one append, and the next after an answer or a heartbeat', async t => {
  const group = createGroup()
  group.cut(3)
  group.campaign(1)
  const sent = (): number => group.take('MsgApp').filter(({ to }) => to === 3).length
  t.equal(progress(group, 3).state, 'probe')
  for (let at = 0; at < 3; at++) group.propose(1)
  t.equal(sent(), 0, 'one is on its way already')

  group.step(1, 'MsgHeartbeatResp', { from: 3, term: 1 })
  t.equal(sent(), 1)
  group.step(1, 'MsgHeartbeatResp', { from: 3, term: 1 })
  t.equal(sent(), 1)
})

t.test('a replicated peer is sent appends without waiting, up to the window', async t => {
  const group = createGroup({ settings: { inflightMessagesMax: 3 } })
  group.campaign(1)
  const counts = [1, 2, 3, 4, 5].map(() => {
    group.propose(1)
    return group.take('MsgApp').filter(({ to, entries }) => to === 2 && entries.length > 0).length
  })

  t.strictSame(counts, [1, 1, 1, 0, 0])
  t.match(progress(group, 2), { inflightMessages: 3, inflightFull: true, paused: true })
})

t.test('the window is also counted in bytes', async t => {
  const group = createGroup({ settings: { messageBytesMax: 100, inflightBytesMax: 250 } })
  group.campaign(1)
  const counts = [1, 2, 3, 4].map(() => {
    group.propose(1, 95)
    return group.take('MsgApp').filter(({ to, entries }) => to === 2 && entries.length > 0).length
  })

  t.strictSame(counts, [1, 1, 1, 0], 'the one that crosses the bound is let through')
})

t.test('an acknowledgement opens the window by what it covers, an old one not at all', async t => {
  const group = createGroup({ settings: { inflightMessagesMax: 3 } })
  group.campaign(1)
  for (let at = 0; at < 3; at++) group.propose(1)
  group.take()

  group.step(1, 'MsgAppResp', { from: 2, term: 1, index: 1 })
  t.equal(progress(group, 2).inflightMessages, 3)
})

t.test('LR-05 a window that was lost as a whole is sent again after two heartbeats at most', async t => {
  const group = createGroup({ settings: { inflightMessagesMax: 2 } })
  group.campaign(1)
  for (let at = 0; at < 6; at++) group.propose(1)
  group.take()
  t.ok(progress(group, 2).inflightFull)

  group.pass(2)

  t.equal(progress(group, 2).match, group.status(1).lastIndex)
})

t.test('a heartbeat answer lets one empty append through a full window', async t => {
  const group = createGroup({ settings: { inflightMessagesMax: 1 } })
  group.campaign(1)
  group.propose(1)
  group.propose(1)
  group.take()

  group.step(1, 'MsgHeartbeatResp', { from: 2, term: 1 })
  group.step(1, 'MsgHeartbeatResp', { from: 2, term: 1 })

  t.match(group.take('MsgApp'), [{ to: 2, entries: [] }, { to: 2, entries: [] }])
})

t.test('an append is filled up to its bound in bytes, and holds one entry at least', async t => {
  const group = createGroup({ settings: { messageBytesMax: 60 } })
  group.cut(2)
  group.campaign(1)
  for (const bytes of [10, 10, 10, 200, 1]) group.propose(1, bytes)
  group.settle()
  group.heal()
  const sizes: number[] = []
  group.drop = ({ type, to, entries }) => { if (type === 'MsgApp' && to === 2 && entries.length > 0) sizes.push(entries.length); return false }

  group.pass(3)

  t.ok(sizes.includes(1))
  t.ok(Math.max(...sizes) <= 3)
  t.equal(progress(group, 2).match, 6)
})

t.test('an unreachable peer is probed again', async t => {
  const group = createGroup()
  group.campaign(1)
  t.equal(progress(group, 2).state, 'replicate')

  group.core(1).reportUnreachable(2)

  t.match(progress(group, 2), { state: 'probe', next: progress(group, 2).match + 1 })
})

t.test('the uncommitted tail is bounded, one entry always fits, and applying makes room again', async t => {
  const group = createGroup({ settings: { uncommittedBytesMax: 100 } })
  group.campaign(1)
  group.cut(2, 3)
  t.equal(group.propose(1, 500).kind, 'appended', 'whatever its size, when there is nothing else')
  t.match(group.propose(1), { kind: 'dropped', reason: 'uncommitted-full' })
  t.equal(group.core(1).propose([{ type: 'EntryNormal', data: new Uint8Array(0) }]).kind, 'appended', 'an empty one costs nothing')
  group.work()
  t.equal(group.status(1).uncommittedBytes, 505)

  group.heal()
  group.pass(3)

  t.equal(group.status(1).uncommittedBytes, 0)
  t.equal(group.propose(1, 50).kind, 'appended')
  t.equal(group.propose(1, 30).kind, 'appended')
  t.match(group.propose(1, 30), { kind: 'dropped', reason: 'uncommitted-full' })
})

t.test('a leader cut off from the others does not grow without bound', async t => {
  const group = createGroup({ settings: { uncommittedBytesMax: 1_000 } })
  group.campaign(1)
  group.cut(2, 3)
  for (let at = 0; at < 1_000; at++) group.propose(1, 20)
  group.take()

  t.ok(group.status(1).lastIndex <= 42)
})

t.test('what is handed out to be applied is bounded in bytes', async t => {
  const group = createGroup({ voters: 1, settings: { applyBytesMax: 40 }, core: { asyncStorageWrites: true } })
  group.campaign(1)
  const core = group.core(1)
  for (let at = 0; at < 6; at++) core.propose([{ type: 'EntryNormal', data: new Uint8Array(20) }])
  const append = core.ready().messages.find(({ type }) => type === 'MsgStorageAppend')
  group.persist(1, append as Message)
  const first = core.ready().committedEntries
  t.equal(first.length, 1)
  t.equal(core.ready().committedEntries.length, 0, 'nothing more before it is done')
})

t.test('a commit that got lost is told again by the next heartbeat round', async t => {
  const group = createGroup()
  group.campaign(1)
  group.propose(1)
  group.drop = ({ type, commit, to }) => type === 'MsgApp' && to === 3 && commit === 2
  group.settle()
  t.equal(group.status(3).commit, 1)

  group.drop = () => false
  group.pass(2)

  t.equal(group.status(3).commit, 2)
})
