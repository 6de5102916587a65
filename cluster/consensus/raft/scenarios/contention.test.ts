import t from 'tap'
import { createGroup } from './group.ts'
import type { Group, GroupOptions } from './group.ts'
import type { NodeId, Role, Term } from '../core/types.ts'

const bothWays = [{ preVote: false }, { preVote: true }] as const
const roles = (group: Group): readonly Role[] => group.ids.map(id => group.status(id).role)
const termsOf = (group: Group): readonly Term[] => group.ids.map(id => group.status(id).term)

/** Nothing between these two, either way. */
function without (group: Group, ...pairs: ReadonlyArray<readonly [NodeId, NodeId]>): void {
  group.drop = ({ from, to }) => pairs.some(([a, b]) => (a === from && b === to) || (a === to && b === from))
}

for (const settings of bothWays) {
  const how = settings.preVote ? 'with pre-vote' : 'without pre-vote'

  t.test(`${how}, who reaches a majority is elected, whatever the logs of the others`, async t => {
    for (const [voters, dead, logs, role, term] of [
      [3, [], {}, 'leader', 1], [3, [3], {}, 'leader', 1],
      [3, [2, 3], {}, settings.preVote ? 'pre-candidate' : 'candidate', settings.preVote ? 0 : 1],
      [4, [2, 3], {}, settings.preVote ? 'pre-candidate' : 'candidate', settings.preVote ? 0 : 1],
      [5, [2, 3], {}, 'leader', 1],
      // Three logs further along than its own: refused, in the term of the refusals.
      [5, [], { 2: [1], 3: [1], 4: [1, 1] }, 'follower', 1]
    ] as const) {
      const group = createGroup({ voters, logs, settings })
      group.cut(...dead)
      group.campaign(1)

      t.match(group.status(1), { role, term }, `${voters} voters, without ${dead.join(' ')}`)
    }
  })

  t.test(`${how}, leadership goes round: each in turn is elected, and the others follow`, async t => {
    const group = createGroup({ settings })
    for (const id of group.ids) {
      group.campaign(id)

      for (const other of group.ids) t.match(group.status(other), { role: other === id ? 'leader' : 'follower', lead: id, term: id })
    }
  })

  t.test(`${how}, a leader's log replaces newer entries that no majority has`, async t => {
    const group = createGroup({ voters: 5, settings })
    group.drop = ({ type, to }) => type === 'MsgApp' && to !== 2
    group.campaign(1)
    group.cut(1, 2)
    group.campaign(3)
    t.strictSame([1, 2, 3, 4].map(id => group.terms(id)), [[1], [1], [2], []])
    group.heal()
    group.cut(3)
    group.campaign(2)
    t.match(group.status(2), { term: 2 }, 'refused by those who voted for 3, it learns of the term')
    t.not(group.status(2).role, 'leader')
    group.campaign(2)
    t.match(group.status(2), { role: 'leader', term: 3 })

    group.heal()
    group.drop = () => false
    group.pass(2)

    for (const id of group.ids) t.strictSame(group.terms(id), [1, 3], `log of ${id}`)
  })

  t.test(`${how}, of two candidates that cannot hear each other one leads, and the other gives way when it can`, async t => {
    const group = createGroup({ settings })
    without(group, [1, 3])
    group.core(1).campaign()
    group.core(3).campaign()
    group.settle()
    t.equal(group.status(1).role, 'leader')
    t.not(group.status(3).role, 'leader')

    group.drop = () => false
    group.campaign(3)
    if (settings.preVote) {
      t.strictSame([group.leader(), group.status(1).term], [1, 1], 'its log is behind: nobody is disturbed')
    } else {
      t.strictSame(termsOf(group), [2, 2, 2], 'its log is behind: it raises the term and is refused')
      t.strictSame(roles(group), ['follower', 'follower', 'follower'])
    }
    t.strictSame(group.terms(3).length <= 1, true)
  })

  t.test(`${how}, a lone candidate follows whoever speaks as leader of its term, and takes over its log`, async t => {
    const group = createGroup({ settings })
    group.cut(1)
    group.campaign(1)
    group.campaign(3)
    t.equal(group.status(3).role, 'leader')
    group.heal()
    group.pass(2)
    group.propose(3)
    group.settle()

    t.match(group.status(1), { role: 'follower', term: 1, lead: 3 })
    for (const id of group.ids) t.strictSame(group.terms(id), [1, 1])
  })

  t.test(`${how}, a single voter elects itself at once`, async t => {
    const group = createGroup({ voters: 1, settings })
    group.campaign(1)

    t.match(group.status(1), { role: 'leader', term: 1, commit: 1 })
  })
}

