import t from 'tap'
import type { Test } from 'tap'
import type { PeerId } from '../../cluster/api/pin.ts'
import { systemClock } from '../../cluster/clock.ts'
import { createIdentity } from '../../cluster/config/identity.ts'
import { silentLogger } from '../../cluster/log.ts'
import { MemoryNetwork } from '../../cluster/peers/rpc/memory-streams.ts'
import { createPeerRpc } from '../../cluster/peers/rpc/peer-rpc.ts'
import { rpcMethods } from '../../cluster/peers/rpc/methods.ts'
import type { RpcHandlers } from '../../cluster/peer-ports.ts'
import type { RpcServerComponents } from '../../cluster/peers/rpc/server.ts'
import type { Trust } from '../../cluster/peers/rpc/policy.ts'
import type { Host } from '../../cluster/peers/host.ts'
import { testHost } from '../../cluster/peers/testing/hosts.ts'
import { peerRpcSuite } from './peer-rpc.ts'
import type { RpcNetwork } from './peer-rpc-kit.ts'

const signal = AbortSignal.timeout(500_000)

function componentsOf (handlers: Partial<RpcHandlers>, trustOf: (peer: PeerId) => Trust = () => 'writer'): RpcServerComponents {
  const others = Object.fromEntries(Object.keys(rpcMethods).map(method => [method, () => { throw new Error(`${method} is not part of this test`) }]))
  return { handlers: { ...others, ...handlers } as RpcHandlers, trustOf, clock: systemClock, log: silentLogger }
}

t.test('over libp2p', async t => {
  peerRpcSuite(t, async (t: Test): Promise<RpcNetwork> => {
    const hosts: Host[] = []
    return {
      async peer (handlers, trustOf) {
        const host = testHost()
        const rpc = createPeerRpc({ streams: host, ...componentsOf(handlers, trustOf) })
        const stop = async (): Promise<void> => { await rpc[Symbol.asyncDispose](); await host[Symbol.asyncDispose]() }
        t.teardown(stop)
        await host.start({ signal })
        await rpc.start({ signal })
        for (const other of hosts) {
          other.learn(host.self, host.addresses())
          host.learn(other.self, other.addresses())
        }
        hosts.push(host)
        return { id: host.self, rpc, streams: host, kill: async () => { await host[Symbol.asyncDispose]() } }
      }
    }
  })
})

t.test('in memory', async t => {
  peerRpcSuite(t, async (t: Test): Promise<RpcNetwork> => {
    const network = new MemoryNetwork()
    return {
      async peer (handlers, trustOf) {
        const { id } = createIdentity()
        const streams = network.join(id)
        const rpc = createPeerRpc({ streams, ...componentsOf(handlers, trustOf) })
        t.teardown(async () => { await rpc[Symbol.asyncDispose]() })
        await rpc.start({ signal })
        return { id, rpc, streams, kill: async () => { network.kill(id) } }
      }
    }
  })
})
