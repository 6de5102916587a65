import type { AllocationReason } from './api/allocation-reason.ts'
import { ClusterError } from './api/errors.ts'
import type { PeerId, Pin, Replication } from './api/pin.ts'
import type { DrainProgress, DrainRequest, Membership } from './peer-ports.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, Consensus } from './ports.ts'

export interface DrainComponents {
  readonly consensus: Pick<Consensus, 'state'>
  readonly membership: Pick<Membership, 'draining' | 'drain'>
  readonly placer: Pick<Placer, 'explain'>
}

/** Relieving members of their pins, as an operator asks for it; who carries it out is the repinner of each peer. */
export interface Drain {
  /**
   * @returns how much there is to do
   * @throws ClusterError ERR_INVALID_ARGUMENT when those that could hold it are too few for a pin that the peer holds, which is named; else as `Membership.drain`
   */
  ask (request: DrainRequest, options: AbortOptions): Promise<DrainProgress>
  progress (peer: PeerId, options: AbortOptions): Promise<DrainProgress>
}

export function createDrain ({ consensus, membership, placer }: DrainComponents): Drain {
  const pinsNaming = async function * (peer: PeerId, options: AbortOptions): AsyncGenerator<Pin & { readonly replication: Exclude<Replication, 'everywhere'> }, void, undefined> {
    for await (const pin of consensus.state.list(options)) {
      const { replication, allocations } = pin
      if (replication !== 'everywhere' && allocations.includes(peer)) yield { ...pin, replication }
    }
  }

  /** Goes by who could be given a pin now; a holder that could not may keep what it has, if it is there. */
  async function assertOthersCan (peer: PeerId, options: AbortOptions): Promise<void> {
    const others = placer.explain({ replication: { min: 1, max: 1 }, holders: [], wanted: [], without: [peer] }).filter(other => other.peer !== peer)
    for await (const { cid, replication: { min }, allocations } of pinsNaming(peer, options)) {
      const able = others.filter(other => mayHold[other.why] === 'new' || (mayHold[other.why] === 'old' && allocations.includes(other.peer)))
      if (able.length >= min) continue
      const unable = others.filter(other => !able.includes(other)).slice(0, toldMax).map(other => `; ${other.peer}: ${[other.why, other.detail].filter(text => text !== '').join(', ')}`)
      throw new ClusterError('ERR_INVALID_ARGUMENT', `${peer} cannot be drained: ${cid.toString()} needs ${min} peers, ${able.length} would be left${unable.join('')}. Add a peer, or lower its replication factor`)
    }
  }

  async function progress (peer: PeerId, options: AbortOptions): Promise<DrainProgress> {
    let pins = 0
    for await (const _pin of pinsNaming(peer, options)) pins++
    return { peer, isDraining: membership.draining().has(peer), pins }
  }

  return {
    async ask (request, options) {
      if (request.isDraining) await assertOthersCan(request.peer, options)
      await membership.drain(request, options)
      return await progress(request.peer, options)
    },
    progress
  }
}

/** Of those that cannot hold a pin so many are named. */
const toldMax = 20

/** Whether a peer could be given what another holds, or could only keep what it has itself. Complete by type. */
const mayHold: Readonly<Record<AllocationReason['why'], 'new' | 'old' | 'nothing'>> = {
  everywhere: 'new', holder: 'new', wished: 'new', ranked: 'new', 'not-needed': 'new', surplus: 'new', full: 'old', unmeasured: 'old', silent: 'nothing', draining: 'nothing', 'not-a-member': 'nothing'
}
