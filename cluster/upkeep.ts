import type { PeerId } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import { unpinExpired } from './expiry.ts'
import type { Logger } from './log.ts'
import type { AbortOptions, Component, Consensus, PinTracker } from './ports.ts'

/** How often failed operations are looked through for those whose pause is over. */
const retryIntervalMs = 15_000

export interface UpkeepComponents {
  readonly self: PeerId
  readonly consensus: Consensus
  readonly tracker: PinTracker
  readonly clock: Clock
  /** See `unpinExpired`. */
  readonly agreedMs: () => number | undefined
  readonly log: Logger
}

export interface UpkeepConfig {
  /** How often expired pins are looked for. 0 is never. */
  readonly stateSyncInterval: number
  /** How often the daemon's pins are compared with the pinset. 0 is never. */
  readonly pinRecoverInterval: number
}

/** What a peer does by itself from time to time. A task never runs twice at once, and a long one does not hold up the others. */
export function createUpkeep ({ self, consensus, tracker, clock, agreedMs, log }: UpkeepComponents, { stateSyncInterval, pinRecoverInterval }: UpkeepConfig): Component {
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('a periodic task ended', { err }) })

  async function every (intervalMs: number, what: string, task: (options: AbortOptions) => Promise<number>): Promise<void> {
    while (intervalMs > 0) {
      await pause(clock, intervalMs, closing.signal)
      try {
        const count = await task(closing)
        if (count > 0) log.info(what, { count })
      } catch (err) {
        closing.signal.throwIfAborted()
        log.warn(`${what}: failed, tried again later`, { err })
      }
    }
  }

  return {
    name: 'upkeep',
    async start ({ signal }) {
      signal.throwIfAborted()
      background.run(every(retryIntervalMs, 'failed operations were queued again', options => tracker.recoverDue(options)))
      background.run(every(pinRecoverInterval, 'pins were recovered', async options => await countOf(tracker.recoverAll(options))))
      background.run(every(stateSyncInterval, 'expired pins were removed', async options => await unpinExpired({ consensus, agreedMs, self }, options)))
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}

async function countOf (items: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _item of items) count++
  return count
}
