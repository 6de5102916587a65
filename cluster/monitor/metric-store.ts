import { isGood } from '../api/metric.ts'
import type { Measurement, Metric } from '../api/metric.ts'
import type { PeerId } from '../api/pin.ts'
import { namesPerPeerMax } from './measurements.ts'

interface Kept { readonly metric: Metric, isTold: boolean }

/** The last metric of each peer and name. Bounded by the members and by what each may say. */
export class MetricStore {
  readonly #peers = new Map<PeerId, Map<string, Kept>>()

  /** Times are set by this peer's clock, whatever the sender's says. */
  keep (peer: PeerId, measurements: readonly Measurement[], nowMs: number): void {
    const kept = this.#peers.get(peer) ?? new Map<string, Kept>()
    this.#peers.set(peer, kept)
    for (const { ttlMs, ...measured } of measurements) {
      const metric: Metric = { ...measured, peer, receivedAtMs: nowMs, expireAtMs: nowMs + ttlMs }
      const before = kept.get(metric.name)
      if (before !== undefined && before.metric.expireAtMs > metric.expireAtMs) continue // an answer that was overtaken by what its sender has measured since
      if (before === undefined) makeRoom(kept)
      kept.set(metric.name, { metric, isTold: before?.isTold === true && !isGood(metric, nowMs) })
    }
  }

  /** Unexpired ones of a name, by peer. */
  latest (name: string, nowMs: number): readonly Metric[] {
    return [...this.#peers.keys()].sort().flatMap(peer => this.#peers.get(peer)?.get(name)?.metric ?? []).filter(metric => metric.expireAtMs > nowMs)
  }

  /** All unexpired ones of a peer. */
  of (peer: PeerId, nowMs: number): readonly Metric[] {
    return this.#all(peer).map(({ metric }) => metric).filter(metric => metric.expireAtMs > nowMs)
  }

  names (nowMs: number): readonly string[] {
    return [...new Set([...this.#peers.keys()].flatMap(peer => this.of(peer, nowMs).map(({ name }) => name)))].sort()
  }

  /** Those that have gone bad since they were last good, each told once. */
  gone (nowMs: number): readonly Metric[] {
    const gone = [...this.#peers.keys()].flatMap(peer => this.#all(peer)).filter(({ metric, isTold }) => !isTold && !isGood(metric, nowMs))
    for (const kept of gone) kept.isTold = true
    return gone.map(({ metric }) => metric)
  }

  /** Forgets everybody else. */
  keepOnly (members: readonly PeerId[]): void {
    for (const peer of this.#peers.keys()) if (!members.includes(peer)) this.#peers.delete(peer)
  }

  #all (peer: PeerId): Kept[] {
    return [...this.#peers.get(peer)?.values() ?? []]
  }
}

/** A peer that measures other things than before loses what it said longest ago. */
function makeRoom (kept: Map<string, Kept>): void {
  if (kept.size < namesPerPeerMax) return
  const [oldest] = [...kept.values()].map(({ metric }) => metric).sort((a, b) => a.receivedAtMs - b.receivedAtMs)
  kept.delete(oldest!.name)
}
