import type { RaftState } from './state.ts'
import type { ProgressStatus, Status } from './types.ts'

/** A copy of what this peer knows, for people and tests. */
export function statusOf (raft: RaftState): Status {
  const { id, term, vote, log, lead, role, tracker } = raft
  return {
    id,
    term,
    vote,
    commit: log.committed,
    applied: log.applied,
    applying: log.applying,
    firstIndex: log.firstIndex(),
    lastIndex: log.lastIndex(),
    lead,
    role,
    leadTransferee: raft.leadTransferee,
    pendingConfIndex: raft.pendingConfIndex,
    uncommittedBytes: raft.uncommittedBytes,
    unstableEntries: log.unstable.length,
    pendingReads: raft.reads.size,
    electionElapsed: raft.electionElapsed,
    randomizedElectionTicks: raft.randomizedElectionTicks,
    elections: { ...raft.elections },
    leaderChanges: raft.leaderChanges,
    conf: tracker.confState(),
    progress: role === 'leader' ? progressOf(raft) : []
  }
}

function progressOf ({ tracker }: RaftState): readonly ProgressStatus[] {
  return tracker.members.map(({ id, match, next, state, isLearner, paused, pendingSnapshot, recentActive, inflights }) => ({
    id,
    match,
    next,
    state,
    learner: isLearner,
    paused: paused || state === 'snapshot',
    pendingSnapshot,
    recentActive,
    inflightMessages: inflights.count,
    inflightBytes: inflights.bytes,
    inflightFull: inflights.full
  }))
}
