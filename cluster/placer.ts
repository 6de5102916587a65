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
  readonly monitor: Pick<Monitor, 'latest'>
  readonly allocator: Allocator
}

export interface PlacementWish {
  readonly replication: Replication
  /** Who has it already. */
  readonly holders: readonly PeerId[]
  /** Who should have it if that is possible, first choice first. */
  readonly wanted: readonly PeerId[]
  /** Who is not to have it, and whose copy does not count. */
  readonly excluded?: ReadonlySet<PeerId>
}

/** Finds peers for pins by what the members say of themselves just now. */
export interface Placer {
  /** Those it chooses anew are taken to have one pin more waiting until they say so themselves. @throws NotEnoughPeersError */
  place (wish: PlacementWish): readonly PeerId[]
  /** What `place` would go by; chooses nobody. */
  explain (wish: PlacementWish): readonly AllocationReason[]
}

/** Pins given to a peer since it measured what is known of it. */
interface Given { readonly sinceMs: number, readonly pins: number }

export function createPlacer ({ self, peerset, monitor, allocator }: PlacerComponents): Placer {
  const given = new Map<PeerId, Given>()
  const givenSince = ({ peer, receivedAtMs }: Metric): number => {
    const known = given.get(peer)
    if (known?.sinceMs !== receivedAtMs) given.set(peer, { sinceMs: receivedAtMs, pins: 0 })
    return given.get(peer)!.pins
  }

  function questionOf ({ replication, holders, wanted, excluded = new Set() }: PlacementWish): PlacementQuestion {
    const members = peerset()
    const standing = judgePeers({ peerset: members, metricNames: allocator.metricNames, latest: monitor.latest, excluded, givenSince })
    return { replication, self, peerset: members, holders, wanted, measures: { standing, allocator } }
  }

  return {
    place (wish) {
      const question = questionOf(wish)
      const chosen = placePin(question)
      for (const peer of chosen) {
        const known = given.get(peer)
        if (known !== undefined && !wish.holders.includes(peer)) given.set(peer, { ...known, pins: known.pins + 1 })
      }
      for (const peer of given.keys()) if (!question.peerset.includes(peer)) given.delete(peer)
      return chosen
    },
    explain: wish => explainPlacement(questionOf(wish))
  }
}
