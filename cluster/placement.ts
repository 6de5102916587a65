import { chooseAllocations } from './allocation.ts'
import type { PeerId, Replication } from './api/pin.ts'

export interface PlacementQuestion {
  readonly replication: Replication
  readonly self: PeerId
  readonly peerset: readonly PeerId[]
  /** Who has it already. */
  readonly holders: readonly PeerId[]
  /** Who should have it if that is possible, first choice first. */
  readonly wanted: readonly PeerId[]
}

/**
 * Who holds a pin: who has it, who was wished for, this peer, then the others in the order of their ids. Empty when all do.
 *
 * @throws NotEnoughPeersError
 */
export function placePin ({ replication, self, peerset, holders, wanted }: PlacementQuestion): readonly PeerId[] {
  if (replication === 'everywhere') return []
  const present = new Set(peerset)
  const candidates = new Set([...wanted, self, ...[...peerset].sort()].filter(peer => present.has(peer) && !holders.includes(peer)))
  return chooseAllocations({ ...replication, holders: holders.filter(peer => present.has(peer)), candidates: [...candidates] })
}

/** How many daemons must hold it before it counts as pinned: for what goes everywhere a majority, so that one dead peer blocks nobody. */
export function holdersNeeded (replication: Replication, peerset: readonly PeerId[]): number {
  return replication === 'everywhere' ? Math.floor(peerset.length / 2) + 1 : replication.min
}
