import type { CID } from 'multiformats/cid'
import type { ClusterId } from './api/peer.ts'
import type { PinInfo, TrackerStatus } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import type { RepoStat } from './api/repo.ts'
import type { PeerStatuses } from './global-status.ts'
import type { PeerRpc } from './peer-ports.ts'
import type { AbortOptions, IpfsConnector, PinTracker, RepoStatCall } from './ports.ts'

export interface PeerVerbsComponents {
  readonly self: PeerId
  readonly rpc: Pick<PeerRpc, 'call' | 'pull'>
  readonly tracker: PinTracker
  readonly ipfs: IpfsConnector
  /** Of this peer. */
  readonly id: (options: AbortOptions) => Promise<ClusterId>
}

/** What is asked of any one peer, this one among them: of this one directly, of another over the network. */
export interface PeerVerbs extends PeerStatuses {
  recoverAll (peer: PeerId, options: AbortOptions): AsyncIterable<PinInfo>
  id (peer: PeerId, options: AbortOptions): Promise<ClusterId>
  repoStat (peer: PeerId, options: RepoStatCall): Promise<RepoStat>
  repoGc (peer: PeerId, options: AbortOptions): AsyncIterable<{ readonly key: string, readonly error: string }>
}

export function createPeerVerbs ({ self, rpc, tracker, ipfs, id }: PeerVerbsComponents): PeerVerbs {
  return {
    status: async (peer, cid: CID, options) => peer === self ? await tracker.status(cid, options) : await rpc.call(peer, 'PinTracker.Status', cid, options),
    recover: async (peer, cid: CID, options) => peer === self ? await tracker.recover(cid, options) : await rpc.call(peer, 'PinTracker.Recover', cid, options),
    statusAll: (peer, filter: ReadonlySet<TrackerStatus>, options) => peer === self ? tracker.statusAll(filter, options) : rpc.pull(peer, 'PinTracker.StatusAll', [...filter], options),
    recoverAll: (peer, options) => peer === self ? tracker.recoverAll(options) : rpc.pull(peer, 'PinTracker.RecoverAll', undefined, options),
    id: async (peer, options) => peer === self ? await id(options) : await rpc.call(peer, 'Cluster.Id', undefined, options),
    repoStat: async (peer, options) => peer === self ? await ipfs.repoStat(options) : await rpc.call(peer, 'IpfsConnector.RepoStat', options.sizeOnly === true, options),
    repoGc: (peer, options) => peer === self ? ipfs.repoGc(options) : rpc.pull(peer, 'IpfsConnector.RepoGc', undefined, options)
  }
}
