import type { ClusterId } from '../api/peer.ts'
import { goTime } from '../api/go-time.ts'
import type { GlobalPinInfo } from '../api/pin-info.ts'
import type { PeerDetails } from './peer-details.ts'

/** The protocol that Go peers speak with each other; clients show it and nothing more. */
const rpcProtocolVersion = '/ipfscluster/1.0/rpc'

/** ipfs-cluster's ID object. Go clients refuse an empty daemon id, so that key is left out then. */
export function idToJson (id: ClusterId): object {
  return {
    id: id.id,
    addresses: id.addresses,
    cluster_peers: id.clusterPeers,
    cluster_peers_addresses: id.clusterPeersAddresses,
    version: id.version,
    commit: '',
    rpc_protocol_version: rpcProtocolVersion,
    error: id.error,
    ipfs: { ...id.ipfs.id !== '' && { id: id.ipfs.id }, addresses: id.ipfs.addresses, error: id.ipfs.error },
    peername: id.peername
  }
}

/** ipfs-cluster's GlobalPinInfo object. What was never noted, like that nobody pins it, is so as of now. */
export function pinInfoToJson (info: GlobalPinInfo, details: PeerDetails, nowMs: number): object {
  const peers = info.peers.map(({ peer, status, timestampMs, error, attemptCount, isPriority }) => {
    const { peername, ipfsId, ipfsAddresses } = details(peer)
    return [peer, {
      peername,
      ...ipfsId !== '' && { ipfs_peer_id: ipfsId },
      ...ipfsAddresses.length > 0 && { ipfs_peer_addresses: ipfsAddresses },
      status,
      timestamp: goTime(timestampMs === 0 ? nowMs : timestampMs),
      error,
      attempt_count: attemptCount,
      priority_pin: isPriority
    }]
  })
  return {
    cid: info.cid.toString(),
    name: info.name,
    allocations: info.allocations,
    origins: info.origins,
    created: goTime(info.createdMs === 0 ? undefined : info.createdMs),
    metadata: Object.keys(info.metadata).length === 0 ? null : info.metadata,
    peer_map: Object.fromEntries(peers)
  }
}
