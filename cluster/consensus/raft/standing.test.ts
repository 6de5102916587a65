import t from 'tap'
import { wireTypes } from './codec.ts'
import { message } from './core/message.ts'
import type { Message, MessageType } from './core/types.ts'
import { encodeConfChange } from './core/conf-codec.ts'
import { Group } from './testing/group.ts'

const writers = ['peer-1', 'peer-2', 'peer-3']
const huge = 2 ** 40

/** Three voters, led by 1, that trust each other only, and 4, which stores. */
async function groupWithStorer (): Promise<Group> {
  const group = await Group.of(3)
  await group.join(4, { asLearner: true })
  await group.leader.membership.note({ trusted: writers }, { signal: group.signal })
  await group.until(() => [1, 2, 3, 4].every(id => group.node(id).bookkeeping().trusted?.length === 3))
  return group
}

/** What somebody may send who writes such a message by hand. */
function forgeries (type: MessageType, group: Group): readonly Message[] {
  const { term, lastIndex } = group.node(1).status()
  const takeover = { ...encodeConfChange({ transition: 'auto', changes: [{ type: 'ConfChangeAddNode', nodeId: 4 }], context: new Uint8Array(0) }), term: term + 1, index: lastIndex + 1 }
  const snapshot = { meta: { index: lastIndex + 100, term: term + 1, confState: { voters: [4], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } }, data: new Uint8Array(0) }
  const terms = [0, term, term + 1, huge]
  return terms.flatMap(term => [
    message(type, { from: 4, term, index: lastIndex, logTerm: term, commit: lastIndex, entries: type === 'MsgApp' || type === 'MsgProp' ? [takeover] : [], ...type === 'MsgSnap' && { snapshot } }),
    message(type, { from: 4, term, index: huge, logTerm: huge, commit: huge, vote: 4, context: 1, rejectHint: huge, reject: true, ...type === 'MsgSnap' && { snapshot } }),
    message(type, { from: 1, term, index: 0, logTerm: 0, commit: 0, context: huge, reject: true, ...type === 'MsgSnap' && { snapshot } })
  ])
}

t.test('whatever a peer that only stores sends, nobody follows it, votes for it, takes an entry of it or leaves its leader', async t => {
  await using group = await groupWithStorer()
  await group.put(1, 'k', 1)
  const before = group.leader.status()
  const attacker = group.network.transport(4)

  for (const type of wireTypes) {
    for (const to of [1, 2, 3]) attacker.send(to, forgeries(type, group))
    await group.put(2, type, 1)
  }
  await group.until(() => [1, 2, 3, 4].every(id => wireTypes.every(type => group.machine(id).get(type) === 1)))

  const { role, term, membership } = group.node(1).status()
  t.match({ role, term, membership }, { role: 'leader', term: before.term, membership: before.membership })
  t.equal(group.machine(4).get('k'), 1, 'and it gets what is agreed on')
})

t.test('a snapshot of a peer that only stores is not taken', async t => {
  await using group = await groupWithStorer()
  const { snapshot } = forgeries('MsgSnap', group)[0]!

  const sending = group.network.transport(4).sendSnapshot(1, { meta: snapshot!.meta, bytes: 10, sha256: '' }, async function * () { yield Buffer.alloc(10) }, { signal: group.signal })

  await t.rejects(sending, { message: /peer-4 only stores/ })
})

t.test('what it proposes goes nowhere; once it is trusted it votes, and what it proposes counts', async t => {
  await using group = await groupWithStorer()
  await t.rejects(group.node(4).propose(Buffer.from('x'), { signal: AbortSignal.timeout(100) }))

  await group.leader.membership.promote(4, { signal: group.signal, noted: { trusted: [...writers, 'peer-4'] } })
  await group.put(4, 'mine', 5)

  t.match(group.leader.status().membership, { voters: [1, 2, 3, 4], learners: [] })
  t.equal(group.machine(4).get('mine'), 5)
})

t.test('a leader that loses its vote hands over first, and what it is told then is not its to decide', async t => {
  await using group = await groupWithStorer()
  const member = group.leader.bookkeeping().members.find(({ id }) => id === 1)!
  const noted = { trusted: writers.slice(1), members: [{ ...member, storesOnly: true as const }] }

  await t.rejects(group.node(1).membership.demote(1, { signal: group.signal, noted }), { code: 'ERR_RAFT_NOT_LEADER' })
  const isDemoted = (): boolean => [2, 3].some(id => group.node(id).bookkeeping().conf.learners.includes(1))
  while (!isDemoted()) { // a leader that has just begun has heard of nobody yet, and says so
    for (const id of [2, 3]) await group.node(id).membership.demote(1, { signal: group.signal, noted }).catch(() => {})
    group.signal.throwIfAborted()
    await new Promise(setImmediate)
  }
  await group.put(2, 'after', 1)
  await group.until(() => group.machine(1).get('after') === 1)

  t.match(group.node(1).bookkeeping().conf, { voters: [2, 3], learners: [1, 4] })
  t.strictSame(group.node(1).bookkeeping().trusted, ['peer-2', 'peer-3'])
})

t.test('who proposed and may not any more is told so, instead of waiting', async t => {
  await using group = await groupWithStorer()
  const proposing = group.node(4).propose(Buffer.from('x'), { signal: group.signal })

  group.node(4).refuseProposals(new Error('it only stores'))

  await t.rejects(proposing, { message: 'it only stores' })
  await t.rejects(group.node(4).propose(Buffer.from('x'), { signal: group.signal }), { message: 'it only stores' })
})
