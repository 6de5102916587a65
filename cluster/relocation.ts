import { NotEnoughPeersError } from './api/errors.ts'
import type { TrackerStatus } from './api/pin-info.ts'
import type { PeerId, Pin } from './api/pin.ts'
import type { Situation } from './peer-watch.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, ClusterApi } from './ports.ts'

export interface RelocationComponents {
  readonly placer: Pick<Placer, 'place'>
  readonly status: ClusterApi['status']
}

/** Whether a pin names somebody who is no member or being drained, or too few that are there, or more than should hold it: these were to be let off. */
export function isMisplaced (pin: Pin, { members, gone, draining }: Situation): boolean {
  const { replication, allocations } = pin
  if (replication === 'everywhere') return false
  return isOnTheMove(pin) || allocations.some(peer => !members.has(peer) || draining.has(peer)) || allocations.filter(peer => !gone.has(peer)).length < replication.min
}

/** Whether it names more peers than should hold it, because some of these may have no copy yet, see `nextAllocations`. */
export function isOnTheMove ({ replication, allocations }: Pin): boolean {
  return replication !== 'everywhere' && allocations.length > replication.max
}

/**
 * Who is to hold a misplaced pin next. Others are told first, and who is gone or drained is let off only when `min` of those that stay have a copy:
 * what a peer is not to hold it lets go of, and it may have the only one. Until then the pin names more peers than `max`. What is drained is to be
 * held by as many as before, as far as there are peers for that.
 *
 * @returns undefined while there are too few copies
 * @throws NotEnoughPeersError
 */
export async function nextAllocations (pin: Pin, situation: Situation, { placer, status }: RelocationComponents, options: AbortOptions): Promise<readonly PeerId[] | undefined> {
  const { cid, replication, allocations } = pin
  if (replication === 'everywhere') return []
  const { min, max } = replication
  const { members, gone, draining } = situation
  const named = allocations.filter(peer => members.has(peer))
  const lasting = named.filter(peer => !draining.has(peer))
  const staying = lasting.filter(peer => !gone.has(peer))
  const isDrained = lasting.length < named.length
  const wanted = isDrained ? Math.min(max, named.length) : min
  if (staying.length < wanted) {
    const chosen = chooseOthers({ wanted, min, max: isDrained ? wanted : max, holders: lasting, isEnough: staying.length >= min }, placer)
    if (chosen !== undefined) return [...chosen, ...named.filter(peer => !chosen.includes(peer))]
  }
  if (named.length <= max && !isDrained) return named

  const { peers } = await status(cid, options)
  const statusOf = (peer: PeerId): TrackerStatus | undefined => peers.find(info => info.peer === peer)?.status
  const held = staying.filter(peer => statusOf(peer) === 'pinned')
  const copying = staying.filter(peer => !held.includes(peer) && statusOf(peer) !== 'pin_error')
  if (held.length < min || (isDrained && copying.length > 0)) return undefined
  return [...held, ...copying, ...lasting.filter(peer => !held.includes(peer) && !copying.includes(peer))].slice(0, max)
}

/** As many as are wanted, or else as many as there are. @returns undefined where there is nobody else, and those that stay are enough */
function chooseOthers ({ wanted, min, max, holders, isEnough }: {
  readonly wanted: number, readonly min: number, readonly max: number, readonly holders: readonly PeerId[], readonly isEnough: boolean
}, placer: Pick<Placer, 'place'>): readonly PeerId[] | undefined {
  try {
    return placer.place({ replication: { min: wanted, max }, holders, wanted: [] })
  } catch (err) {
    if (!(err instanceof NotEnoughPeersError)) throw err
    return isEnough ? undefined : placer.place({ replication: { min, max }, holders, wanted: [] })
  }
}
