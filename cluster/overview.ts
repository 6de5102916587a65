import { ClusterError } from './api/errors.ts'
import type { Drift } from './api/drift.ts'
import { outOfStepText } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import { deadline } from './async/deadline.ts'
import type { Clock } from './clock.ts'
import { recoverOnAll } from './global-recover.ts'
import { collectOnAll } from './global-repo.ts'
import { createGlobalStatus } from './global-status.ts'
import type { Drain } from './drain.ts'
import { linesOfAll } from './lines-of-all.ts'
import type { Links } from './links.ts'
import type { Auditor, ClusterOverview, Membership, PeerRpc } from './peer-ports.ts'
import type { Placer } from './placer.ts'
import type { Rebalance } from './rebalance.ts'
import type { AbortOptions, Consensus, IpfsConnector, PinTracker } from './ports.ts'

/** A cluster without a majority can change nothing about its members: who asks is told so by then, as with any other change. */
const changeTimeoutMs = 15_000
const daemonTimeoutMs = 3_000
/** What the next changes need at least. */
const roomBytes = 1 << 20

export interface OverviewComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'state' | 'leader' | 'assertMayChange' | 'peerset'>
  readonly membership: Pick<Membership, 'remove' | 'trust' | 'trusted'>
  readonly drain: Drain
  readonly rebalance: Rebalance
  readonly tracker: PinTracker & Auditor
  readonly rpc: Pick<PeerRpc, 'pull'>
  readonly ipfs: IpfsConnector
  readonly placer: Pick<Placer, 'explain'>
  readonly links: Links
  /** Of the peer's own store. @throws ClusterError ERR_STORAGE */
  readonly ensureRoom: (bytes: number) => Promise<void> | undefined
  readonly clock: Clock
  /** By how much this machine's clock is ahead of the others', see `AgreedTime`. */
  readonly aheadMs: () => number
}

/** The view of an operator: this peer by itself, and the peers as such. */
export function createOverview ({ self, consensus, membership, drain, rebalance, tracker, rpc, ipfs, placer, links, ensureRoom, clock, aheadMs }: OverviewComponents): ClusterOverview {
  const { state } = consensus
  const alone = { peerset: () => [self], state, clock }
  const ask = {
    status: async (_peer: PeerId, ...call: Parameters<PinTracker['status']>) => await tracker.status(...call),
    recover: async (_peer: PeerId, ...call: Parameters<PinTracker['recover']>) => await tracker.recover(...call),
    statusAll: (_peer: PeerId, ...call: Parameters<PinTracker['statusAll']>) => tracker.statusAll(...call)
  }

  return {
    here: {
      ...createGlobalStatus({ ...alone, ask }),
      recoverAll: options => recoverOnAll({ ...alone, ask: (_peer, call) => tracker.recoverAll(call) }, options),
      repoGc: options => collectOnAll({ ...alone, ask: { repoGc: (_peer, call) => ipfs.repoGc(call), repoStat: async (_peer, call) => await ipfs.repoStat(call) } }, options)
    },
    async remove (peer, { signal }) {
      using limit = deadline(clock, changeTimeoutMs, `agreeing that ${peer} is no member any more`, signal)
      await membership.remove(peer, limit)
    },
    async drain (request, { signal }) {
      using limit = deadline(clock, changeTimeoutMs, `agreeing on what ${request.peer} is to hold`, signal)
      return await drain.ask(request, limit)
    },
    trusted: () => membership.trusted(),
    async trust (request, { signal }) {
      using limit = deadline(clock, changeTimeoutMs, `agreeing on whether ${request.peer} may change the pinset`, signal)
      await membership.trust(request, limit)
      return membership.trusted()
    },
    drainProgress: async (peer, options) => await drain.progress(peer, options),
    rebalance (wish, options) {
      if (!wish.isDry) consensus.assertMayChange()
      return rebalance.run(wish, options)
    },
    audit ({ foreign, local }, options) {
      if (local) return tracker.audit({ foreign }, options)
      const askOne = (peer: PeerId, call: AbortOptions): AsyncIterable<Drift> => peer === self ? tracker.audit({ foreign }, call) : rpc.pull(peer, 'PinTracker.Audit', { foreign }, call)
      return linesOfAll({ peerset: () => consensus.peerset(), ask: askOne, clock, words: { what: 'looking through its pins', failed: 'not all peers have looked through their pins' } }, options)
    },
    async explain (cid, { signal }) {
      signal.throwIfAborted()
      const pin = (await state.get(cid))?.pin
      if (pin === undefined) throw new ClusterError('ERR_PIN_NOT_FOUND', `not pinned: ${cid.toString()}`)
      return placer.explain({ replication: pin.replication, holders: pin.allocations, wanted: [] })
    },
    links: async options => await links.all(options),
    async ailments (options) {
      const leaderless = consensus.leader() === undefined ? ['no leader is known: too few of the peers are there to agree on anything'] : []
      const outOfStep = aheadMs() === 0 ? [] : [outOfStepText(aheadMs())]
      return [...leaderless, ...outOfStep, ...await diskAilments(), ...await daemonAilments(options)]
    }
  }

  async function diskAilments (): Promise<readonly string[]> {
    try {
      await ensureRoom(roomBytes)
      return []
    } catch {
      return ['the disk has no room for further changes']
    }
  }

  async function daemonAilments ({ signal }: AbortOptions): Promise<readonly string[]> {
    using limit = deadline(clock, daemonTimeoutMs, 'its answer', signal)
    try {
      await ipfs.id(limit)
      return []
    } catch {
      signal.throwIfAborted()
      return ['the IPFS daemon does not answer'] // where it is and why not is not for those who have no password
    }
  }
}
