import type { Killer, Mutant } from './mutant.ts'

const hostile: Killer = { profile: 'hostile' }
const five: Killer = { profile: 'hostile', voters: 5 }
const disk: Killer = { profile: 'disk' }
const replication: Killer = { test: 'scenarios/replication.test.ts' }
const flow: Killer = { test: 'scenarios/flow-control.test.ts' }
const snapshots: Killer = { test: 'scenarios/snapshots.test.ts' }

/** The log, its commit index, flow control and snapshots. */
export const replicationMutants: readonly Mutant[] = [
  {
    id: 'M1',
    what: 'a leader commits an entry of an older term by counting',
    file: 'core/log.ts',
    find: 'if (index <= this.#committed || !this.matches(index, term)) return false',
    replace: 'if (index <= this.#committed) return false',
    killers: [hostile]
  },
  {
    id: 'M3',
    what: 'a follower commits up to its own last entry',
    file: 'core/log.ts',
    find: 'this.commitTo(Math.min(committed, lastNew))',
    replace: 'this.commitTo(Math.min(committed, this.lastIndex()))',
    killers: [{ test: 'scenarios/replication.test.ts' }, hostile]
  },
  {
    id: 'M6',
    what: 'one voter too few commits',
    file: 'core/quorum.ts',
    find: 'const index = scratch[majority(count) - 1]!',
    replace: 'const index = scratch[Math.max(0, majority(count) - 2)]!',
    killers: [hostile]
  },
  {
    id: 'M7',
    what: 'a crash loses the last durable entry',
    file: 'simulator/disk.ts',
    find: 'const intact = this.#survivors()',
    replace: 'const intact = this.#survivors() * Math.min(1, Math.abs(Number(this.#durable.entries.pop()?.index ?? 1)))',
    killers: [hostile, disk]
  },
  {
    id: 'M10',
    what: 'a leader counts its own copy before it is durable',
    file: 'core/append.ts',
    find: "send(raft, 'MsgAppResp', { to: raft.id, index: raft.log.lastIndex() })",
    replace: "send(raft, 'MsgAppResp', { to: raft.id, index: raft.log.lastIndex() }); raft.tracker.get(raft.id)?.acknowledged(raft.log.lastIndex())",
    killers: [hostile]
  },
  {
    id: 'M10b',
    what: 'new entries are written without a sync',
    file: 'core/ready.ts',
    find: 'mustSync: entries.length > 0 || (hard',
    replace: 'mustSync: (hard',
    killers: [hostile]
  },
  {
    id: 'M13',
    what: 'every append cuts the log, whether it disagrees or not',
    file: 'core/log.ts',
    find: 'if (held === term) continue',
    replace: 'if (held === term && index <= this.#committed) continue',
    killers: [hostile, replication]
  },
  {
    id: 'M13b',
    what: 'an append that ends before the commit index is taken as any other',
    file: 'core/replica.ts',
    find: 'if (m.index < log.committed) {',
    replace: 'if (m.index < 0) {',
    killers: [replication, hostile]
  },
  {
    id: 'M14',
    what: 'a snapshot older than the commit index is installed',
    file: 'core/replica.ts',
    find: 'if (index <= log.committed) return false',
    replace: 'if (index < 0) return false',
    killers: [hostile, snapshots]
  },
  {
    id: 'M15',
    what: 'a snapshot leaves a conflicting log where it is',
    file: 'core/replica.ts',
    find: 'if (log.matches(index, term)) {',
    replace: 'if (index <= log.lastIndex()) {',
    killers: [hostile, five, snapshots]
  },
  {
    id: 'M16',
    what: 'after a refusal the next entry may be one that matches',
    file: 'core/progress.ts',
    find: 'this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1)',
    replace: 'this.next = Math.max(Math.min(rejected, hint + 1), 1)',
    killers: [replication, hostile]
  },
  {
    id: 'M17',
    what: 'an old acknowledgement takes back what matches',
    file: 'core/progress.ts',
    find: 'if (index <= this.match) return false\n    this.match = index',
    replace: 'if (index === this.match) return false\n    this.match = index',
    killers: [hostile]
  },
  {
    id: 'M30',
    what: 'the window stays shut after its messages were lost',
    file: 'core/leader.ts',
    find: 'peer.recentActive = true\n  peer.paused = false',
    replace: 'peer.recentActive = true',
    killers: [hostile, flow]
  },
  {
    id: 'M35',
    what: 'the answer of a write of an older term shortens the unstable tail',
    file: 'core/step.ts',
    find: 'if (m.index !== 0) raft.trace?.(\'info\', \'write of an older term\', [hex(raft.id), raft.term, m.term])',
    replace: 'if (m.index !== 0) raft.log.unstable.stableTo(m.index, m.logTerm)',
    killers: [replication, disk]
  },
  {
    id: 'M36',
    what: 'a heartbeat tells more commits than the follower is known to hold',
    file: 'core/replication.ts',
    find: 'const commit = Math.min(peer.match, raft.log.committed)',
    replace: 'const commit = raft.log.committed',
    killers: [hostile]
  },
  {
    id: 'M38',
    what: 'what was applied is counted as uncommitted for ever',
    file: 'core/append.ts',
    find: 'raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - bytes)',
    replace: 'raft.uncommittedBytes = Math.max(raft.uncommittedBytes, bytes)',
    killers: [flow, hostile]
  },
  {
    id: 'M38b',
    what: 'the uncommitted tail has no bound',
    file: 'core/append.ts',
    find: 'if (raft.uncommittedBytes > 0 && bytes > 0 && after > raft.config.limits.uncommittedBytesMax) return false',
    replace: 'if (after < 0) return false',
    killers: [hostile, flow]
  },
  {
    id: 'M46',
    what: 'entries are applied before they are durable here',
    file: 'core/log.ts',
    find: 'return allowUnstable ? this.#committed : Math.min(this.#committed, this.unstable.offset - 1)',
    replace: 'return allowUnstable || this.#committed > 0 ? this.#committed : 0',
    killers: [hostile]
  },
  {
    id: 'M47',
    what: 'a snapshot that failed is taken for arrived',
    file: 'core/leader.ts',
    find: 'if (m.reject) peer.pendingSnapshot = 0',
    replace: 'if (m.reject) peer.paused = false',
    killers: [snapshots, hostile]
  },
  {
    id: 'M48',
    what: 'a snapshot is never given up',
    file: 'core/leader.ts',
    find: "if (peer.state !== 'snapshot') return\n",
    replace: "if (peer.state !== 'snapshot' || m.reject) return\n",
    killers: [hostile]
  },
  {
    id: 'M49',
    what: 'a refusal from the past moves the probe',
    file: 'core/progress.ts',
    find: 'if (this.next - 1 !== rejected) return false',
    replace: 'if (rejected < 0) return false',
    killers: [replication, hostile]
  },
  {
    id: 'M50',
    what: 'the window holds one message more than it should',
    file: 'core/inflights.ts',
    find: 'get full (): boolean { return this.#count >= this.#messagesMax',
    replace: 'get full (): boolean { return this.#count > this.#messagesMax',
    killers: [hostile]
  },
  {
    id: 'M51',
    what: 'a divergent log is walked back entry by entry',
    file: 'core/acks.ts',
    find: 'const hint = m.logTerm > 0 ? raft.log.findConflictByTerm(m.rejectHint, m.logTerm).index : m.rejectHint',
    replace: 'const hint = Math.max(m.index - 1, 0)',
    killers: [replication]
  },
  {
    id: 'M52',
    what: 'a new leader adds no entry of its own',
    file: 'core/roles.ts',
    find: "const accepted = appendEntries(raft, [{ type: 'EntryNormal', data: emptyData }])",
    replace: 'const accepted = emptyData.length === 0 || appendEntries(raft, [])',
    killers: [hostile, replication]
  }
]
