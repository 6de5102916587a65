import t from 'tap'
import { electionTicks, Group } from '../replay/group.ts'
import { RaftInvariantError } from './assert.ts'
import { restoreMembership } from './conf-state.ts'
import { emptyData } from './entries.ts'
import { defaultLimits, nodeIdMax, termMax } from './limits.ts'
import { RaftCore } from './raft.ts'
import type { ConfState, HardState, LogReader, RaftCoreConfig } from './types.ts'

/** A peer that starts from two more entries than its snapshot at 2, and whatever is asked for. */
function start (config: Partial<RaftCoreConfig>, hard: HardState = { term: 1, vote: 0, commit: 3 }): RaftCore {
  const { log } = new Group({ voters: [1, 2, 3] }).node(1)
  log.append([3, 4].map(index => ({ term: 1, index, type: 'EntryNormal', data: emptyData })))
  log.setHardState(hard)
  return new RaftCore({ id: 1, log, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1, ...config })
}

t.test('a peer does not start with settings that cannot work', async t => {
  const wrong: ReadonlyArray<Partial<RaftCoreConfig>> = [
    { id: 0 }, { id: nodeIdMax + 1 }, { id: 1.5 },
    { heartbeatTicks: 0 },
    { electionTicks: 3, heartbeatTicks: 3 },
    { limits: { inflightBytesMax: 9, messageBytesMax: 10 } },
    { limits: { inflightMessagesMax: 0 } },
    { readOnly: 'lease', checkQuorum: false },
    { applied: 4 }
  ]
  for (const config of wrong) t.throws(() => start(config), RaftInvariantError, JSON.stringify(config))

  for (const config of [
    { id: nodeIdMax }, { electionTicks: 4, heartbeatTicks: 3 }, { limits: { inflightBytesMax: 10, messageBytesMax: 10 } }, { readOnly: 'lease' }, { applied: 3 }
  ] as const) t.ok(start(config), JSON.stringify(config))
})

t.test('a peer does not start from what storage cannot have', async t => {
  for (const hard of [
    { term: 1, vote: 0, commit: 1 }, // before the snapshot
    { term: 1, vote: 0, commit: 5 }, // beyond the log
    { term: termMax + 1, vote: 0, commit: 3 },
    { term: 1, vote: nodeIdMax + 1, commit: 3 }
  ]) t.throws(() => start({}, hard), RaftInvariantError, JSON.stringify(hard))

  const { log } = new Group({ voters: [1, 2, 3] }).node(1)
  for (const [first, last] of [[0, 5], [3, 1]] as const) {
    const reader: LogReader = {
      initialState: () => log.initialState(), firstIndex: () => first, lastIndex: () => last,
      term: () => 1, entries: () => [], snapshot: () => 'pending'
    }
    t.throws(() => start({ log: reader }), RaftInvariantError, `${first} to ${last}`)
  }
})

t.test('what is not asked for is safe: pre-vote, the check of the quorum, stepping down, reads by heartbeats', async t => {
  const core = start({})
  core.campaign()

  t.match(core.status(), { role: 'pre-candidate', term: 1, applied: 2, commit: 3 })
})

t.test('a membership is restored only if it is one', async t => {
  const of = (conf: Partial<ConfState>): unknown => restoreMembership(
    { lastIndex: 5, limits: defaultLimits }, { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false, ...conf })

  for (const conf of [
    { voters: [1, 2], autoLeave: true },
    { voters: [1, 2], learnersNext: [3] },
    { voters: [1, 2], learners: [2] },
    { voters: [1, 1] },
    { voters: [1], votersOutgoing: [2], learnersNext: [3] },
    { voters: [1], votersOutgoing: [2], learners: [2] }
  ]) t.throws(() => of(conf), JSON.stringify(conf))
  t.ok(of({ voters: [1], votersOutgoing: [2], learnersNext: [2], autoLeave: true }))
})
