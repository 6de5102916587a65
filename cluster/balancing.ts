import type { MeasuredPeer, Metric } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import type { Allocator } from './ports.ts'

/** What is counted in bytes, of which more is better. */
export const spaceNames: readonly string[] = ['freespace', 'reposize']

export interface BalancingQuestion {
  readonly holders: readonly PeerId[]
  /** Who could be given it. */
  readonly candidates: readonly PeerId[]
  readonly measured: ReadonlyMap<PeerId, MeasuredPeer>
  /** What it takes where it lies. */
  readonly bytes: number
  readonly allocator: Allocator
}

export interface BetterPlace { readonly from: PeerId, readonly to: PeerId }

/**
 * Whether a pin would lie better elsewhere, by the order in which the allocator gives pins out: a holder that comes behind somebody who has no copy, and
 * would not come before it again once the copy has moved. So what was moved is not moved back, and moving comes to an end.
 */
export function betterPlace ({ holders, candidates, measured, bytes, allocator }: BalancingQuestion): BetterPlace | undefined {
  const isMeasured = (peer: PeerId): boolean => allocator.metricNames.every(name => measured.get(peer)?.metrics.get(name)?.isValid === true)
  const factsOf = (peers: readonly PeerId[]): readonly MeasuredPeer[] => peers.filter(isMeasured).map(peer => measured.get(peer)!)
  for (const from of [...allocator.order(factsOf(holders), [])].reverse()) {
    const others = factsOf(holders.filter(peer => peer !== from))
    const facts = measured.get(from)!
    const [to] = allocator.order([facts, ...factsOf(candidates)], others)
    if (to === undefined || to === from) continue
    const [stays] = allocator.order([shifted(facts, bytes), shifted(measured.get(to)!, -bytes)], others)
    if (stays === to) return { from, to }
  }
  return undefined
}

/** With so much more space, or less. */
export function shifted ({ peer, metrics }: MeasuredPeer, bytes: number): MeasuredPeer {
  const spaces: readonly Metric[] = spaceNames.flatMap(name => metrics.get(name) ?? [])
  return { peer, metrics: new Map([...metrics, ...spaces.map(space => [space.name, { ...space, weight: space.weight + bytes }] as const)]) }
}
