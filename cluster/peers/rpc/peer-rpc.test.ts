import t from 'tap'
import { createIdentity } from '../../config/identity.ts'
import { FakeClock } from '../../clock.ts'
import { silentLogger } from '../../log.ts'
import type { PeerStreams } from '../../peer-ports.ts'
import { createPeerRpc } from './peer-rpc.ts'

const never = { signal: new AbortController().signal }

t.test('a peer that is connected and never agrees on the protocol is given up, and tried anew by the next call', async t => {
  const clock = new FakeClock()
  const [self, peer] = [createIdentity().id, createIdentity().id]
  let opened = 0
  const streams: PeerStreams = {
    self,
    async open (_peer, _protocol, _lane, { signal }) {
      opened++
      return await new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }, { once: true }) })
    },
    handle () {},
    learn () {}
  }
  const rpc = createPeerRpc({ streams, handlers: {} as Parameters<typeof createPeerRpc>[0]['handlers'], trustOf: () => 'writer', clock, log: silentLogger })
  const request = { peer: self, clusterName: 'c', nodeId: 1, incarnation: 1, addresses: [], daemon: '', votes: true }
  const asks: ReadonlyArray<() => Promise<unknown>> = [async () => await rpc.call(peer, 'Cluster.Join', request, never), async () => await rpc.pull(peer, 'IpfsConnector.RepoGc', undefined, never)[Symbol.asyncIterator]().next()]

  for (const ask of [...asks, ...asks]) {
    const given = t.rejects(ask(), { code: 'ERR_PEER_FAILED', message: `no stream to ${peer} within 20000 ms` })
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    clock.advance(20_000)
    await given
  }

  t.equal(opened, 4)
  await rpc[Symbol.asyncDispose]()
})
