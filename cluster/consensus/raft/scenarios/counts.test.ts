import t from 'tap'
import { createGroup } from './group.ts'

const safe = { preVote: true, checkQuorum: true }

t.test('a peer counts why it stood for election, once each time, and how often it was elected', async t => {
  const group = createGroup({ settings: safe })
  group.tick(1, 20)
  group.settle()
  t.match(group.status(1), { role: 'leader', elections: { timeout: 1, asked: 0, transfer: 0, won: 1 } }, 'the pre-candidacy and the candidacy are one')
  group.core(1).transferLeader(2)
  group.settle()
  t.match(group.status(2).elections, { timeout: 0, asked: 0, transfer: 1, won: 1 })

  group.campaign(1)
  t.match(group.status(1).elections, { timeout: 1, asked: 1, won: 1 }, 'asked for, and refused')
  t.strictSame(group.status(3).elections, { timeout: 0, asked: 0, transfer: 0, won: 0 })
})

t.test('a peer counts each new leader it finds, and not the times without one', async t => {
  const group = createGroup({ settings: safe })
  group.campaign(1)
  group.core(1).transferLeader(2)
  group.settle()
  group.core(3).forgetLeader()
  group.work()
  group.pass(2)

  t.strictSame(group.ids.map(id => group.status(id).leaderChanges), [2, 2, 3])
})
