import { createBackground } from '../async/background.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions, Component, Informer, Monitor } from '../ports.ts'

export interface PublisherComponents {
  readonly informers: readonly Informer[]
  readonly monitor: Pick<Monitor, 'publish'>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Has each informer measure twice in the time that a measurement is good for, and more often while it fails. It has started when all
 * have measured once and the others were told and have answered, so that the first pin finds out who there is.
 */
export function createPublisher ({ informers, monitor, clock, log }: PublisherComponents): Component {
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('an informer ended', { err }) })

  /** @returns how long to wait before the next time; what measuring took is part of the period */
  async function measure (informer: Informer, telling: (told: Promise<void>) => void, options: AbortOptions): Promise<number> {
    const begunMs = clock.now()
    const measurements = await informer.measure(options)
    telling(monitor.publish(measurements, options))
    const periodMs = measurements.every(({ isValid }) => isValid) ? informer.ttlMs / 2 : informer.ttlMs / 4
    return Math.max(0, begunMs + periodMs - clock.now())
  }

  async function measureForEver (informer: Informer, firstPauseMs: number): Promise<void> {
    let pauseMs = firstPauseMs
    while (true) {
      await pause(clock, pauseMs, closing.signal)
      pauseMs = await measure(informer, told => background.run(told), closing)
    }
  }

  return {
    name: 'informers',
    async start ({ signal }) {
      signal.throwIfAborted()
      const told: Promise<void>[] = []
      const pauses = await Promise.all(informers.map(async informer => await measure(informer, first => told.push(first), { signal })))
      for (const [i, informer] of informers.entries()) background.run(measureForEver(informer, pauses[i]!))
      await Promise.all(told)
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
