import { assert } from './assert.ts'
import type { Index, NodeId } from './types.ts'

export type VoteResult = 'pending' | 'lost' | 'won'
/** What a voter has acknowledged; undefined if it has not been heard. */
export type AckedIndex = (id: NodeId) => Index | undefined
export type CastVote = (id: NodeId) => boolean | undefined

/** Room to sort in, so that counting a quorum allocates nothing. */
const scratch: Index[] = []

/**
 * The highest index that a majority has acknowledged. Nobody to ask is Infinity rather than 0, so that the empty
 * half of a joint membership leaves the decision to the other half.
 */
export function committedIndex (voters: readonly NodeId[], acked: AckedIndex): Index {
  const count = voters.length
  if (count === 0) return Infinity

  for (let taken = 0; taken < count; taken++) insertDescending(scratch, taken, acked(voters[taken]!) ?? 0)
  const index = scratch[majority(count) - 1]!
  assert(index <= scratch[0]!, 'a majority is not ahead of everyone', index, scratch[0]!)
  return index
}

/** Nobody to ask counts as won, for the same reason. */
export function voteResult (voters: readonly NodeId[], cast: CastVote): VoteResult {
  if (voters.length === 0) return 'won'

  let granted = 0
  let missing = 0
  for (const id of voters) {
    const vote = cast(id)
    if (vote === undefined) missing++
    else if (vote) granted++
  }
  assert(granted + missing <= voters.length, 'no voter votes twice', granted, missing)

  const needed = majority(voters.length)
  if (granted >= needed) return 'won'
  return granted + missing >= needed ? 'pending' : 'lost'
}

export function majority (count: number): number {
  return Math.floor(count / 2) + 1
}

/** `sorted` holds `count` indexes and what is left of earlier calls. */
function insertDescending (sorted: Index[], count: number, index: Index): void {
  let at = count
  for (; at > 0 && sorted[at - 1]! < index; at--) sorted[at] = sorted[at - 1]!
  sorted[at] = index
}
