/** Everything an operator asks of a peer, in one value that prints as JSON. */
import type { Applier } from './applier.ts'
import type { Driver } from './driver.ts'
import type { ApplyLane } from './lanes.ts'
import type { Proposals } from './proposals.ts'
import type { Reads } from './reads.ts'
import type { Snapshotter } from './snapshotter.ts'
import type { RaftStorage } from './storage.ts'
import type { StateMachine } from './state-machine.ts'
import type { RaftTransport } from './transport.ts'

export type NodeStatus = ReturnType<typeof nodeStatus>

export function nodeStatus ({ driver, storage, applier, apply, snapshotter, proposals, reads, transport, machine, stalls }: {
  readonly driver: Driver, readonly storage: RaftStorage, readonly applier: Applier, readonly apply: ApplyLane, readonly snapshotter: Snapshotter
  readonly proposals: Proposals, readonly reads: Reads, readonly transport: RaftTransport, readonly machine: StateMachine, readonly stalls: number
}) {
  const { clusterId, nodeId, incarnation, boot } = storage.identity
  const { conf, progress, term, role, lead, commit, lastIndex, firstIndex, uncommittedBytes, unstableEntries, leadTransferee, elections, leaderChanges } = driver.core.status()
  const log = storage.status()
  const nowMs = performance.now()
  const { members, confIndex, featureLevel, index: applied } = applier.at
  return {
    clusterId,
    nodeId,
    incarnation,
    boot,
    term,
    role,
    leader: lead === 0 ? undefined : lead,
    leaderChanges,
    elections,
    transferringTo: leadTransferee === 0 ? undefined : leadTransferee,
    commit,
    applied,
    firstIndex,
    lastIndex,
    membership: { ...conf, confIndex },
    members,
    featureLevel,
    digest: machine.digest().toString(16),
    peers: progress,
    connections: transport.status(),
    queues: {
      mailbox: driver.waiting,
      proposalsPending: proposals.pending,
      proposalsWaiting: proposals.waiting,
      reads: reads.pending,
      append: log.queuedBatches,
      apply: apply.queued,
      uncommittedBytes,
      unstableEntries
    },
    sessions: applier.sessions.size,
    log,
    snapshots: snapshotter.status(),
    readSeconds: reads.seconds.status(),
    /** Shares of the time from 0 to 1: what is near 1 holds the others up. */
    busy: { turns: driver.busy.share(nowMs), apply: apply.busy.share(nowMs), log: log.busy },
    eventLoopStalls: stalls
  }
}
