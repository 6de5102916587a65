import type { PeerId } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { Membership, PeerRpc } from './peer-ports.ts'
import type { AbortOptions, Component } from './ports.ts'

/** Daemons forget one another, and are restarted. */
const againMs = 60_000
/** After a change of the membership: several come together. */
const settleMs = 500

export interface SwarmConnectorComponents {
  readonly self: PeerId
  readonly membership: Membership
  readonly rpc: Pick<PeerRpc, 'call'>
  /** Has this peer's daemon connect to others, all the addresses of one at a time. */
  readonly connect: (addresses: readonly string[], options: AbortOptions) => Promise<void>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Keeps this peer's daemon connected to the other members' daemons: with no DHT that is how one finds the blocks that another holds. First
 * after `connectSwarmsDelay`, then whenever the membership changes, and every minute, for a daemon may have been restarted.
 */
export function createSwarmConnector ({ self, membership, rpc, connect, clock, log }: SwarmConnectorComponents, { connectSwarmsDelay }: { readonly connectSwarmsDelay: number }): Component {
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('connecting the daemons ended', { err }) })
  let changed = Promise.withResolvers<void>()
  let watch: Disposable | undefined

  async function connectOne (peer: PeerId): Promise<void> {
    try {
      const addresses = await rpc.call(peer, 'IpfsConnector.SwarmAddresses', undefined, closing)
      if (addresses.length > 0) await connect(addresses, closing)
    } catch (err) {
      if (!closing.signal.aborted) log.debug('the daemon of a peer is not connected', { peer, err })
    }
  }

  async function keepConnected (): Promise<void> {
    await pause(clock, connectSwarmsDelay, closing.signal)
    while (true) {
      changed = Promise.withResolvers()
      await Promise.all(membership.members().map(({ peer }) => peer).filter(peer => peer !== self).map(connectOne))
      await Promise.race([pause(clock, againMs, closing.signal), changed.promise])
      await pause(clock, settleMs, closing.signal)
    }
  }

  return {
    name: 'swarm connector',
    async start ({ signal }) {
      signal.throwIfAborted()
      watch = membership.watch(() => { changed.resolve() })
      background.run(keepConnected())
    },
    async [Symbol.asyncDispose] () {
      watch?.[Symbol.dispose]()
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
