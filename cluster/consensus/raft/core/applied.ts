import { assert } from './assert.ts'
import { leaveJointEntry } from './conf-codec.ts'
import { describeMembership } from './describe.ts'
import { restoreMembershipOf } from './membership.ts'
import { propose } from './propose.ts'
import type { RaftState } from './state.ts'
import type { Index, Snapshot } from './types.ts'

/** The state machine holds everything up to `index`. A leader then leaves a joint membership that is to be left by itself. */
export function appliedTo (raft: RaftState, index: Index, bytes: number): void {
  const applied = Math.max(index, raft.log.applied)
  raft.log.appliedTo(applied, bytes)
  assert(raft.log.applied <= raft.log.committed, 'only what is committed is applied', applied, raft.log.committed)
  const { membership } = raft.tracker
  if (!membership.autoLeave || raft.role !== 'leader' || applied < raft.pendingConfIndex) return

  // Dropped during a transfer: then the next leader does it, or this one with the next entry it applies.
  const result = propose(raft, [leaveJointEntry])
  const text = describeMembership(membership)
  if (result.kind === 'dropped') raft.trace?.('debug', `joint membership stays: ${result.reason}`, [text])
  else raft.trace?.('info', 'leaving joint membership', [text])
}

export function appliedSnapshot (raft: RaftState, { meta }: Snapshot): void {
  assert(meta.index <= raft.log.committed, 'a snapshot holds only what is committed', meta.index, raft.log.committed)
  raft.log.unstable.stableSnapshotTo(meta.index)
  if (meta.index <= raft.log.applied) return
  if (!raft.config.asEtcd) restoreMembershipOf(raft, meta.confState)
  appliedTo(raft, meta.index, 0)
}
