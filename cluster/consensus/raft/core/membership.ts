import { assert } from './assert.ts'
import { restoreMembership } from './conf-state.ts'
import { changeMembership } from './confchange.ts'
import { describeMembership } from './describe.ts'
import { advanceCommit, broadcastAppend, resumeAppends } from './replication.ts'
import { becomeFollower } from './roles.ts'
import type { Progress } from './progress.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import type { Membership } from './tracker.ts'
import { traceMembership } from './trace-event.ts'
import { none } from './types.ts'
import type { ConfChange, ConfState, NodeId } from './types.ts'

/** A membership is in force from when its entry is applied, on each peer at its own time. */
export function applyConfChange (raft: RaftState, change: ConfChange): ConfState {
  const { tracker, log, config } = raft
  const { membership, progress } = changeMembership(
    { membership: tracker.membership, progress: tracker.progress, lastIndex: log.lastIndex(), limits: config.limits }, change
  )
  switchMembership(raft, membership, progress)
  return tracker.confState()
}

/** The membership that a snapshot brings. */
export function restoreMembershipOf (raft: RaftState, conf: ConfState): void {
  const { membership, progress } = restoreMembership({ lastIndex: raft.log.lastIndex(), limits: raft.config.limits }, conf)
  switchMembership(raft, membership, progress)
}

export function switchMembership (raft: RaftState, membership: Membership, progress: ReadonlyMap<NodeId, Progress>): void {
  const { tracker } = raft
  traceMembership(raft, membership.voters.incoming)
  tracker.use(membership, progress)
  raft.trace?.('info', 'membership in force', [hex(raft.id), describeMembership(membership)])
  const own = tracker.get(raft.id)
  raft.isLearner = own?.isLearner ?? false
  if (raft.role !== 'leader') return

  if (own === undefined || raft.isLearner) {
    if (raft.config.stepDownOnRemoval) becomeFollower(raft, raft.term, none)
    return
  }
  assert(own.match <= raft.log.lastIndex(), 'a leader holds what it acknowledged', own.match)
  if (membership.voters.incoming.length === 0) return

  // Fewer voters may be needed now than have the entry; otherwise make the acquaintance of who is new.
  if (advanceCommit(raft)) broadcastAppend(raft)
  else resumeAppends(raft)
  if (!tracker.isVoter(raft.leadTransferee)) raft.leadTransferee = none
}
