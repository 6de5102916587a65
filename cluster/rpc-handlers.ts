import type { ClusterId, PeerLinks } from './api/peer.ts'
import { ClusterError } from './api/errors.ts'
import { pingFromText, pingName } from './api/metric.ts'
import type { Clock } from './clock.ts'
import type { Holding } from './holding.ts'
import type { Auditor, JoinRequest, Membership, RpcHandlers } from './peer-ports.ts'
import type { AbortOptions, Consensus, IpfsConnector, Monitor, PinTracker } from './ports.ts'
import type { Presence } from './presence.ts'
import { takeBlocks } from './remote-import.ts'

export interface HandlersComponents {
  readonly consensus: Pick<Consensus, 'peerset' | 'isTrusted' | 'assertMayChange'>
  readonly membership: Membership
  readonly tracker: PinTracker & Auditor
  readonly ipfs: IpfsConnector
  readonly monitor: Pick<Monitor, 'receive' | 'latest'>
  readonly holding: Holding
  readonly presence: Pick<Presence, 'heard'>
  /** Of this peer. */
  readonly id: (options: AbortOptions) => Promise<ClusterId>
  readonly links: (options: AbortOptions) => Promise<PeerLinks>
  readonly clock: Clock
}

/** What other peers may ask of this one: each method and the seam that answers it. */
export function createHandlers ({ consensus, membership, tracker, ipfs, monitor, holding, presence, id, links, clock }: HandlersComponents): RpcHandlers {
  /** Two peers with one daemon would count as two copies and be one. */
  function refuseSharedDaemon ({ peer, daemon }: JoinRequest): void {
    const other = daemon === '' ? undefined : monitor.latest(pingName).find(metric => metric.peer !== peer && pingFromText(metric.value).ipfsId === daemon)
    if (other !== undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', `${peer} has the same IPFS daemon (${daemon}) as the member ${other.peer}: each peer needs one of its own`)
  }

  return {
    'Cluster.Id': async (_nothing, caller) => await id(caller),
    'Cluster.Links': async (_nothing, caller) => await links(caller),
    async 'Cluster.Join' (request, caller) {
      // A member that may write, though it may not vote yet, passes on what a stranger has asked of it; a stranger speaks for itself. That is no fault of whom it is for.
      if (request.peer !== caller.peer && !consensus.isTrusted(caller.peer)) {
        throw new ClusterError('ERR_NO_LEADER', `${caller.peer} is no member that may change the peerset, and asks for somebody else`)
      }
      consensus.assertMayChange() // nobody is taken in through a peer that only stores
      if (consensus.peerset().length === 0) throw new ClusterError('ERR_NO_LEADER', 'this peer is in no cluster itself yet')
      refuseSharedDaemon(request)
      return await membership.add(request, caller)
    },
    async 'Consensus.RemovePeer' (peer, caller) {
      if (peer !== caller.peer && !consensus.isTrusted(caller.peer)) throw new ClusterError('ERR_STORES_ONLY', `${caller.peer} may not remove ${peer}: it only stores`)
      await membership.remove(peer, caller)
      return undefined
    },
    async 'Consensus.DrainPeer' (request, caller) {
      await membership.drain(request, caller)
      return undefined
    },
    async 'Consensus.TrustPeer' (request, caller) {
      await membership.trust(request, caller)
      return undefined
    },
    'Consensus.TrustedPeers': async () => membership.trusted(),
    'PinTracker.Status': async (cid, caller) => await tracker.status(cid, caller),
    'PinTracker.StatusAll': (filter, caller) => tracker.statusAll(new Set(filter), caller),
    'PinTracker.Audit': (wish, caller) => tracker.audit(wish, caller),
    'PinTracker.Recover': async (cid, caller) => await tracker.recover(cid, caller),
    'PinTracker.RecoverAll': (_nothing, caller) => tracker.recoverAll(caller),
    async 'PinTracker.Reached' (reports, { peer }) {
      holding.reached(peer, reports)
      return undefined
    },
    'IpfsConnector.ImportBlocks': async (source, caller) => await takeBlocks({ ipfs, tracker, clock }, source, caller),
    'IpfsConnector.RepoStat': async (sizeOnly, caller) => await ipfs.repoStat({ ...caller, sizeOnly }),
    'IpfsConnector.RepoGc': (_nothing, caller) => ipfs.repoGc(caller),
    'IpfsConnector.SwarmAddresses': async (_nothing, caller) => (await ipfs.id(caller)).addresses,
    async 'Monitor.Receive' (measurements, { peer }) {
      presence.heard(peer)
      return monitor.receive(peer, measurements)
    }
  }
}
