import { acknowledged, refused } from './acks.ts'
import { describeProgress } from './describe.ts'
import type { Progress } from './progress.ts'
import { propose } from './propose.ts'
import { askRead, confirmReads } from './read-index.ts'
import { broadcastHeartbeat, sendAppend } from './replication.ts'
import { becomeFollower } from './roles.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { transferTo } from './transfer.ts'
import { none } from './types.ts'
import type { Message, StepResult } from './types.ts'

/** One tick of a leader: heartbeats, and now and then the question whether it still has followers. */
export function tickLeader (raft: RaftState): void {
  raft.heartbeatElapsed++
  raft.electionElapsed++
  if (raft.electionElapsed >= raft.config.electionTicks) {
    raft.electionElapsed = 0
    if (raft.config.checkQuorum) checkQuorum(raft)
    // The target did not take over in time: go on leading.
    raft.leadTransferee = none
  }
  if (raft.role !== 'leader' || raft.heartbeatElapsed < raft.config.heartbeatTicks) return
  raft.heartbeatElapsed = 0
  broadcastHeartbeat(raft)
}

export function stepLeader (raft: RaftState, m: Message): StepResult {
  switch (m.type) {
    case 'MsgProp': return propose(raft, m.entries).kind === 'dropped' ? 'dropped' : 'accepted'
    case 'MsgReadIndex': return askRead(raft, m)
    case 'MsgForgetLeader': return 'accepted'
    default:
  }
  const peer = raft.tracker.get(m.from)
  if (peer === undefined) raft.trace?.('debug', 'not a member', [hex(raft.id), hex(m.from)])
  else stepPeer(raft, peer, m)
  return 'accepted'
}

function stepPeer (raft: RaftState, peer: Progress, m: Message): void {
  switch (m.type) {
    case 'MsgAppResp':
      peer.recentActive = true
      if (m.reject) refused(raft, peer, m)
      else acknowledged(raft, peer, m)
      break
    case 'MsgHeartbeatResp': heartbeatAnswered(raft, peer, m); break
    case 'MsgSnapStatus': snapshotEnded(raft, peer, m); break
    case 'MsgUnreachable':
      // What is on its way is probably lost.
      if (peer.state === 'replicate') peer.becomeProbe()
      raft.trace?.('debug', 'peer is unreachable', [hex(raft.id), hex(m.from), describeProgress(peer)])
      break
    case 'MsgTransferLeader': transferTo(raft, peer); break
    default:
  }
}

function checkQuorum (raft: RaftState): void {
  if (!raft.tracker.quorumActive()) {
    raft.trace?.('warn', 'stepped down for want of a quorum', [hex(raft.id)])
    becomeFollower(raft, raft.term, none)
  }
  for (const peer of raft.tracker.members) {
    if (peer.id !== raft.id) peer.recentActive = false
  }
}

function heartbeatAnswered (raft: RaftState, peer: Progress, m: Message): void {
  peer.recentActive = true
  peer.paused = false
  // Also one that holds everything but is still probed: only an answer to an append brings it back to replicating.
  if (peer.match < raft.log.lastIndex() || peer.state === 'probe') sendAppend(raft, peer, true)
  if (m.context !== 0) confirmReads(raft, m.from, m.context)
}

function snapshotEnded (raft: RaftState, peer: Progress, m: Message): void {
  if (peer.state !== 'snapshot') return
  // If it failed, the next probe must not start from an index that never arrived.
  if (m.reject) peer.pendingSnapshot = 0
  peer.becomeProbe()
  raft.trace?.('debug', m.reject ? 'snapshot failed' : 'snapshot arrived', [hex(raft.id), hex(m.from), describeProgress(peer)])
  // The peer's own answer, or a heartbeat's, says when to go on.
  peer.paused = true
}
