import t from 'tap'
import { createLonePeer } from '../scenarios/lone-peer.ts'
import { RaftInvariantError } from './assert.ts'
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate, chooseElectionTimeout } from './roles.ts'
import { createState } from './state.ts'
import type { RaftState } from './state.ts'
import type { Role } from './types.ts'

function stateIn (role: Role): RaftState {
  const { log } = createLonePeer()
  const state = createState({ id: 1, log, random: { below: () => 0 }, electionTicks: 10, heartbeatTicks: 1 })
  chooseElectionTimeout(state)
  becomeFollower(state, 1, 2)
  if (role === 'pre-candidate') becomePreCandidate(state)
  if (role === 'candidate' || role === 'leader') becomeCandidate(state)
  if (role === 'leader') becomeLeader(state)
  t.equal(state.role, role)
  return state
}

t.test('from each role some others are reached, in a term of their own, and the rest are bugs', async t => {
  const moves = {
    follower: (state: RaftState) => { becomeFollower(state, state.term, 3) },
    'pre-candidate': becomePreCandidate,
    candidate: becomeCandidate,
    leader: becomeLeader
  } satisfies Record<Role, (state: RaftState) => void>
  for (const [from, to, term, lead] of [
    ['follower', 'follower', 1, 3], ['follower', 'pre-candidate', 1, 0], ['follower', 'candidate', 2, 0], ['follower', 'leader', undefined, 0],
    ['pre-candidate', 'follower', 1, 3], ['pre-candidate', 'pre-candidate', 1, 0], ['pre-candidate', 'candidate', 2, 0], ['pre-candidate', 'leader', undefined, 0],
    ['candidate', 'follower', 2, 3], ['candidate', 'pre-candidate', 2, 0], ['candidate', 'candidate', 3, 0], ['candidate', 'leader', 2, 1],
    ['leader', 'follower', 2, 3], ['leader', 'pre-candidate', undefined, 0], ['leader', 'candidate', undefined, 0], ['leader', 'leader', undefined, 0]
  ] as const) {
    const state = stateIn(from)
    if (term === undefined) {
      t.throws(() => { moves[to](state) }, RaftInvariantError, `${from} to ${to}`)
      continue
    }
    moves[to](state)

    t.match(state, { role: to, term, lead }, `${from} to ${to}`)
  }
})

t.test('a term never falls', async t => {
  t.throws(() => { becomeFollower(stateIn('candidate'), 1, 0) }, RaftInvariantError)
})
