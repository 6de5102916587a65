/** A peer that is the only voter need not wait for silence before it leads: there is nobody whom it could disturb. */
import type { Bookkeeping } from './applier.ts'
import type { NodeId } from './core/types.ts'
import type { Driver } from './driver.ts'
import type { RaftStorage } from './storage.ts'
import type { Ticks } from './ticks.ts'

/** A newly founded group has its membership in its first entry. */
export function isAlone (id: NodeId, { conf: { voters, votersOutgoing }, index }: Bookkeeping, { log }: RaftStorage): boolean {
  if (votersOutgoing.length > 0) return false
  if (voters.length === 1) return voters[0] === id
  return voters.length === 0 && log.firstIndex() === index + 1 && log.lastIndex() === index + 1
}

/** Once all that is known to be committed is applied: one of those entries may be the change that brought others in. */
export async function leadAtOnce ({ driver, storage, ticks, applied }: {
  readonly driver: Driver, readonly storage: RaftStorage, readonly ticks: Ticks, readonly applied: () => number
}): Promise<void> {
  const { commit } = storage.log.initialState().hard
  try {
    while (applied() < commit) await ticks.next()
  } catch { return } // it was stopped meanwhile
  void driver.post(core => { if (core.status().role === 'follower') core.campaign() })
}
