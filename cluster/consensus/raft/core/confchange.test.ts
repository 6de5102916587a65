import t from 'tap'
import { restoreMembership } from './conf-state.ts'
import { changeMembership, changeSimply, ConfChangeError, enterJoint, leaveJoint } from './confchange.ts'
import type { ConfChangeBase, ConfChangeErrorCode, ConfChangeOutcome } from './confchange.ts'
import { emptyData } from './entries.ts'
import { defaultLimits } from './limits.ts'
import { createPrng } from './prng.ts'
import { emptyMembership, Tracker } from './tracker.ts'
import type { ConfChangeSingle, ConfChangeType, ConfState } from './types.ts'

const kinds: Readonly<Record<string, ConfChangeType>> = {
  v: 'ConfChangeAddNode', l: 'ConfChangeAddLearnerNode', r: 'ConfChangeRemoveNode', u: 'ConfChangeUpdateNode'
}
const changes = (words: string): readonly ConfChangeSingle[] =>
  words.split(' ').filter(word => word !== '').map(word => ({ type: kinds[word[0]!]!, nodeId: Number(word.slice(1)) }))
const nothing: ConfChangeOutcome = { membership: emptyMembership, progress: new Map() }
const on = (outcome: ConfChangeOutcome, limits = defaultLimits): ConfChangeBase => ({ ...outcome, lastIndex: 5, limits })
const group = (conf: Partial<ConfState>): ConfChangeOutcome => restoreMembership({ lastIndex: 5, limits: defaultLimits }, {
  voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false, ...conf
})
const confOf = ({ membership, progress }: ConfChangeOutcome): ConfState => {
  const tracker = new Tracker()
  tracker.use(membership, progress)
  return tracker.confState()
}
const codeOf = (run: () => unknown): ConfChangeErrorCode | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof ConfChangeError) return error.code
    throw error
  }
}

t.test('1,000 random sequences end alike, one by one or joint at once', async t => {
  const random = createPrng(77)
  const word = (): string => `${'vlru'[random.below(4)]!}${1 + random.below(9)}`
  let compared = 0
  for (let round = 0; round < 1_000; round++) {
    const start = changeSimply(on(nothing), changes('v1'))
    // The first voter stays, so that no sequence is refused for leaving nobody.
    const wanted = Array.from({ length: 1 + random.below(8) }, word).filter(w => !/^[lr]1$/.test(w))
    if (wanted.length === 0) continue

    let oneByOne = start
    for (const w of wanted) oneByOne = changeSimply(on(oneByOne), changes(w))
    const atOnce = leaveJoint(on(enterJoint(on(start), false, changes(wanted.join(' ')))))

    t.strictSame(confOf(atOnce), confOf(oneByOne), wanted.join(' '))
    compared++
  }
  t.ok(compared > 900)
})

t.test('changes that do not fit are refused, each for its reason', async t => {
  const three = group({ voters: [1, 2, 3] })
  const joint = enterJoint(on(three), true, changes('v4 r1'))

  t.equal(codeOf(() => changeSimply(on(three), changes('v4 v5'))), 'several-voters')
  t.equal(codeOf(() => changeSimply(on(three), changes('r1 r2 r3'))), 'no-voters-left')
  t.equal(codeOf(() => changeSimply(on(joint), changes('v5'))), 'joint-needs-leaving')
  t.equal(codeOf(() => enterJoint(on(joint), false, changes('v5'))), 'already-joint')
  t.equal(codeOf(() => enterJoint(on(nothing), false, changes('v1'))), 'no-voters-to-join')
  t.equal(codeOf(() => leaveJoint(on(three))), 'not-joint')
  t.equal(codeOf(() => changeSimply(on(three, { ...defaultLimits, votersMax: 3 }), changes('v4'))), 'too-many-members')
})

t.test('a refused change leaves the progress of the members as it was', async t => {
  const three = group({ voters: [1, 2, 3] })

  t.equal(codeOf(() => changeSimply(on(three), changes('l3 l2'))), 'several-voters')

  t.equal(three.progress.get(3)!.isLearner, false)
  t.equal(three.progress.get(2)!.isLearner, false)
})

t.test('a voter that becomes a learner stays a voter of the old half until it is left', async t => {
  const joint = enterJoint(on(group({ voters: [1, 2, 3] })), true, changes('l3 v4'))
  t.match(confOf(joint), { voters: [1, 2, 4], votersOutgoing: [1, 2, 3], learners: [], learnersNext: [3], autoLeave: true })
  t.equal(joint.progress.get(3)!.isLearner, false)

  const left = leaveJoint(on(joint))
  t.match(confOf(left), { voters: [1, 2, 4], votersOutgoing: [], learners: [3], learnersNext: [], autoLeave: false })
  t.equal(left.progress.get(3)!.isLearner, true)
})

