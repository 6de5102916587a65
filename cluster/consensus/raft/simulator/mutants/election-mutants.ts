import type { Killer, Mutant } from './mutant.ts'

const hostile: Killer = { profile: 'hostile' }
const five: Killer = { profile: 'hostile', voters: 5 }
const membership: Killer = { profile: 'membership' }
const election: Killer = { test: 'scenarios/election.test.ts' }

/** Terms, votes, elections, and what must be durable before it is said. */
export const electionMutants: readonly Mutant[] = [
  {
    id: 'M2',
    what: 'a vote alone is not written down',
    file: 'core/ready.ts',
    find: 'this.#hard.term !== term || this.#hard.vote !== vote',
    replace: 'this.#hard.term !== term',
    killers: [hostile]
  },
  {
    id: 'M4',
    what: 'the up-to-date check ignores the last term',
    file: 'core/log.ts',
    find: 'return their.term > our.term || (their.term === our.term && their.index >= our.index)',
    replace: 'return their.index >= our.index',
    killers: [hostile]
  },
  {
    id: 'M5',
    what: 'half of the voters elect',
    file: 'core/quorum.ts',
    find: 'const needed = majority(voters.length)',
    replace: 'const needed = Math.max(1, Math.floor(voters.length / 2))',
    killers: [hostile]
  },
  {
    id: 'M8',
    what: 'two votes in one term',
    file: 'core/election.ts',
    find: 'const mayVote = raft.vote === m.from ||',
    replace: 'const mayVote = true ||',
    killers: [hostile]
  },
  {
    id: 'M9',
    what: 'messages of past terms are believed',
    file: 'core/step.ts',
    find: 'if (m.term !== 0 && m.term < raft.term) {',
    replace: "if (m.term !== 0 && m.term < raft.term && m.type !== 'MsgAppResp' && m.type !== 'MsgVoteResp' && m.type !== 'MsgApp') {",
    killers: [hostile]
  },
  {
    id: 'M11',
    what: 'an append is acknowledged before it is durable',
    file: 'core/outbox.ts',
    find: "if (type === 'MsgAppResp' ||",
    replace: "if ((type === 'MsgAppResp' && m.to === raft.id) ||",
    killers: [hostile]
  },
  {
    id: 'M12',
    what: 'a vote is granted before it is durable',
    file: 'core/outbox.ts',
    find: "|| type === 'MsgVoteResp' || type === 'MsgPreVoteResp') {",
    replace: "|| (type === 'MsgVoteResp' && m.to === raft.id) || type === 'MsgPreVoteResp') {",
    killers: [hostile]
  },
  {
    id: 'M12b',
    what: 'no sync when only the vote or the term changed',
    file: 'core/ready.ts',
    find: 'mustSync: entries.length > 0 || (hard !== undefined && (hard.term !== this.#hard.term || hard.vote !== this.#hard.vote))',
    replace: 'mustSync: entries.length > 0',
    killers: [hostile]
  },
  {
    id: 'M28',
    what: 'a granted pre-vote raises the term',
    file: 'core/step.ts',
    find: "if (m.type === 'MsgPreVote' || (m.type === 'MsgPreVoteResp' && !m.reject)) return true",
    replace: "if (m.type === 'MsgPreVote') return true",
    killers: [election, hostile]
  },
  {
    id: 'M28b',
    what: 'a pre-vote request raises the term',
    file: 'core/step.ts',
    find: "if (m.type === 'MsgPreVote' || (m.type === 'MsgPreVoteResp' && !m.reject)) return true",
    replace: "if (m.type === 'MsgPreVoteResp' && !m.reject) return true",
    killers: [election, hostile]
  },
  {
    id: 'M29',
    what: 'pre-votes are granted while the leader is fresh',
    file: 'core/step.ts',
    find: "const isRequest = m.type === 'MsgVote' || m.type === 'MsgPreVote'",
    replace: "const isRequest = m.type === 'MsgVote'",
    killers: [election]
  },
  {
    id: 'M29b',
    what: 'votes are granted while the leader is fresh',
    file: 'core/step.ts',
    find: "const isRequest = m.type === 'MsgVote' || m.type === 'MsgPreVote'",
    replace: "const isRequest = m.type === 'MsgPreVote'",
    killers: [election]
  },
  {
    id: 'M37',
    what: 'election timeouts are all the same',
    file: 'core/roles.ts',
    find: 'const extra = random.below(electionTicks)',
    replace: 'const extra = 0 * random.below(electionTicks)',
    killers: [hostile, { profile: 'calm' }, election]
  },
  {
    id: 'M41',
    what: 'a leader that hears nobody goes on leading',
    file: 'core/leader.ts',
    find: 'if (!raft.tracker.quorumActive()) {',
    replace: 'if (raft.tracker.members.length === 0) {',
    killers: [election]
  },
  {
    id: 'M42',
    what: 'a learner stands for election',
    file: 'core/election.ts',
    find: 'return own !== undefined && !own.isLearner && log.unstable.snapshot === undefined',
    replace: 'return own !== undefined && log.unstable.snapshot === undefined',
    killers: [{ profile: 'hostile', learners: 1 }]
  },
  {
    id: 'M43',
    what: 'an answer to a pre-candidacy counts for the candidacy',
    file: 'core/follower.ts',
    find: "case 'MsgPreVoteResp': if (raft.role === 'pre-candidate') countVote(raft, m); break",
    replace: "case 'MsgPreVoteResp': countVote(raft, m); break",
    killers: [hostile, five]
  },
  {
    id: 'M44',
    what: 'a leader of the past is not told of the newer term',
    file: 'core/step.ts',
    find: "if ((checkQuorum || preVote || !asEtcd) && (m.type === 'MsgHeartbeat' || m.type === 'MsgApp')) {",
    replace: "if ((checkQuorum || preVote || !asEtcd) && m.term === 0) {",
    killers: [hostile, election]
  },
  {
    id: 'M45',
    what: 'a former voter that refuses keeps the commit index to itself',
    file: 'core/election.ts',
    find: 'send(raft, type, { to: from, term: heard, reject: true, commit: log.committed, logTerm })',
    replace: 'send(raft, type, { to: from, term: heard, reject: true })',
    killers: [membership]
  }
]
