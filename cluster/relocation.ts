import type { PeerId, Pin } from './api/pin.ts'
import type { Situation } from './peer-watch.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, ClusterApi } from './ports.ts'

export interface RelocationComponents {
  readonly placer: Pick<Placer, 'place'>
  readonly status: ClusterApi['status']
}

/** Whether a pin names somebody who is no member any more, or too few that are there, or more than should hold it: these were to be let off. */
export function isMisplaced (pin: Pin, { members, gone }: Situation): boolean {
  const { replication, allocations } = pin
  if (replication === 'everywhere') return false
  return isOnTheMove(pin) || allocations.some(peer => !members.has(peer)) || allocations.filter(peer => !gone.has(peer)).length < replication.min
}

/** Whether it names more peers than should hold it, because some of these may have no copy yet, see `nextAllocations`. */
export function isOnTheMove ({ replication, allocations }: Pin): boolean {
  return replication !== 'everywhere' && allocations.length > replication.max
}

/**
 * Who is to hold a misplaced pin next. Others are told first, and who is gone is let off only when `min` that are there have a copy: it may come back
 * with the only one, and what a peer is not to hold it lets go of. Until then the pin names more peers than `max`.
 *
 * @returns undefined while there are too few copies
 * @throws NotEnoughPeersError
 */
export async function nextAllocations ({ cid, replication, allocations }: Pin, { members, gone }: Situation, { placer, status }: RelocationComponents, options: AbortOptions): Promise<readonly PeerId[] | undefined> {
  if (replication === 'everywhere') return []
  const { min, max } = replication
  const named = allocations.filter(peer => members.has(peer))
  const present = named.filter(peer => !gone.has(peer))
  if (present.length < min) {
    const chosen = placer.place({ replication, holders: allocations, wanted: [] })
    return [...chosen, ...named.filter(peer => !chosen.includes(peer))]
  }
  if (named.length <= max) return named

  const { peers } = await status(cid, options)
  const isHeld = (peer: PeerId): boolean => peers.some(info => info.peer === peer && info.status === 'pinned')
  const held = present.filter(isHeld)
  if (held.length < min) return undefined
  return [...held, ...present.filter(peer => !isHeld(peer)), ...named.filter(peer => gone.has(peer))].slice(0, max)
}