t.test('a removed voter is tracked until the joint state is left', async t => {
  const joint = enterJoint(on(group({ voters: [1, 2, 3] })), false, changes('r3'))

  t.ok(joint.progress.has(3))
  t.notOk(leaveJoint(on(joint)).progress.has(3))
})

t.test('the transition decides between simple, joint and leaving', async t => {
  const three = on(group({ voters: [1, 2, 3] }))
  const one = { changes: changes('v4'), context: emptyData }

  t.strictSame(confOf(changeMembership(three, { transition: 'auto', ...one })).votersOutgoing, [])
  const implicit = changeMembership(three, { transition: 'implicit', ...one })
  t.match(confOf(implicit), { votersOutgoing: [1, 2, 3], autoLeave: true })
  t.match(confOf(changeMembership(three, { transition: 'explicit', ...one })), { votersOutgoing: [1, 2, 3], autoLeave: false })
  const leave = { transition: 'auto', changes: [], context: emptyData } as const
  t.match(confOf(changeMembership(on(implicit), leave)), { voters: [1, 2, 3, 4], votersOutgoing: [] })
})

t.test('a new member is probed from the last index and counts as alive', async t => {
  const { progress } = changeSimply(on(group({ voters: [1] })), changes('v2'))

  t.match(progress.get(2), { match: 0, next: 5, state: 'probe', recentActive: true, isLearner: false })
})

t.test('500 random memberships are restored as they were named', async t => {
  const random = createPrng(3)
  for (let round = 0; round < 500; round++) {
    const ids = Array.from({ length: 10 }, (_, at) => at + 1)
    const some = (from: readonly number[]): number[] => from.filter(() => random.below(2) === 0)
    const voters = [ids[random.below(10)]!, ...some(ids)].filter((id, at, all) => all.indexOf(id) === at).sort((a, b) => a - b)
    const votersOutgoing = random.below(2) === 0 ? [] : some(ids)
    const rest = ids.filter(id => !voters.includes(id))
    const learners = some(rest.filter(id => !votersOutgoing.includes(id)))
    const learnersNext = some(rest.filter(id => votersOutgoing.includes(id)))
    const conf = { voters, votersOutgoing, learners, learnersNext, autoLeave: votersOutgoing.length > 0 && random.below(2) === 0 }

    t.strictSame(confOf(group(conf)), conf)
  }
})

t.test('the group may be as large as its limits say, and no larger', async t => {
  const limits = { ...defaultLimits, votersMax: 3, learnersMax: 2 }
  const full = changeSimply(on(changeSimply(on(group({ voters: [1, 2] }), limits), changes('v3 l4')), limits), changes('l5'))

  t.match(confOf(full), { voters: [1, 2, 3], learners: [4, 5] })
  t.equal(codeOf(() => changeSimply(on(full, limits), changes('l6'))), 'too-many-members')
  t.equal(codeOf(() => changeSimply(on(full, limits), changes('v6'))), 'too-many-members')
  t.equal(codeOf(() => enterJoint(on(full, limits), true, changes('v6'))), 'too-many-members')
})

t.test('a membership that cannot be is not built upon', async t => {
  const { membership, progress } = group({ voters: [1, 2], learners: [3] })
  const joint = enterJoint(on({ membership, progress }), true, changes('l2'))
  const bad = (changed: Partial<typeof membership>, of = membership, tracked = progress): ConfChangeOutcome =>
    ({ membership: { ...of, ...changed }, progress: tracked })
  const codes = [
    bad({ learners: [2, 3] }), // voter and learner
    bad({ learners: [2] }, joint.membership, joint.progress), // outgoing voter and learner
    bad({ learners: [9] }), // nobody knows 9
    bad({ voters: { incoming: [1, 2, 3], outgoing: [] }, learners: [] }, membership, new Map()), // nor anybody
    bad({ voters: { incoming: [1], outgoing: [] }, learners: [2] }), // marked as a voter
    bad({ autoLeave: true }), // nothing to leave
    bad({ learnersNext: [2] }),
    bad({ learnersNext: [3], learners: [] }, joint.membership, joint.progress) // no outgoing voter
  ].map(outcome => codeOf(() => outcome.membership.voters.outgoing.length > 0 ? leaveJoint(on(outcome)) : changeSimply(on(outcome), changes('u1'))))

  t.strictSame(new Set(codes), new Set(['inconsistent']))
})
