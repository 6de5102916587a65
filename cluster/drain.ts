import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import type { DrainProgress, DrainRequest, Membership } from './peer-ports.ts'
import type { AbortOptions, Consensus } from './ports.ts'

export interface DrainComponents {
  readonly consensus: Pick<Consensus, 'state' | 'peerset'>
  readonly membership: Pick<Membership, 'draining' | 'drain'>
}

/** Relieving members of their pins, as an operator asks for it; who carries it out is the repinner of each peer. */
export interface Drain {
  /**
   * @returns how much there is to do
   * @throws ClusterError ERR_INVALID_ARGUMENT when the others are too few for a pin that the peer holds, which is named; else as `Membership.drain`
   */
  ask (request: DrainRequest, options: AbortOptions): Promise<DrainProgress>
  progress (peer: PeerId, options: AbortOptions): Promise<DrainProgress>
}

export function createDrain ({ consensus, membership }: DrainComponents): Drain {
  /** @returns how many pins name the peer, and the one that needs most peers */
  async function look (peer: PeerId, options: AbortOptions): Promise<{ readonly pins: number, readonly needed: number, readonly cid: string }> {
    let most = { pins: 0, needed: 0, cid: '' }
    for await (const { cid, replication, allocations } of consensus.state.list(options)) {
      if (replication === 'everywhere' || !allocations.includes(peer)) continue
      most = replication.min > most.needed ? { pins: most.pins + 1, needed: replication.min, cid: cid.toString() } : { ...most, pins: most.pins + 1 }
    }
    return most
  }

  const progressOf = (peer: PeerId, pins: number): DrainProgress => ({ peer, isDraining: membership.draining().has(peer), pins })

  return {
    async ask (request, options) {
      const { peer, isDraining } = request
      const { pins, needed, cid } = await look(peer, options)
      const left = consensus.peerset().filter(other => other !== peer && !membership.draining().has(other)).length
      if (isDraining && left < needed) {
        throw new ClusterError('ERR_INVALID_ARGUMENT', `${peer} cannot be drained: ${cid} needs ${needed} peers, ${left} would be left. Add a peer, or lower its replication factor`)
      }
      await membership.drain(request, options)
      return progressOf(peer, pins)
    },
    progress: async (peer, options) => progressOf(peer, (await look(peer, options)).pins)
  }
}