t.test('appends of a leader that was replaced are of no use to it any more', async t => {
  const group = createGroup()
  for (const id of [1, 2, 1]) group.campaign(id)
  group.step(3, 'MsgApp', { from: 2, term: 2, logTerm: 2, index: 2, entries: [{ term: 2, index: 3, type: 'EntryNormal', data: new Uint8Array(0) }] })
  group.propose(1)
  group.settle()

  for (const id of group.ids) {
    t.strictSame(group.terms(id), [1, 2, 3, 3])
    t.equal(group.status(id).commit, 4)
  }
})

t.test('what is proposed is committed by whoever reaches a majority, and by nobody else', async t => {
  for (const [voters, dead, commit] of [[3, [], 2], [3, [3], 2], [3, [2, 3], 0], [4, [2, 3], 0], [5, [2, 3], 2]] as const) {
    const group = createGroup({ voters })
    group.cut(...dead)
    group.campaign(1)
    group.propose(1)
    group.settle()

    t.equal(group.status(1).commit, commit, `${voters} voters, without ${dead.join(' ')}`)
  }
})

t.test('an entry of an earlier term waits for one of the leader\'s own, though everybody could have it', async t => {
  const group = createGroup({ voters: 5 })
  group.campaign(1)
  group.cut(3, 4, 5)
  for (let at = 0; at < 2; at++) group.propose(1)
  group.settle()
  t.equal(group.status(1).commit, 1)
  group.heal()
  group.cut(1)
  group.drop = ({ type, entries }) => type === 'MsgApp' && entries.some(({ term }) => term === 2)
  group.campaign(2)
  t.match(group.status(2), { role: 'leader', commit: 1 })

  group.drop = () => false
  group.pass(3)
  t.equal(group.status(2).commit, 4)
})

const guarded = { checkQuorum: true }

t.test('while a leader is alive nobody supersedes it; once it has been silent for long enough, anybody may', async t => {
  const group = createGroup({ settings: guarded })
  group.campaign(1)
  group.core(2).setRandomizedElectionTicks(15)
  group.campaign(3)
  t.strictSame([group.status(3).role, group.status(2).term], ['candidate', 1])

  group.cut(1)
  group.tick(2, 10)
  group.campaign(3)
  t.equal(group.status(3).role, 'leader')
})

t.test('before there was a leader votes are given at once, and after a timeout to the next one', async t => {
  const group = createGroup({ settings: guarded })
  group.campaign(1)
  t.equal(group.status(1).role, 'leader')
  for (const id of [1, 2]) group.core(id).setRandomizedElectionTicks(19)
  group.drop = () => true
  group.tick(1, 10)
  group.tick(2, 10)
  group.settle()

  group.drop = () => false
  group.campaign(3)
  t.match([group.status(1), group.status(3)], [{ role: 'follower' }, { role: 'leader', term: 2 }])
})

t.test('a candidate that is stuck in a later term frees itself by its answer to the leader, with one election', async t => {
  const group = createGroup({ settings: guarded })
  group.campaign(1)
  group.cut(1)
  group.campaign(3)
  group.campaign(3)
  t.match([group.status(2), group.status(3)], [{ role: 'follower', term: 1 }, { role: 'candidate', term: 3 }])

  group.heal()
  group.tick(1)
  group.settle()
  t.match([group.status(1), group.status(3)], [{ role: 'follower', term: 3 }, { term: 3 }])
  group.campaign(3)
  t.equal(group.status(3).role, 'leader')
})

t.test('who cannot be elected follows all the same', async t => {
  const group = createGroup({ voters: 1, learners: [2], settings: guarded })
  group.tick(2, 30)
  t.equal(group.status(2).role, 'follower')
  group.campaign(1)
  group.pass(25)

  t.match([group.status(1), group.status(2)], [{ role: 'leader' }, { role: 'follower', lead: 1 }])
})

function disturbed (options: GroupOptions): Group {
  const group = createGroup(options)
  group.campaign(1)
  group.cut(3)
  group.tick(3, 25)
  group.heal()
  group.take()
  group.tick(1)
  group.settle()
  return group
}

t.test('a follower that lost patience unseats a leader it can hear, unless it asks first', async t => {
  const rash = disturbed({ settings: guarded })
  t.not(rash.status(1).role, 'leader', 'its later term is in its answer')
  t.ok(rash.status(1).term > 1)

  const polite = disturbed({ settings: { ...guarded, preVote: true } })
  t.match([polite.status(1), polite.status(3)], [{ role: 'leader', term: 1 }, { role: 'follower', term: 1, lead: 1 }])
})
