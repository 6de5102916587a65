import type { PeerId } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import { createPeerWatch } from './peer-watch.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, ClusterApi, Component, Consensus, Monitor } from './ports.ts'
import { createRepin } from './repinning.ts'
import type { Repinned } from './repinning.ts'

/** How often it is looked who is there. */
const lookIntervalMs = 5_000
/** After so long what could not be done is tried again. */
const againMs = 5 * 60_000
/** How soon it is looked whether copies that were begun are there: sooner at first. */
const firstCopiesMs = 10_000
/** All pins are looked through now and then though nobody came or went: some may have been brought in from elsewhere. */
const allOverMs = 60 * 60_000
/** While somebody is being drained, what was on its way there when that was agreed on may be pinned at any time. */
const drainLookMs = 60_000

export interface RepinnerComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'state' | 'log' | 'leader' | 'peerset' | 'writers' | 'isTrusted'>
  readonly draining: () => ReadonlySet<PeerId>
  readonly monitor: Pick<Monitor, 'latest'>
  readonly placer: Pick<Placer, 'place'>
  readonly status: ClusterApi['status']
  readonly clock: Clock
  readonly log: Logger
}

export interface RepinnerConfig {
  /** Leaves pins where they are, whoever is gone. */
  readonly disableRepinning: boolean
}

/** What was done last, for which situation, and when. `looks` counts those for copies under way since something was last changed. */
interface Acted { readonly on: string, readonly round: number, readonly looks: number, readonly atMs: number, readonly left: Repinned }

/**
 * Has pins given to other peers when those that hold them are gone for long or removed. It goes by who is there, not by single alerts,
 * so nothing that went wrong once is missed for ever: what is left is tried again.
 */
export function createRepinner ({ self, consensus, draining, monitor, placer, status, clock, log }: RepinnerComponents, { disableRepinning }: RepinnerConfig): Component {
  const watch = createPeerWatch({ self, peerset: () => consensus.peerset(), draining, monitor, clock })
  const repin = createRepin({ self, consensus, look: () => watch.look(), placer, status, clock, log })
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('repinning ended', { err }) })

  async function watchForEver (options: AbortOptions): Promise<void> {
    let acted: Acted | undefined
    while (true) {
      const { key: on, draining: { size } } = watch.look()
      const due = consensus.leader() === undefined || !consensus.isTrusted(self) ? undefined : whatIsDue(acted, { on, isSomebodyDrained: size > 0 }, clock.now())
      if (due !== undefined) {
        const left = await tryRepin(due.round, options)
        acted = { on, round: due.round, looks: left.repinned > 0 ? 0 : due.looks, atMs: clock.now(), left }
      }
      await pause(clock, lookIntervalMs, options.signal)
    }
  }

  async function tryRepin (round: number, options: AbortOptions): Promise<Repinned> {
    try {
      return await repin(round, options)
    } catch (err) {
      options.signal.throwIfAborted()
      log.warn('pins could not be given to other peers, tried again later', { err })
      return { repinned: 0, waiting: 0, left: 1 }
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

/** @returns which round it would be, or undefined when there is nothing to do yet */
function whatIsDue (acted: Acted | undefined, { on, isSomebodyDrained }: { readonly on: string, readonly isSomebodyDrained: boolean }, nowMs: number): Pick<Acted, 'round' | 'looks'> | undefined {
  if (acted?.on !== on) return { round: 0, looks: 0 }
  const { round, looks, left: { repinned, waiting, left } } = acted
  const sinceMs = nowMs - acted.atMs
  if (sinceMs >= (left > 0 ? againMs : isSomebodyDrained ? drainLookMs : allOverMs)) return { round: left > 0 ? round + 1 : 0, looks: looks + 1 }
  const isCopying = repinned + waiting > 0
  return isCopying && sinceMs >= Math.min(firstCopiesMs * 2 ** looks, againMs) ? { round, looks: looks + 1 } : undefined
}
