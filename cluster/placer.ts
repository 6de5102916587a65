import type { AllocationReason } from './api/allocation-reason.ts'
import type { Metric } from './api/metric.ts'
import type { PeerId, Replication } from './api/pin.ts'
import { judgePeers } from './candidates.ts'
import { explainPlacement, placePin } from './placement.ts'
import type { PlacementQuestion } from './placement.ts'
import type { Allocator, Monitor } from './ports.ts'

export interface PlacerComponents {
  readonly self: PeerId
  readonly peerset: () => readonly PeerId[]
  readonly draining: () => ReadonlySet<PeerId>
  /** Members that do not answer, though what they last said may hold. */
  readonly silent: () => ReadonlySet<PeerId>
  readonly monitor: Pick<Monitor, 'latest'>
  readonly allocator: Allocator
}

export interface PlacementWish {
  readonly replication: Replication
  /** Who has it already. */
  readonly holders: readonly PeerId[]
  /** Who should have it if that is possible, first choice first. */
  readonly wanted: readonly PeerId[]
  /** Whose daemons have the content already: they need no room for it. */
  readonly inPlace?: readonly PeerId[]
  /** Who has just turned out not to be there, and is not to be chosen. */
  readonly without?: readonly PeerId[]
}

/** Finds peers for pins by what the members say of themselves just now. */
export interface Placer {
  /** Those it chooses anew are taken to have one pin more waiting until they say so themselves. @throws NotEnoughPeersError */
  place (wish: PlacementWish): readonly PeerId[]
  /** What `place` would go by; chooses nobody. */
  explain (wish: PlacementWish): readonly AllocationReason[]
}

export function createPlacer ({ self, peerset, draining, silent, monitor, allocator }: PlacerComponents): Placer {
  /** How many pins a peer was given since it measured this; forgotten with the metric. */
  const given = new WeakMap<Metric, number>()

  /** The question, and by whom it was measured how much waits. */
  function ask (wish: PlacementWish): { readonly question: PlacementQuestion, readonly measuredBy: ReadonlyMap<PeerId, Metric> } {
    const members = peerset()
    const measuredBy = new Map<PeerId, Metric>()
    const givenSince = (metric: Metric): number => {
      measuredBy.set(metric.peer, metric)
      return given.get(metric) ?? 0
    }
    const standing = judgePeers({ peerset: members, metricNames: allocator.metricNames, draining: draining(), silent: silent().union(new Set(wish.without)), latest: monitor.latest, givenSince })
    return { question: { ...wish, self, peerset: members, measures: { standing, allocator } }, measuredBy }
  }

  return {
    place (wish) {
      const { question, measuredBy } = ask(wish)
      const chosen = placePin(question)
      for (const peer of chosen.filter(peer => !wish.holders.includes(peer))) {
        const metric = measuredBy.get(peer)
        if (metric !== undefined) given.set(metric, (given.get(metric) ?? 0) + 1)
      }
      return chosen
    },
    explain: wish => explainPlacement(ask(wish).question)
  }
}
