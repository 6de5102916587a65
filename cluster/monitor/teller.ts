import type { Measurement } from '../api/metric.ts'
import type { PeerId } from '../api/pin.ts'
import { createBackground } from '../async/background.ts'
import { deadline } from '../async/deadline.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions } from '../ports.ts'

/** How long one peer may take to be told. */
const exchangeTimeoutMs = 5_000

/** Tells a peer what this one measured, and answers what that one did: the far side's `Monitor.receive`. */
export type Exchange = (peer: PeerId, measurements: readonly Measurement[], options: AbortOptions) => Promise<readonly Measurement[]>

export interface TellerComponents {
  readonly exchange: Exchange
  /** What there is to tell at this moment. */
  readonly own: () => readonly Measurement[]
  /** What the peer answered. @throws when it makes no sense */
  readonly heard: (peer: PeerId, measurements: readonly Measurement[]) => void
  /** A peer that has left is told nothing more. */
  readonly isMember: (peer: PeerId) => boolean
  readonly clock: Clock
  readonly log: Logger
}

/** One message at a time to a peer: who is slow hears the newest next, and nothing in between. */
export interface Teller extends AsyncDisposable {
  /** Resolves when the peer has been told the newest, or could not be. */
  tell (peer: PeerId): Promise<void>
}

export function createTeller ({ exchange, own, heard, isMember, clock, log }: TellerComponents): Teller {
  const telling = new Map<PeerId, { isAgain: boolean, readonly done: Promise<void> }>()
  const closing = new AbortController()
  const background = createBackground(err => log.error('telling metrics ended', { err }))

  async function exchangeOnce (peer: PeerId): Promise<void> {
    using limit = deadline(clock, exchangeTimeoutMs, `telling metrics to ${peer}`, closing.signal)
    try {
      heard(peer, await exchange(peer, own(), limit))
    } catch (err) {
      if (!closing.signal.aborted) log.debug('a peer was not told metrics', { peer, err })
    }
  }

  async function tellWhileAsked (peer: PeerId, turn: { isAgain: boolean }): Promise<void> {
    while (turn.isAgain && !closing.signal.aborted && isMember(peer)) {
      turn.isAgain = false
      await exchangeOnce(peer)
    }
    telling.delete(peer)
  }

  return {
    tell (peer) {
      const running = telling.get(peer)
      if (running !== undefined) {
        running.isAgain = true
        return running.done
      }
      const { promise: done, resolve } = Promise.withResolvers<void>()
      const turn = { isAgain: true, done }
      telling.set(peer, turn)
      background.run(tellWhileAsked(peer, turn).finally(resolve))
      return done
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
