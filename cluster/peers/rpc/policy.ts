import type { RpcMethod } from '../../peer-ports.ts'

/** What a caller may: any peer that knows the secret; members of the peerset, those that only store among them; members that may change the pinset. */
export type Trust = 'open' | 'member' | 'writer'

const ranks: Readonly<Record<Trust, number>> = { open: 0, member: 1, writer: 2 }

/** `satisfies` is the guard: a method that is added to `RpcMethods` does not compile until it is given its trust. */
export const rpcPolicy = {
  'Cluster.Id': 'open', // to find out whom one talks to
  'Cluster.Links': 'member',
  'Cluster.Join': 'open', // who asks is no member yet; for others only a writer may, see rpc-handlers.ts
  'Consensus.RemovePeer': 'member', // itself; others only a writer may, see rpc-handlers.ts
  'Consensus.DrainPeer': 'writer',
  'Consensus.TrustPeer': 'writer',
  'Consensus.TrustedPeers': 'open', // who is to be taken in has to know whom to believe
  'PinTracker.Status': 'member',
  'PinTracker.StatusAll': 'member',
  'PinTracker.Audit': 'member', // it changes nothing
  'PinTracker.Recover': 'member', // it changes no pin
  'PinTracker.RecoverAll': 'member',
  'PinTracker.Reached': 'member',
  'IpfsConnector.ImportBlocks': 'writer',
  'IpfsConnector.RepoStat': 'member',
  'IpfsConnector.RepoGc': 'writer',
  'IpfsConnector.SwarmAddresses': 'member',
  'Monitor.Receive': 'member'
} as const satisfies Record<RpcMethod, Trust>

export function mayCall (method: RpcMethod, trust: Trust): boolean {
  return ranks[trust] >= ranks[rpcPolicy[method]]
}
