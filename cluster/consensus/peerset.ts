import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { DrainRequest, JoinRequest, Membership, PeerAddresses, PeerRpc } from '../peer-ports.ts'
import type { AbortOptions } from '../ports.ts'
import { createPromotions } from './promotions.ts'
import { addressText, addressesOf } from './raft/addresses.ts'
import { DroppedError, NotLeaderError, UnknownOutcomeError } from './raft/errors.ts'
import type { Member } from './raft/members.ts'
import type { RaftNode } from './raft/raft-node.ts'

/** Between two tries to find who leads. */
const leaderRetryMs = 200
/** Between two looks whether what the leader has agreed on is applied here. */
const appliedRetryMs = 20
/** For so long the others may seem not to be there: a leader forgets every second whom it has heard, and a new one has heard nobody yet. */
const othersPatienceMs = 3_000

export interface PeersetComponents {
  readonly self: PeerId
  /** Throws while the engine is not there. */
  readonly node: () => RaftNode
  /** To a leader that is another peer. */
  readonly rpc: Pick<PeerRpc, 'call'>
  readonly clusterName: string
  readonly clock: Clock
  /** @throws ClusterError ERR_STORES_ONLY when this peer may change nothing */
  readonly assertMayChange: () => void
}

/** Changes of who belongs to the cluster, from whichever peer is asked: the leader makes them. */
export function createPeerset ({ self, node, rpc, clusterName, clock, assertMayChange }: PeersetComponents): Pick<Membership, 'members' | 'add' | 'remove' | 'drain' | 'trust'> {
  const list = (): readonly Member[] => node().bookkeeping().members
  const promotions = createPromotions(node)
  const members = (): readonly PeerAddresses[] => list().map(member => ({ peer: member.name as PeerId, addresses: addressesOf(member) }))

  /**
   * Where this peer does not lead, the leader is asked; where nobody does, or the leader is gone, somebody will soon lead. So the same may be asked
   * twice, which has to be as good as once.
   *
   * @throws ClusterError when the signal aborts: ERR_NO_LEADER if nobody was asked yet, else ERR_UNKNOWN_OUTCOME
   */
  async function atLeader<T> (here: () => Promise<T>, there: (leader: PeerId) => Promise<T>, { signal }: AbortOptions): Promise<T> {
    const startedMs = clock.now()
    let isAsked = false
    const isPassing = (err: unknown): boolean => err instanceof NotLeaderError || isLost(err) || (isAlone(err) && clock.now() - startedMs < othersPatienceMs)

    async function ask (): Promise<T> {
      try {
        return await here()
      } catch (err) {
        if (err instanceof UnknownOutcomeError) isAsked = true
        const leader = err instanceof NotLeaderError ? list().find(({ id }) => id === err.leader)?.name as PeerId | undefined : undefined
        if (leader === undefined || leader === self) throw err
        isAsked = true
        return await there(leader)
      }
    }

    while (!signal.aborted) {
      try {
        return await ask()
      } catch (err) {
        if (!signal.aborted && !isPassing(err)) throw inTheClustersWords(err)
      }
      await pause(clock, leaderRetryMs, signal).catch(() => {}) // given up: the loop ends
    }
    throw isAsked ? unknown(signal.reason) : new ClusterError('ERR_NO_LEADER', 'the peerset was not changed: no leader is known, for too few of the peers answer', { cause: signal.reason })
  }

  async function addHere ({ peer, clusterName: wanted, nodeId: id, incarnation, addresses, votes }: JoinRequest, options: AbortOptions): Promise<readonly PeerAddresses[]> {
    if (wanted !== clusterName) throw refused(`this is the cluster ${JSON.stringify(clusterName)}, ${peer} wants to join ${JSON.stringify(wanted)} (consensus.raft.cluster_name)`)
    const { membership } = node()
    const member: Member = { id, incarnation, name: peer, address: addressText(addresses) }
    const known = list().find(({ name }) => name === peer)
    if (known === undefined) {
      if (list().some(other => other.id === id)) throw refused(`${peer} has a copy of another peer's folder: give it an empty one`)
      await membership.add(member, { ...options, asLearner: true })
      if (votes) await promotions.settle(peer, options)
      return members()
    }
    if (known.id !== id || known.incarnation !== incarnation) {
      throw refused(`${peer} is a member with another folder. If that is lost, remove the member first: ipfs-cluster-ctl peers rm ${peer}. If the member still runs, this peer was given its identity.json, and needs one of its own`)
    }
    if (known.address !== member.address) await membership.amend({ ...known, address: member.address }, options)
    if (votes) await promotions.settle(peer, options)
    return members()
  }

  async function removeHere (peer: PeerId, options: AbortOptions): Promise<void> {
    const known = list().find(({ name }) => name === peer)
    if (known === undefined) throw noMember(peer)
    if (list().length === 1) throw refused(`${peer} is the only member left; there is nobody to leave the cluster to`)
    if (promotions.isLastWriter(known.id)) throw refused(`${peer} is the only peer that may change the pinset; trust another one first: ipfs-cluster-ctl peers trust`)
    await node().membership.remove(known.id, options)
  }

  async function drainHere ({ peer, isDraining }: DrainRequest, options: AbortOptions): Promise<void> {
    const known = list().find(({ name }) => name === peer)
    if (known === undefined) throw noMember(peer)
    const { isDraining: wasDraining = false, ...member } = known
    if (isDraining === wasDraining) return
    if (isDraining && list().every(other => other.name === peer || other.isDraining)) throw refused(`${peer} is the only member that is not drained yet; there is nobody to hold its pins`)
    await node().membership.amend(isDraining ? { ...member, isDraining } : member, options)
  }

  return {
    members,
    async drain (request, options) {
      assertMayChange()
      const { peer, isDraining } = request
      await atLeader(async () => { await drainHere(request, options) }, async leader => { await rpc.call(leader, 'Consensus.DrainPeer', request, options) }, options)
      while (list().some(member => member.name === peer && (member.isDraining === true) !== isDraining)) await pause(clock, appliedRetryMs, options.signal) // here too
    },
    async trust (request, options) {
      assertMayChange()
      await atLeader(async () => { await promotions.trust(request, options) }, async leader => { await rpc.call(leader, 'Consensus.TrustPeer', request, options) }, options)
      while (!promotions.isSo(request)) await pause(clock, appliedRetryMs, options.signal) // here too
    },
    add: async (request, options) => await atLeader(async () => await addHere(request, options), async leader => await rpc.call(leader, 'Cluster.Join', request, options), options),
    async remove (peer, options) {
      if (peer !== self) assertMayChange() // whoever only stores may go
      let isAsked = false
      await atLeader(async () => {
        if (!isAsked || list().some(({ name }) => name === peer)) await removeHere(peer, options)
      }, async leader => {
        isAsked = true
        await rpc.call(leader, 'Consensus.RemovePeer', peer, options)
      }, options)
    }
  }
}

const refused = (message: string): ClusterError => new ClusterError('ERR_INVALID_ARGUMENT', message)
const noMember = (peer: PeerId): ClusterError => refused(`${peer} is not a member of this cluster`)

/** Nothing was changed, because too few others were heard of lately. */
const isAlone = (err: unknown): boolean => err instanceof DroppedError && err.reason === 'no-leader'

/** The leader that was asked is gone, or this peer's way to it. */
const isLost = (err: unknown): boolean => err instanceof ClusterError && err.code === 'ERR_PEER_FAILED'

const unknown = (cause: unknown): ClusterError =>
  new ClusterError('ERR_UNKNOWN_OUTCOME', 'whether the peerset is changed is not known: too few of the peers answered in time, and it may happen yet when they are back', { cause })

function inTheClustersWords (err: unknown): unknown {
  if (err instanceof UnknownOutcomeError) return unknown(err)
  if (isAlone(err)) return new ClusterError('ERR_NO_LEADER', 'the peerset was not changed: too few of the peers that would be left answer', { cause: err })
  if (err instanceof DroppedError) return new ClusterError('ERR_NO_LEADER', `the peerset was not changed: ${err.message}`, { cause: err })
  return err
}
