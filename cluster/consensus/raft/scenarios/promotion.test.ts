import t from 'tap'
import { createGroup } from './group.ts'
import { Membership } from '../membership.ts'
import { Ticks } from '../ticks.ts'
import type { Group } from './group.ts'
import type { ConfChange, ProposeResult, Status } from '../core/types.ts'

const member = (id: number) => ({ id, incarnation: id, name: `peer-${id}`, address: '' })

/** Three voters, led by 1, and a stranger; the membership's steps are taken with each tick. */
function founded (): { readonly group: Group, readonly membership: Membership, readonly pass: (ticks: number) => Promise<void>, readonly proposed: ConfChange[] } {
  const group = createGroup({ others: [4], settings: { checkQuorum: true, preVote: true } })
  group.campaign(1)
  const ticks = new Ticks()
  const proposed: ConfChange[] = []
  let applied = 0
  const membership = new Membership({
    status: () => group.status(1),
    propose: async (change): Promise<ProposeResult> => {
      proposed.push(change)
      return group.core(1).proposeConfChange(change)
    },
    transfer: async to => { group.core(1).transferLeader(to) },
    nextTick: async signal => { await ticks.next(signal) }
  })
  const breathe = async (): Promise<void> => { for (let at = 0; at < 3; at++) await new Promise(resolve => { setImmediate(resolve) }) }
  const pass = async (count: number): Promise<void> => {
    for (let passed = 0; passed < count; passed++) {
      await breathe()
      group.pass(1)
      const { entries } = group.peer(1).disk.seen
      for (; applied < group.status(1).applied; applied++) membership.entryApplied(applied + 1, entries[applied]!.term)
      ticks.ticked()
      await breathe()
    }
  }
  return { group, membership, pass, proposed }
}

t.test('MC-10 IC-02 a peer that is dead is taken in as a learner and gets no vote, and the leader is not held up', async t => {
  const { group, membership, pass, proposed } = founded()
  const giveUp = new AbortController()
  group.cut(4)
  const adding = membership.add(member(4), { signal: giveUp.signal })
  adding.catch(() => {})
  await pass(60)

  t.match(group.status(1), { role: 'leader', conf: { voters: [1, 2, 3], learners: [4] } })
  t.equal(proposed.length, 1)
  group.propose(1)
  group.settle()
  t.equal(group.status(1).commit, group.status(1).lastIndex)
  giveUp.abort(new Error('enough'))
  await t.rejects(adding, /enough/)
})

t.test('MC-10 a learner that has caught up but was not heard of within an election timeout waits', async t => {
  const { group, membership, pass } = founded()
  const signal = AbortSignal.timeout(240_000)
  const adding = membership.add(member(4), { signal, asLearner: true })
  await pass(5)
  await adding
  t.equal(group.status(1).progress.find(({ id }) => id === 4)?.state, 'replicate')
  group.cut(4)
  await pass(25)
  const promoting = membership.promote(4, { signal })
  await pass(5)
  t.strictSame(group.status(1).conf.learners, [4])

  group.heal()
  await pass(10)
  await promoting
  t.strictSame(group.status(1).conf.voters, [1, 2, 3, 4])
})

t.test('MC-10 a learner that lacks even a few entries, which may be large, waits until it has them', async t => {
  const { group, membership, pass } = founded()
  const signal = AbortSignal.timeout(240_000)
  const adding = membership.add(member(4), { signal, asLearner: true })
  await pass(5)
  await adding
  group.drop = ({ to, type }) => to === 4 && type === 'MsgApp'
  for (let at = 0; at < 3; at++) group.propose(1)
  await pass(1)
  const promoting = membership.promote(4, { signal })
  await pass(5)
  t.strictSame(group.status(1).conf.learners, [4], 'it answers heartbeats, but lacks three entries')

  group.drop = () => false
  await pass(20)
  await promoting
  t.strictSame(group.status(1).conf.voters, [1, 2, 3, 4])
})

/** How many ticks it takes until a learner is proposed as a voter that has what was committed `behindTicks` ago. */
async function ticksToVote (behindTicks: number, ticksMax: number): Promise<number> {
  const giveUp = new AbortController()
  let ticks = 0
  const membership = new Membership({
    status: () => ({
      id: 1, role: 'leader', lead: 1, commit: 1_000 + 5 * ticks, conf: { voters: [1], learners: [4] }, progress: [{ id: 4, recentActive: true, state: 'replicate', match: 1_000 + 5 * (ticks - behindTicks) }]
    }) as unknown as Status,
    propose: async () => { throw new Error('proposed') },
    transfer: async () => {},
    async nextTick () {
      if (++ticks >= ticksMax) throw new Error('enough')
    }
  })
  await membership.promote(4, giveUp).catch(() => {})
  return ticks
}

t.test('MC-10 a learner votes once it keeps pace, and not while the others would have to wait long for it', async t => {
  t.equal(await ticksToVote(0, 1_000), 0)
  t.equal(await ticksToVote(10, 1_000), 10)
  t.equal(await ticksToVote(12, 1_000), 1_000)
})

t.test('MC-14 the one that is alive of two is not left alone by a removal that could not be decided without the other', async t => {
  const group = createGroup({ voters: 2, settings: { checkQuorum: false } })
  group.campaign(1)
  const membership = new Membership({
    status: () => ({ ...group.status(1), progress: group.status(1).progress.map(peer => ({ ...peer, recentActive: false })) }),
    propose: async () => { throw new Error('nothing is to be proposed') }, transfer: async () => {}, nextTick: async () => {}
  })

  await t.rejects(membership.remove(1, { signal: AbortSignal.timeout(1_000) }), { code: /ERR_RAFT_(DROPPED|NOT_LEADER)/ })
})
