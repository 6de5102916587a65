/** The cluster's verbs over the real log, pinset and tracker, on a daemon that is a Map. */
import { createCluster } from '../../cluster/cluster.ts'
import { FakeClock } from '../../cluster/clock.ts'
import { raftSection } from '../../cluster/consensus/config.ts'
import { createRaftConsensus } from '../../cluster/consensus/raft-consensus.ts'
import { startInOrder } from '../../cluster/lifecycle.ts'
import { silentLogger } from '../../cluster/log.ts'
import { pinTrackerSection } from '../../cluster/pintracker/config.ts'
import { createPinTracker } from '../../cluster/pintracker/tracker.ts'
import type { Auditor } from '../../cluster/peer-ports.ts'
import type { MemberConsensus } from '../../cluster/peer-ports.ts'
import type { ClusterApi, PinTracker } from '../../cluster/ports.ts'
import type { Replication } from '../../cluster/api/pin.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { alone } from './alone.ts'
import type { Alone } from './alone.ts'
import { temporaryFolder } from './folder.ts'
import { createMemoryIpfs } from './memory-ipfs.ts'
import type { MemoryIpfs } from './memory-ipfs.ts'
import { self } from './pins.ts'

export interface OnePeer extends AsyncDisposable {
  readonly cluster: ClusterApi
  readonly consensus: MemberConsensus
  readonly tracker: PinTracker & Auditor
  readonly ipfs: MemoryIpfs
  readonly clock: FakeClock
}

export interface OnePeerOptions {
  readonly replication?: Replication
  /** What stands for the other peers, where it is not that there are none. */
  readonly others?: Partial<Alone>
}

export async function onePeer ({ replication = 'everywhere', others = {} }: OnePeerOptions = {}): Promise<OnePeer> {
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(await temporaryFolder())
  const clock = new FakeClock()
  const ipfs = createMemoryIpfs()
  const store = createStore({ folder: folder.path })
  const state = createPinset({ store })
  const tracker = createPinTracker({ ipfs, state, store, clock, log: silentLogger, self }, pinTrackerSection({}, {}))
  const consensus = createRaftConsensus({ store, state, applied: tracker, self, log: silentLogger, failed (err) { throw err } }, { ...raftSection({}, {}), folder: `${folder.path}/raft`, found: () => true })
  const cluster = createCluster({ self, consensus, tracker, ipfs, ...alone(self, clock), ...others, clock, log: silentLogger }, { peername: 'one', version: '1', replication, addresses: () => [], othersAddresses: () => [] })
  undo.use(await startInOrder([store, ipfs, consensus, tracker], new AbortController().signal))
  const running = undo.move()
  return { cluster, consensus, tracker, ipfs, clock, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
