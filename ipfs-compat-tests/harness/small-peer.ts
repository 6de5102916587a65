/** A peer without doors: log, pinset, tracker and daemon, as they are composed for one voter. */
import { createCluster } from '../../cluster/cluster.ts'
import { systemClock } from '../../cluster/clock.ts'
import { raftSection } from '../../cluster/consensus/config.ts'
import { createRaftConsensus } from '../../cluster/consensus/raft-consensus.ts'
import { ipfsHttpSection } from '../../cluster/ipfs/config.ts'
import { createIpfsConnector } from '../../cluster/ipfs/connector.ts'
import { startInOrder } from '../../cluster/lifecycle.ts'
import { silentLogger } from '../../cluster/log.ts'
import { pinTrackerSection } from '../../cluster/pintracker/config.ts'
import { createPinTracker } from '../../cluster/pintracker/tracker.ts'
import type { ClusterApi, IpfsConnector, PinTracker } from '../../cluster/ports.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { self } from './pins.ts'
import { alone } from './alone.ts'

export interface SmallPeer extends AsyncDisposable { readonly cluster: ClusterApi, readonly tracker: PinTracker, readonly ipfs: IpfsConnector }

export async function peerOn (folder: string, nodeMultiaddress: string): Promise<SmallPeer> {
  const parts = { clock: systemClock, log: silentLogger, self }
  const store = createStore({ folder })
  const state = createPinset({ store })
  const ipfs = createIpfsConnector(parts, ipfsHttpSection({ node_multiaddress: nodeMultiaddress }, {}))
  const tracker = createPinTracker({ ...parts, ipfs, state, store }, pinTrackerSection({}, {}))
  const consensus = createRaftConsensus({ store, state, applied: tracker, self, log: silentLogger, failed (err) { throw err } }, { ...raftSection({}, {}), folder: `${folder}/raft`, found: () => true })
  const cluster = createCluster({ ...parts, ...alone(parts.self, parts.clock), consensus, tracker, ipfs }, { peername: 'small', version: '1', replication: 'everywhere', addresses: () => [], othersAddresses: () => [] })
  const running = await startInOrder([store, ipfs, consensus, tracker], new AbortController().signal)
  return { cluster, tracker, ipfs, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}
