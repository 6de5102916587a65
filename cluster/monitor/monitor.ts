import type { Alert, Measurement } from '../api/metric.ts'
import type { PeerId } from '../api/pin.ts'
import { createBackground } from '../async/background.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Monitor } from '../ports.ts'
import type { MonitorConfig } from './config.ts'
import { refuseOutOfBounds, withinReason } from './measurements.ts'
import { MetricStore } from './metric-store.ts'
import { createTeller } from './teller.ts'
import type { Exchange } from './teller.ts'

const alertsMax = 1_000

export interface MonitorComponents {
  readonly self: PeerId
  readonly peerset: () => readonly PeerId[]
  readonly exchange: Exchange
  readonly clock: Clock
  readonly log: Logger
  /** No ping is taken to hold longer. */
  readonly longestPingMs?: number
}

/**
 * Gathers what the members say of themselves. A failure is a metric whose time is up or that says that it could not be measured; each is
 * an alert once, and again only after it has been well in between.
 */
export function createMonitor ({ self, peerset, exchange, clock, log, longestPingMs = 10 * 60_000 }: MonitorComponents, { checkInterval }: MonitorConfig): Monitor {
  const store = new MetricStore()
  const alerts: Alert[] = []
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('the monitor ended', { err }) })

  /** A peer that is joining is no member yet, and has measured itself all the same. */
  const known = (): readonly PeerId[] => [self, ...peerset()]

  /** All that this peer has measured lately, with what is left of its time. */
  function own (): readonly Measurement[] {
    const nowMs = clock.now()
    return store.of(self, nowMs).map(({ peer: _peer, receivedAtMs: _receivedAtMs, expireAtMs, ...measured }) => ({ ...measured, ttlMs: expireAtMs - nowMs }))
  }

  function keep (peer: PeerId, measurements: readonly Measurement[]): void {
    refuseOutOfBounds(measurements)
    if (known().includes(peer)) store.keep(peer, measurements.map(measurement => withinReason(measurement, longestPingMs)), clock.now())
  }

  const teller = createTeller({ exchange, own, heard: keep, isMember: peer => peerset().includes(peer), clock, log })

  function check (): void {
    const nowMs = clock.now()
    store.keepOnly(known())
    for (const metric of store.gone(nowMs)) {
      log.warn('a metric has gone bad', { metric: metric.name, peer: metric.peer, ...!metric.isValid && { why: metric.value } })
      alerts.unshift({ metric, triggeredAtMs: nowMs })
    }
    alerts.length = Math.min(alerts.length, alertsMax)
  }

  async function checkForEver (): Promise<void> {
    while (true) {
      await pause(clock, checkInterval, closing.signal)
      check()
    }
  }

  return {
    name: 'monitor',
    async start ({ signal }) {
      signal.throwIfAborted()
      background.run(checkForEver())
    },
    async publish (measurements, { signal }) {
      signal.throwIfAborted()
      keep(self, measurements)
      await Promise.all(peerset().filter(peer => peer !== self).map(async peer => await teller.tell(peer)))
    },
    receive (peer, measurements) {
      keep(peer, measurements)
      return own()
    },
    latest (name) {
      const members = peerset()
      return store.latest(name, clock.now()).filter(({ peer }) => members.includes(peer))
    },
    names: () => store.names(clock.now()),
    alerts: () => [...alerts],
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await Promise.all([teller, background].map(async part => await part[Symbol.asyncDispose]()))
    }
  }
}
