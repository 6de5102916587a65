import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { JoinRequest, PeerRpc } from './peer-ports.ts'
import type { AbortOptions } from './ports.ts'

const firstWaitMs = 250
const longestWaitMs = 5_000
/** Of tries in a row that failed, one in so many is told. */
const toldEvery = 8

export interface JoiningComponents {
  /** Finds out who answers at an address, and which peers are known besides. */
  readonly host: { connectTo (address: string, options: AbortOptions): Promise<PeerId>, known (): ReadonlyMap<PeerId, unknown> }
  readonly rpc: Pick<PeerRpc, 'call'>
  readonly self: PeerId
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Asks peers to take this one in, one after another and again, until one has. What they may be: the addresses given, and all whose addresses
 * are known.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT when a peer refuses for good, with its reason; the signal's reason
 */
export async function joinThrough ({ host, rpc, self, clock, log }: JoiningComponents, addresses: readonly string[], request: JoinRequest, { signal }: AbortOptions): Promise<void> {
  for (let waitMs = firstWaitMs, failures = 0; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const contacts = [...addresses.map(address => async () => await host.connectTo(address, { signal })), ...[...host.known().keys()].map(peer => async () => peer)]
    for (const contact of contacts) {
      try {
        const peer = await contact()
        if (peer === self) continue
        await rpc.call(peer, 'Cluster.Join', request, { signal })
        log.info('joined the cluster', { through: peer })
        return
      } catch (err) {
        signal.throwIfAborted()
        if (err instanceof ClusterError && err.code === 'ERR_INVALID_ARGUMENT') throw new ClusterError('ERR_INVALID_ARGUMENT', `the cluster does not take this peer in: ${err.message}`, { cause: err })
        if (failures++ % toldEvery === 0) log.warn('waiting for a peer that takes this one in; nothing is served before', { addresses, err })
      }
    }
    await pause(clock, waitMs, signal)
  }
}
