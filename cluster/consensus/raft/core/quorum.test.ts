import t from 'tap'
import { createPrng } from './prng.ts'
import { committedIndex, majority, voteResult } from './quorum.ts'
import { jointCommittedIndex, jointVoteResult } from './joint.ts'

/** The largest index that more than half have reached, found by trying all of them. */
function bruteForce (indexes: ReadonlyArray<number | undefined>): number {
  const reached = (index: number): number => indexes.filter(held => (held ?? 0) >= index).length
  return Math.max(0, ...indexes.map(held => held ?? 0).filter(index => reached(index) * 2 > indexes.length))
}

t.test('50,000 random majorities commit what a count by hand commits', async t => {
  const random = createPrng(20_260)
  let wrong = 0
  for (let round = 0; round < 50_000; round++) {
    const indexes = Array.from({ length: 1 + random.below(11) }, () => random.below(5) === 0 ? undefined : random.below(100))
    const voters = indexes.map((_, at) => at + 1)

    if (committedIndex(voters, id => indexes[id - 1]) !== bruteForce(indexes)) wrong++
  }
  t.equal(wrong, 0)
})

t.test('10,000 random votes are won, lost or open as a count by hand says', async t => {
  const random = createPrng(9)
  let wrong = 0
  for (let round = 0; round < 10_000; round++) {
    const votes = Array.from({ length: 1 + random.below(7) }, () => [true, false, undefined][random.below(3)])
    const voters = votes.map((_, at) => at + 1)
    const yes = votes.filter(vote => vote === true).length
    const open = votes.filter(vote => vote === undefined).length
    const expected = yes * 2 > votes.length ? 'won' : (yes + open) * 2 > votes.length ? 'pending' : 'lost'

    if (voteResult(voters, id => votes[id - 1]) !== expected) wrong++
  }
  t.equal(wrong, 0)
})

t.test('a joint decision is the weaker of its halves', async t => {
  const voters = { incoming: [1, 2, 3], outgoing: [3, 4, 5] }
  const acked = (id: number): number => [0, 9, 9, 4, 3, 2][id]!

  t.equal(committedIndex(voters.incoming, acked), 9)
  t.equal(jointCommittedIndex(voters, acked), 3)
  t.equal(jointVoteResult(voters, id => id <= 2 ? true : undefined), 'pending')
  t.equal(jointVoteResult(voters, id => id <= 2 ? true : false), 'lost')
})

t.test('an empty half leaves the decision to the other', async t => {
  t.equal(committedIndex([], () => 1), Infinity)
  t.equal(voteResult([], () => undefined), 'won')
  t.equal(jointCommittedIndex({ incoming: [1], outgoing: [] }, () => 7), 7)
})

t.test('a majority is more than half', async t => {
  t.strictSame([1, 2, 3, 4, 5, 6, 7].map(majority), [1, 2, 2, 3, 3, 4, 4])
})
