import type { AbortOptions } from '../ports.ts'
import type { Requests } from './requests.ts'

const timeoutMs = 5_000
/** A daemon on the public network knows thousands; a graph shows no more. */
const peersMax = 2_000

/** Ids of the nodes that the daemon is connected with. @throws KuboRepliedError, ERR_IPFS_UNREACHABLE, ERR_TIMEOUT */
export async function swarmPeers (requests: Pick<Requests, 'json'>, { signal }: AbortOptions): Promise<readonly string[]> {
  const { Peers } = await requests.json<{ Peers: readonly { readonly Peer: string }[] | null }>('swarm/peers', { signal, timeoutMs })
  return (Peers ?? []).slice(0, peersMax).map(({ Peer }) => Peer)
}
