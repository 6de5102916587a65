/** The parts of a peer that stand for the others, where there are none. */
import type { PeerId } from '../../cluster/api/pin.ts'
import type { Clock } from '../../cluster/clock.ts'
import type { Destinations } from '../../cluster/destinations.ts'
import { createHolding } from '../../cluster/holding.ts'
import type { Holding } from '../../cluster/holding.ts'
import type { PeerRpc } from '../../cluster/peer-ports.ts'
import { explainPlacement, placePin } from '../../cluster/placement.ts'
import type { Placer } from '../../cluster/placer.ts'
import type { Presence } from '../../cluster/presence.ts'

export interface Alone {
  readonly rpc: Pick<PeerRpc, 'call' | 'pull'>
  readonly holding: Holding
  readonly presence: Pick<Presence, 'watch'>
  readonly destinations: Pick<Destinations, 'watch' | 'overdue'>
  readonly placer: Placer
}

/** Whoever is asked for is not there; pins go where there is room, which is here. */
export function alone (self: PeerId, clock: Clock): Alone {
  const rpc: Alone['rpc'] = {
    call: async peer => { throw new Error(`${peer} was called, but there is only ${self}`) },
    async * pull (peer) { throw new Error(`${peer} was called, but there is only ${self}`) }
  }
  return {
    rpc,
    presence: { watch: (_peer, { signal }) => ({ signal, [Symbol.dispose] () {} }) },
    destinations: { watch: (_peer, { signal }) => ({ signal, [Symbol.dispose] () {} }), overdue: () => new Set() },
    holding: createHolding({ self, rpc, clock }),
    placer: { place: wish => placePin({ self, peerset: [self], ...wish }), explain: wish => explainPlacement({ self, peerset: [self], ...wish }) }
  }
}
