import t from 'tap'
import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import { FakeClock } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { createPeerset } from './peerset.ts'
import type { PeersetComponents } from './peerset.ts'
import { NotLeaderError, UnknownOutcomeError } from './raft/errors.ts'
import type { Member } from './raft/members.ts'
import type { RaftNode } from './raft/raft-node.ts'

const peers = ['a', 'b', 'c'] as unknown as readonly PeerId[]
const [a, b, c] = peers as readonly [PeerId, PeerId, PeerId]

interface Given {
  /** What this peer's engine does when it is to remove somebody. */
  readonly remove?: (members: PeerId[]) => Promise<void>
  /** What becomes of the same question to another peer. */
  readonly call?: (leader: PeerId, members: PeerId[]) => Promise<void>
  readonly draining?: readonly PeerId[]
  /** What is noted of members goes here. */
  readonly noted?: Member[]
}

/** `a` among three; time passes whenever it waits. */
function memberA ({ remove = async () => { throw new Error('not asked') }, call = async () => { throw new Error('not asked') }, draining: before = [], noted = [] }: Given) {
  const members = [...peers]
  const draining = new Set(before)
  const amend = async (member: Member): Promise<void> => {
    noted.push(member)
    if (member.isDraining) draining.add(member.name as PeerId)
    else draining.delete(member.name as PeerId)
  }
  const fake = new FakeClock()
  const clock: Clock = {
    now: () => fake.now(),
    after (delayMs, task) {
      setImmediate(() => { fake.advance(delayMs) })
      return fake.after(delayMs, task)
    }
  }
  const node = (): RaftNode => ({
    bookkeeping: () => ({ conf: { voters: members.map(name => peers.indexOf(name) + 1) }, members: members.map(name => ({ id: peers.indexOf(name) + 1, name, address: '', incarnation: 1, ...draining.has(name) && { isDraining: true } })) }),
    membership: { amend, remove: async () => { await remove(members) } }
  }) as unknown as RaftNode
  const rpc = { call: async (leader: PeerId) => { await call(leader, members) } } as unknown as PeersetComponents['rpc']
  return createPeerset({ self: a, node, rpc, clusterName: 'x', clock, assertMayChange () {} })
}

t.test('a leader that is gone is asked no more: the next one is', async t => {
  let leads = b
  const peerset = memberA({
    remove: async () => { throw new NotLeaderError(peers.indexOf(leads) + 1) },
    async call (leader, members) {
      if (leader === b) {
        leads = c
        throw new ClusterError('ERR_PEER_FAILED', 'cannot connect to b')
      }
      members.splice(1, 1)
    }
  })

  await peerset.remove(b, { signal: new AbortController().signal })

  t.strictSame(peerset.members().map(({ peer }) => peer), [a, c])
})

t.test('a removal whose answer was lost is not asked for again', async t => {
  let asked = 0
  const peerset = memberA({
    remove: async () => { throw new NotLeaderError(2) },
    async call (_leader, members) {
      asked++
      members.pop()
      throw new ClusterError('ERR_PEER_FAILED', 'b ended the stream')
    }
  })

  await peerset.remove(c, { signal: new AbortController().signal })

  t.equal(asked, 1)
})

t.test('who gives up hears whether it may happen yet', async t => {
  const leaderless = memberA({ remove: async () => { throw new NotLeaderError(undefined) } })
  const minority = memberA({ remove: async () => { throw new UnknownOutcomeError(0, 0) } })
  const forwarded = memberA({ remove: async () => { throw new NotLeaderError(2) }, call: async () => { throw new ClusterError('ERR_PEER_FAILED', 'away') } })

  await t.rejects(leaderless.remove(b, { signal: AbortSignal.timeout(20) }), { code: 'ERR_NO_LEADER', message: /^the peerset was not changed/ })
  await t.rejects(minority.remove(b, { signal: AbortSignal.timeout(20) }), { code: 'ERR_UNKNOWN_OUTCOME', message: /it may happen yet/ })
  await t.rejects(forwarded.remove(b, { signal: AbortSignal.timeout(20) }), { code: 'ERR_UNKNOWN_OUTCOME' })
})

t.test('that a member drains is noted once, and taken back', async t => {
  const noted: Member[] = []
  const options = { signal: new AbortController().signal }
  const peerset = memberA({ noted })

  await peerset.drain({ peer: b, isDraining: true }, options)
  await peerset.drain({ peer: b, isDraining: true }, options)
  t.strictSame(noted, [{ id: 2, name: b, address: '', incarnation: 1, isDraining: true }])
  await peerset.drain({ peer: b, isDraining: false }, options)
  t.strictSame(noted[1], { id: 2, name: b, address: '', incarnation: 1 })
})

t.test('somebody has to be left that is not drained, and who is drained has to be a member', async t => {
  const options = { signal: new AbortController().signal }

  await t.rejects(memberA({ draining: [b, c] }).drain({ peer: a, isDraining: true }, options), { code: 'ERR_INVALID_ARGUMENT', message: /only member that is not drained yet/ })
  await t.rejects(memberA({}).drain({ peer: 'x' as PeerId, isDraining: true }, options), { code: 'ERR_INVALID_ARGUMENT', message: 'x is not a member of this cluster' })
})
