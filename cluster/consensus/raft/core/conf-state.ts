import { changeSimply, enterJoint } from './confchange.ts'
import type { ConfChangeBase, ConfChangeOutcome } from './confchange.ts'
import { assert } from './assert.ts'
import { emptyMembership } from './tracker.ts'
import type { ConfChangeSingle, ConfChangeType, ConfState, NodeId } from './types.ts'

/**
 * The membership that a snapshot or a restart names, built by the same steps that could have led to it, so that no
 * state can be restored that could not have been reached.
 */
export function restoreMembership (base: Pick<ConfChangeBase, 'lastIndex' | 'limits'>, conf: ConfState): ConfChangeOutcome {
  let outcome: ConfChangeOutcome = { membership: emptyMembership, progress: new Map() }
  const next = (): ConfChangeBase => ({ ...base, ...outcome })

  // Member by member the group that was there before the joint state, if there is one.
  for (const change of all('ConfChangeAddNode', conf.votersOutgoing)) outcome = changeSimply(next(), [change])

  const incoming = [
    ...all('ConfChangeRemoveNode', conf.votersOutgoing),
    ...all('ConfChangeAddNode', conf.voters),
    ...all('ConfChangeAddLearnerNode', conf.learners),
    ...all('ConfChangeAddLearnerNode', conf.learnersNext)
  ]
  if (conf.votersOutgoing.length > 0) {
    outcome = enterJoint(next(), conf.autoLeave, incoming)
  } else {
    for (const change of incoming) outcome = changeSimply(next(), [change])
  }
  assertSame(outcome, conf)
  return outcome
}

function all (type: ConfChangeType, ids: readonly NodeId[]): readonly ConfChangeSingle[] {
  return ids.map(nodeId => ({ type, nodeId }))
}

function assertSame ({ membership }: ConfChangeOutcome, conf: ConfState): void {
  const same = (a: readonly NodeId[], b: readonly NodeId[]): boolean =>
    a.length === b.length && a.every(id => b.includes(id))
  assert(same(membership.voters.incoming, conf.voters), 'restored voters are those named')
  assert(same(membership.voters.outgoing, conf.votersOutgoing), 'restored outgoing voters are those named')
  assert(same(membership.learners, conf.learners), 'restored learners are those named')
  assert(same(membership.learnersNext, conf.learnersNext), 'restored future learners are those named')
  assert(membership.autoLeave === conf.autoLeave, 'a restored joint state is left as it was to be')
}
