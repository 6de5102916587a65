import type { Killer, Mutant } from './mutant.ts'

const hostile: Killer = { profile: 'hostile' }
const membership: Killer = { profile: 'membership' }
const learners: Killer = { profile: 'hostile', learners: 2 }
const changes: Killer = { test: 'scenarios/membership.test.ts' }
const joint: Killer = { test: 'scenarios/joint.test.ts' }
const reads: Killer = { test: 'scenarios/reads.test.ts' }
const transfer: Killer = { test: 'scenarios/transfer.test.ts' }

/** Who decides, linearizable reads, and handing leadership over. */
export const membershipMutants: readonly Mutant[] = [
  {
    id: 'M18',
    what: 'a read is answered before the first commit of the term',
    file: 'core/read-index.ts',
    find: 'if (committedInTerm(raft)) start(raft, m)',
    replace: 'if (committedInTerm(raft) || raft.term > 0) start(raft, m)',
    killers: [hostile, reads]
  },
  {
    id: 'M19',
    what: 'learners confirm reads',
    file: 'core/read-queue.ts',
    find: 'const confirmed = jointCommittedIndex(voters, this.#ackedBy)',
    replace: 'const confirmed = jointCommittedIndex({ ...voters, incoming: [...this.#acked.keys()] }, this.#ackedBy)',
    killers: [reads, learners]
  },
  {
    id: 'M20',
    what: 'a read is confirmed by a round sent before it was asked',
    file: 'core/read-queue.ts',
    find: 'this.#pending.push({ request, index, round: this.#round + 1 })',
    replace: 'this.#pending.push({ request, index, round: this.#round })',
    killers: [hostile, reads]
  },
  {
    id: 'M20b',
    what: 'a read is confirmed by what was answered in an earlier leadership',
    file: 'core/read-queue.ts',
    find: 'this.#acked.clear()\n',
    replace: '\n',
    killers: [{ test: 'core/read-index.test.ts' }]
  },
  {
    id: 'M21',
    what: 'a change is proposed while the previous one is not applied',
    file: 'core/propose.ts',
    find: 'const reason = pending > applied',
    replace: 'const reason = pending > applied + Number.MAX_SAFE_INTEGER',
    killers: [membership]
  },
  {
    id: 'M21b',
    what: 'a new leader does not wait for the changes it finds in its log',
    file: 'core/roles.ts',
    find: 'raft.pendingConfIndex = raft.log.lastIndex()',
    replace: 'raft.pendingConfIndex = 0',
    killers: [membership, changes]
  },
  {
    id: 'M22',
    what: 'a peer stands for election with a committed change not applied',
    file: 'core/election.ts',
    find: 'if (hasUnappliedConfChange(raft)) return',
    replace: 'if (hasUnappliedConfChange(raft) && raft.term < 0) return',
    killers: [changes, membership]
  },
  {
    id: 'M23',
    what: 'a joint membership commits with the new majority alone',
    file: 'core/joint.ts',
    find: 'return outgoing.length === 0 ? index : Math.min(index, committedIndex(outgoing, acked))',
    replace: 'return outgoing.length >= 0 ? index : Math.min(index, committedIndex(outgoing, acked))',
    killers: [membership]
  },
  {
    id: 'M23b',
    what: 'a joint membership elects with the new majority alone',
    file: 'core/joint.ts',
    find: 'const theirs = voteResult(outgoing, cast)',
    replace: 'const theirs = voteResult(outgoing.slice(outgoing.length), cast)',
    killers: [joint, membership]
  },
  {
    id: 'M24',
    what: 'a joint membership is never left by itself',
    file: 'core/applied.ts',
    find: 'if (!membership.autoLeave ||',
    replace: 'if (membership.autoLeave || !membership.autoLeave ||',
    killers: [membership]
  },
  {
    id: 'M24b',
    what: 'leaving is proposed again with every entry that is applied',
    file: 'core/applied.ts',
    find: "raft.role !== 'leader' || applied < raft.pendingConfIndex) return",
    replace: "raft.role !== 'leader') return",
    killers: [joint, membership]
  },
  {
    id: 'M25',
    what: 'learners count for commits',
    file: 'core/tracker.ts',
    find: 'return jointCommittedIndex(this.voters, this.#matchOf)',
    replace: 'return jointCommittedIndex({ ...this.voters, incoming: [...this.voters.incoming, ...this.#membership.learners] }, this.#matchOf)',
    killers: [learners]
  },
  {
    id: 'M26',
    what: 'a removed leader counts itself',
    file: 'core/replication.ts',
    find: 'raft.log.tryCommit(raft.tracker.committed(), raft.term)',
    replace: 'raft.log.tryCommit(raft.tracker.isVoter(raft.id) ? raft.tracker.committed() : raft.log.lastIndex(), raft.term)',
    killers: [membership, changes]
  },
  {
    id: 'M27',
    what: 'a transfer is never given up',
    file: 'core/leader.ts',
    find: '// The target did not take over in time: go on leading.\n    raft.leadTransferee = none',
    replace: '// The target did not take over in time: go on leading.',
    killers: [transfer, hostile]
  },
  {
    id: 'M27b',
    what: 'a transfer goes on though its target is no voter any more',
    file: 'core/membership.ts',
    find: 'if (!tracker.isVoter(raft.leadTransferee)) raft.leadTransferee = none',
    replace: 'if (!tracker.isVoter(raft.id)) raft.leadTransferee = none',
    killers: [transfer, membership]
  },
  {
    id: 'M53',
    what: 'proposals are taken during a transfer',
    file: 'core/propose.ts',
    find: 'if (raft.leadTransferee !== none) {',
    replace: 'if (raft.leadTransferee !== none && raft.term === 0) {',
    killers: [transfer]
  },
  {
    id: 'M54',
    what: 'a removed leader goes on leading',
    file: 'core/membership.ts',
    find: 'if (raft.config.stepDownOnRemoval) becomeFollower(raft, raft.term, none)',
    replace: 'if (raft.config.stepDownOnRemoval && raft.term === 0) becomeFollower(raft, raft.term, none)',
    killers: [changes, membership]
  },
  {
    id: 'M55',
    what: 'a snapshot brings its membership before older entries are applied',
    file: 'core/replica.ts',
    find: 'if (raft.config.asEtcd) restoreMembershipOf',
    replace: 'if (raft.id > 0) restoreMembershipOf',
    killers: [{ test: 'core/ready.test.ts' }, membership]
  },
  {
    id: 'M56',
    what: 'a peer that a later change adds refuses the snapshot before it',
    file: 'core/replica.ts',
    find: 'if (raft.config.asEtcd && ![',
    replace: 'if (![',
    killers: [membership]
  },
  {
    id: 'M57',
    what: 'who becomes a learner on leaving does so at once',
    file: 'core/confchange.ts',
    find: 'if (this.outgoing.has(id)) this.learnersNext.add(id)\n    else this.makeLearnerNow(id)',
    replace: 'this.makeLearnerNow(id)',
    killers: [joint]
  }
]
