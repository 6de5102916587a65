import t from 'tap'
import { other, self } from '../ipfs-compat-tests/harness/pins.ts'
import type { PeerId } from './api/pin.ts'
import type { JoinRequest } from './peer-ports.ts'
import { createHandlers } from './rpc-handlers.ts'
import type { HandlersComponents } from './rpc-handlers.ts'

const { signal } = new AbortController()
const joiner = '12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM' as PeerId
const request: JoinRequest = { peer: joiner, clusterName: 'x', nodeId: 3, incarnation: 1, addresses: [], daemon: '', votes: true }

/** A peer that votes alone, and `learners`, which are members and do not vote yet. */
function handlersOf (learners: readonly PeerId[]) {
  const added: JoinRequest[] = []
  const components = {
    consensus: { assertMayChange () {}, peerset: () => [self], isTrusted: (peer: PeerId) => [self, ...learners].includes(peer) },
    membership: { async add (request: JoinRequest) { added.push(request); return [] } }
  }
  return { added, handlers: createHandlers(components as unknown as HandlersComponents) }
}

t.test('a member that does not vote yet passes on who wants to join: two that start at the same time ask each other', async t => {
  const { added, handlers } = handlersOf([other])

  await handlers['Cluster.Join'](request, { peer: other, signal })

  t.strictSame(added, [request])
})

t.test('a stranger speaks for itself, and whom it spoke for is not refused for that', async t => {
  const { added, handlers } = handlersOf([])

  await t.rejects(handlers['Cluster.Join'](request, { peer: other, signal }), { code: 'ERR_NO_LEADER' })
  await handlers['Cluster.Join'](request, { peer: joiner, signal })

  t.strictSame(added, [request])
})
