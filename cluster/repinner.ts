import type { PeerId } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import { createPeerWatch } from './peer-watch.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, Component, Consensus, Monitor } from './ports.ts'
import { createRepin } from './repinning.ts'

/** How often it is looked who is there. */
const lookIntervalMs = 5_000
/** After so long what could not be done is tried again. */
const againMs = 5 * 60_000

export interface RepinnerComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'state' | 'log' | 'leader' | 'peerset'>
  readonly monitor: Pick<Monitor, 'latest'>
  readonly placer: Pick<Placer, 'place'>
  readonly clock: Clock
  readonly log: Logger
}

export interface RepinnerConfig {
  /** Leaves pins where they are, whoever is gone. */
  readonly disableRepinning: boolean
}

/**
 * Has pins given to other peers when those that hold them are gone for long or removed. It goes by who is there, not by single alerts,
 * so nothing that went wrong once is missed for ever: what is left is tried again.
 */
export function createRepinner ({ self, consensus, monitor, placer, clock, log }: RepinnerComponents, { disableRepinning }: RepinnerConfig): Component {
  const watch = createPeerWatch({ self, peerset: () => consensus.peerset(), monitor, clock })
  const repin = createRepin({ self, consensus, look: () => watch.look(), placer, clock, log })
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('repinning ended', { err }) })

  async function watchForEver (options: AbortOptions): Promise<void> {
    let acted: { readonly on: string, readonly round: number, readonly atMs: number, readonly isDone: boolean } | undefined
    while (true) {
      const { key: on } = watch.look()
      const isNew = acted?.on !== on
      const isDue = isNew || (acted?.isDone === false && clock.now() - acted.atMs >= againMs)
      if (isDue && consensus.leader() !== undefined) {
        const round = isNew ? 0 : acted!.round + 1
        const isDone = await tryRepin(round, options)
        acted = { on, round, atMs: clock.now(), isDone }
      }
      await pause(clock, lookIntervalMs, options.signal)
    }
  }

  async function tryRepin (round: number, options: AbortOptions): Promise<boolean> {
    try {
      return await repin(round, options)
    } catch (err) {
      options.signal.throwIfAborted()
      log.warn('pins could not be given to other peers, tried again later', { err })
      return false
    }
  }

  return {
    name: 'repinning',
    async start ({ signal }) {
      signal.throwIfAborted()
      if (!disableRepinning) background.run(watchForEver(closing))
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
