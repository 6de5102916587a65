import { createBackground } from '../../cluster/async/background.ts'
import type { Clock } from '../../cluster/clock.ts'
import type { Logger } from '../../cluster/log.ts'
import type { AbortOptions } from '../../cluster/ports.ts'
import { KuboError } from '../rpc/kubo-error.ts'

/** Kubo's times between attempts. Each is longer than the one before by half of it at least, at random up to one and a half. */
const firstDelayMs = 5_000
const delayMsMax = 600_000
const peersMax = 1_000

export interface PeerAddresses { readonly peer: string, readonly addresses: readonly string[] }

/** Peers to which a connection is always kept. */
export interface Peering extends AsyncDisposable {
  /** Takes the place of what was said of the same peer before. @throws KuboError when there are too many */
  add (peer: PeerAddresses): void
  remove (peer: string): void
  list (): readonly PeerAddresses[]
  /** The last connection to a peer has ended. */
  lost (peer: string): void
}

export interface PeeringComponents {
  readonly clock: Clock
  readonly log: Logger
  /** Resolves when there is a connection, an old one too. */
  readonly connect: (peer: PeerAddresses, options: AbortOptions) => Promise<void>
  /** From 0 to 1, so that two peers do not dial each other at the same time for ever. */
  readonly random: () => number
}

interface Kept { addresses: readonly string[], delayMs: number, timer: Disposable | undefined, isDialling: boolean }

/** @see boxo `peering/peering.go`: the same delays; but the first attempt is made at once */
export function createPeering ({ clock, log, connect, random }: PeeringComponents): Peering {
  const kept = new Map<string, Kept>()
  const ending = new AbortController()
  const background = createBackground(() => { /* `dial` tells */ })

  const later = (peer: string, entry: Kept): void => {
    if (kept.get(peer) !== entry || entry.timer !== undefined || entry.isDialling) return
    entry.delayMs = Math.min(delayMsMax * (1 - random() / 10), entry.delayMs * (1.5 + random()))
    entry.timer = clock.after(entry.delayMs, () => {
      entry.timer = undefined
      background.run(dial(peer, entry))
    })
  }
  const dial = async (peer: string, entry: Kept): Promise<void> => {
    if (entry.isDialling) return
    entry.isDialling = true
    let isConnected = false
    try {
      await connect({ peer, addresses: entry.addresses }, { signal: ending.signal })
      isConnected = true
      entry.delayMs = firstDelayMs
    } catch (err) {
      log.debug('a peer to be kept cannot be reached', { peer, err })
    } finally {
      entry.isDialling = false
    }
    if (!isConnected && !ending.signal.aborted) later(peer, entry)
  }

  return {
    add ({ peer, addresses }) {
      const known = kept.get(peer)
      if (known !== undefined) {
        known.addresses = addresses
        return
      }
      if (kept.size >= peersMax) throw new KuboError(`no more than ${peersMax} peers are kept connected`)
      const entry: Kept = { addresses, delayMs: firstDelayMs, timer: undefined, isDialling: false }
      kept.set(peer, entry)
      background.run(dial(peer, entry))
    },
    remove (peer) {
      kept.get(peer)?.timer?.[Symbol.dispose]()
      kept.delete(peer)
    },
    list: () => [...kept].map(([peer, { addresses }]) => ({ peer, addresses })),
    lost (peer) {
      const entry = kept.get(peer)
      if (entry !== undefined) later(peer, entry)
    },
    async [Symbol.asyncDispose] () {
      ending.abort(new Error('the daemon stops'))
      for (const { timer } of kept.values()) timer?.[Symbol.dispose]()
      kept.clear()
      await background[Symbol.asyncDispose]()
    }
  }
}
