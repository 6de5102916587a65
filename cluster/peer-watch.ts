import { pingName } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import type { Clock } from './clock.ts'
import type { Monitor } from './ports.ts'

/** A peer that is only restarted is back before: nothing is moved for it. */
const graceMs = 60_000

/** Who is in the peerset, and which of them have been silent for long. */
export interface Situation {
  readonly members: ReadonlySet<PeerId>
  readonly gone: ReadonlySet<PeerId>
  /** Members that are to be relieved of what they hold. */
  readonly draining: ReadonlySet<PeerId>
  /** The same for the same situation. */
  readonly key: string
}

export interface PeerWatchComponents {
  readonly self: PeerId
  readonly peerset: () => readonly PeerId[]
  readonly draining: () => ReadonlySet<PeerId>
  readonly monitor: Pick<Monitor, 'latest'>
  readonly clock: Clock
}

/** Tells who is gone: also one that was never heard of since this peer started. To be looked at every few seconds. */
export function createPeerWatch ({ self, peerset, draining: drainingNow, monitor, clock }: PeerWatchComponents): { look (): Situation } {
  const silentSinceMs = new Map<PeerId, number>()
  return {
    look () {
      const nowMs = clock.now()
      const members = new Set(peerset())
      const heard = new Set(monitor.latest(pingName).map(({ peer }) => peer)).add(self)
      for (const peer of silentSinceMs.keys()) if (!members.has(peer) || heard.has(peer)) silentSinceMs.delete(peer)
      for (const peer of members) if (!heard.has(peer) && !silentSinceMs.has(peer)) silentSinceMs.set(peer, nowMs)
      const gone = new Set([...silentSinceMs].filter(([, sinceMs]) => nowMs - sinceMs >= graceMs).map(([peer]) => peer))
      const draining = new Set([...drainingNow()].filter(peer => members.has(peer)))
      return { members, gone, draining, key: JSON.stringify([members, gone, draining].map(peers => [...peers].sort())) }
    }
  }
}
