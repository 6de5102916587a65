/** What a PeerRpc promises, asked of whatever network is given. */
import type { Test } from 'tap'
import { faults } from './peer-rpc-faults.ts'
import type { RpcNetwork, RpcTest } from './peer-rpc-kit.ts'
import { travelling } from './peer-rpc-travel.ts'

export function peerRpcSuite (t: Test, createNetwork: (t: Test) => Promise<RpcNetwork>): void {
  const signal = AbortSignal.timeout(500_000)
  const test: RpcTest = (title, body) => {
    void t.test(title, async t => { await body(t, await createNetwork(t)) })
  }
  travelling(test, signal)
  faults(test, signal)
}
