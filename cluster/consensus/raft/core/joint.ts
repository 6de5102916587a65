import { committedIndex, voteResult } from './quorum.ts'
import type { AckedIndex, CastVote, VoteResult } from './quorum.ts'
import type { Index, NodeId } from './types.ts'

/** Two majorities that must agree; the outgoing one is empty unless the membership is being changed jointly. */
export interface JointVoters {
  readonly incoming: readonly NodeId[]
  readonly outgoing: readonly NodeId[]
}

export function jointCommittedIndex ({ incoming, outgoing }: JointVoters, acked: AckedIndex): Index {
  const index = committedIndex(incoming, acked)
  return outgoing.length === 0 ? index : Math.min(index, committedIndex(outgoing, acked))
}

export function jointVoteResult ({ incoming, outgoing }: JointVoters, cast: CastVote): VoteResult {
  const ours = voteResult(incoming, cast)
  const theirs = voteResult(outgoing, cast)
  if (ours === theirs) return ours
  return ours === 'lost' || theirs === 'lost' ? 'lost' : 'pending'
}

/** Everyone who votes in either half, ascending. */
export function jointIds ({ incoming, outgoing }: JointVoters): readonly NodeId[] {
  if (outgoing.length === 0) return incoming
  return [...new Set([...incoming, ...outgoing])].sort((a, b) => a - b)
}
