import t from 'tap'
import { Spec } from './spec.ts'
import { changed, isQuorum } from './spec-membership.ts'
import { drawSettings } from './settings.ts'
import { SpecViolation } from './violation.ts'
import { message } from '../core/message.ts'
import type { LogImage } from './log-image.ts'
import type { ConfState, Entry, NodeId, Ready, Role, Status, Term } from '../core/types.ts'

const conf: ConfState = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
const settings = drawSettings({ seed: 1, voters: 3, learners: 0, ticks: 1, profile: 'calm' })
const nothing: Ready = { softState: undefined, hardState: undefined, readStates: [], entries: [], snapshot: undefined, committedEntries: [], messages: [], mustSync: false }

function entry (index: number, term: Term, byte = 0): Entry {
  return { index, term, type: 'EntryNormal', data: Uint8Array.of(byte) }
}

/** A specification that watches three peers with these logs on disk. */
function watching (logs: Record<NodeId, readonly Entry[]>, commit = 0): Spec {
  const image = (id: NodeId): LogImage => ({
    base: 0,
    baseTerm: 0,
    entries: [...logs[id] ?? []],
    hard: { term: logs[id]?.at(-1)?.term ?? 0, vote: 0, commit },
    snapshot: { meta: { index: 0, term: 0, confState: conf }, data: new Uint8Array(4) }
  })
  const images = new Map([1, 2, 3].map(id => [id, image(id)]))
  const spec = new Spec(settings, id => images.get(id) as LogImage)
  for (const [id, held] of images) spec.started(id, held, { applied: 0, appliedTerm: 0, digest: 0, conf, sessions: [] })
  return spec
}

function seen (role: Role, term: Term, commit = 0, lastIndex = 0): Status {
  return { role, term, commit, lastIndex, uncommittedBytes: 0, progress: [] } as unknown as Status
}

/** The rule that an act breaks. */
function brokenBy (act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (err) {
    if (err instanceof SpecViolation) return err.rule
    throw err
  }
}

t.test('two leaders in one term', async t => {
  const spec = watching({})
  spec.handedOut(1, nothing, seen('leader', 2))

  t.equal(brokenBy(() => { spec.handedOut(2, nothing, seen('leader', 2)) }), 'election-safety')
})

t.test('a leader that lacks what was committed before', async t => {
  const spec = watching({ 1: [entry(1, 1)], 2: [entry(1, 1)] })
  spec.handedOut(1, nothing, seen('follower', 1, 1))

  t.equal(brokenBy(() => { spec.handedOut(3, nothing, seen('leader', 2)) }), 'leader-completeness')
})

t.test('two entries at one place in one term', async t => {
  const spec = watching({})
  spec.handedOut(1, { ...nothing, entries: [entry(1, 1, 7)] }, seen('follower', 1))

  t.equal(brokenBy(() => { spec.handedOut(2, { ...nothing, entries: [entry(1, 1, 8)] }, seen('follower', 1)) }), 'log-matching')
})

t.test('one entry with two predecessors', async t => {
  const spec = watching({ 1: [entry(1, 1)], 2: [entry(1, 2)] })
  spec.handedOut(1, { ...nothing, entries: [entry(2, 3)] }, seen('follower', 3))

  t.equal(brokenBy(() => { spec.handedOut(2, { ...nothing, entries: [entry(2, 3)] }, seen('follower', 3)) }), 'log-matching')
})

t.test('a commit that no quorum has on disk', async t => {
  const spec = watching({ 1: [entry(1, 1)] })

  t.equal(brokenBy(() => { spec.handedOut(1, nothing, seen('leader', 1, 1)) }), 'committed-is-durable')
})

t.test('an older entry committed by counting', async t => {
  const spec = watching({ 1: [entry(1, 1)], 2: [entry(1, 1)] })

  t.equal(brokenBy(() => { spec.handedOut(1, nothing, seen('leader', 2, 1)) }), 'commit-own-term')
})

t.test('another entry committed at the same place', async t => {
  const spec = watching({ 1: [entry(1, 1)], 2: [entry(1, 1)], 3: [entry(1, 2)] })
  spec.handedOut(1, nothing, seen('follower', 1, 1))

  t.equal(brokenBy(() => { spec.handedOut(3, nothing, seen('follower', 2, 1)) }), 'state-machine-safety')
})

t.test('a term or a commit index that goes back', async t => {
  const spec = watching({ 1: [entry(1, 2)], 2: [entry(1, 2)] }, 1)

  t.equal(brokenBy(() => { spec.handedOut(1, nothing, seen('follower', 1, 1)) }), 'monotone-term')
  t.equal(brokenBy(() => { spec.handedOut(2, nothing, seen('follower', 2, 0)) }), 'monotone-commit')
})

t.test('a promise that is not on disk', async t => {
  const spec = watching({ 1: [entry(1, 1)] })

  t.equal(brokenBy(() => { spec.sent(1, message('MsgAppResp', { to: 2, term: 1, index: 2 })) }), 'durable-before-said')
  t.equal(brokenBy(() => { spec.sent(1, message('MsgVoteResp', { to: 2, term: 1 })) }), 'durable-before-said')
  t.equal(brokenBy(() => { spec.sent(1, message('MsgVote', { to: 2, term: 2 })) }), 'durable-before-said')
  t.doesNotThrow(() => { spec.sent(1, message('MsgAppResp', { to: 2, term: 1, index: 1 })) })
})

t.test('a read that is older than what was committed when it was asked', async t => {
  const spec = watching({ 1: [entry(1, 1)], 2: [entry(1, 1)] })
  spec.handedOut(1, nothing, seen('leader', 1, 1))
  spec.readAsked(5)

  t.equal(brokenBy(() => { spec.readAnswered(2, 5, 0) }), 'read-index')
  t.doesNotThrow(() => { spec.readAnswered(2, 5, 1) })
})

t.test('memberships: what a change makes, and who is a quorum', async t => {
  const joint = changed(conf, { transition: 'auto', changes: [{ type: 'ConfChangeAddNode', nodeId: 4 }, { type: 'ConfChangeAddLearnerNode', nodeId: 1 }], context: new Uint8Array(0) })
  t.strictSame(joint, { voters: [2, 3, 4], votersOutgoing: [1, 2, 3], learners: [], learnersNext: [1], autoLeave: true })
  t.notOk(isQuorum(joint, id => id === 3 || id === 4))
  t.ok(isQuorum(joint, id => id === 2 || id === 3))

  const after = changed(joint, { transition: 'auto', changes: [], context: new Uint8Array(0) })
  t.strictSame(after, { voters: [2, 3, 4], votersOutgoing: [], learners: [1], learnersNext: [], autoLeave: false })
})
