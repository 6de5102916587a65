import { ClusterError, OtherSecretError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { JoinRequest, PeerRpc, TrustedPeers } from './peer-ports.ts'
import type { AbortOptions } from './ports.ts'

const firstWaitMs = 250
const longestWaitMs = 5_000
/** Of rounds in a row that failed, one in so many is told. */
const toldEvery = 8
/** Who is asked holds its answer back while there is no leader. */
const longAnswerMs = 10_000
/** A peer that stops in the middle of a handshake looks as if it had another secret: once is no proof. */
const otherSecretRoundsMax = 3

export interface JoiningComponents {
  /** Finds out who answers at an address, and which peers are known besides. */
  readonly host: { connectTo (address: string, options: AbortOptions): Promise<PeerId>, known (): ReadonlyMap<PeerId, unknown> }
  readonly rpc: Pick<PeerRpc, 'call'>
  /** Told by each peer that is asked who may write there: nobody else is to bring what was agreed on. */
  readonly believe: (told: TrustedPeers) => void
  readonly self: PeerId
  readonly clock: Clock
  readonly log: Logger
}

/** What became of asking one peer: what it is called here, and what stood in the way, if anything did. */
interface Asked { readonly who: string, readonly outcome: 'joined' | 'itself' | 'other-secret' | 'failed', readonly err?: unknown }

/**
 * Asks peers to take this one in, one after another and again, until one has. What they may be: the addresses given, and all whose addresses
 * are known. Whoever is away may come back, so that is waited for; what no waiting can change ends it.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT when a peer refuses for good, with its reason; when all that are asked have another secret; when the
 * addresses lead to nobody but this peer; the signal's reason
 */
export async function joinThrough (components: JoiningComponents, addresses: readonly string[], request: JoinRequest, { signal }: AbortOptions): Promise<void> {
  const { host, self, clock, log } = components
  let otherSecretRounds = 0
  for (let round = 0, waitMs = firstWaitMs; ; round++, waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    using _told = round % toldEvery === 0 ? clock.after(longAnswerMs, () => log.info('still asking to be taken in: that takes long while too few peers are there, or a large pinset is copied', { addresses })) : undefined
    const contacts: readonly Contact[] = [
      ...addresses.map(address => ({ who: address, peer: async () => await host.connectTo(address, { signal }) })), ...[...host.known().keys()].map(peer => ({ who: peer, peer: async () => peer }))
    ]
    const asked: Asked[] = []
    for (const contact of contacts) {
      const one = await ask(contact, components, request, signal)
      if (one.outcome === 'joined') return
      asked.push(one)
    }
    const others = asked.filter(({ outcome }) => outcome !== 'itself')
    if (asked.length > 0 && others.length === 0) throw onlyItself(self, addresses)
    const isOtherSecret = others.length > 0 && others.every(({ outcome }) => outcome === 'other-secret')
    otherSecretRounds = isOtherSecret ? otherSecretRounds + 1 : 0
    if (otherSecretRounds >= otherSecretRoundsMax) throw allWithOtherSecret(others)
    if (round % toldEvery === 0) log.warn('waiting for a peer that takes this one in; nothing is served before', { addresses, err: whyNot(others) })
    await pause(clock, waitMs, signal)
  }
}

interface Contact { readonly who: string, readonly peer: () => Promise<PeerId> }

async function ask ({ who, peer: find }: Contact, { rpc, believe, self, log }: JoiningComponents, request: JoinRequest, signal: AbortSignal): Promise<Asked> {
  try {
    const peer = await find()
    if (peer === self) return { who, outcome: 'itself' }
    if (!request.votes) believe(await rpc.call(peer, 'Consensus.TrustedPeers', undefined, { signal }))
    await rpc.call(peer, 'Cluster.Join', request, { signal })
    log.info(request.votes ? 'joined the cluster' : 'taken in; what was agreed on is copied', { through: peer })
    return { who, outcome: 'joined' }
  } catch (err) {
    signal.throwIfAborted()
    if (err instanceof ClusterError && err.code === 'ERR_INVALID_ARGUMENT') throw new ClusterError('ERR_INVALID_ARGUMENT', `the cluster does not take this peer in: ${err.message}`, { cause: err })
    return { who, outcome: err instanceof OtherSecretError ? 'other-secret' : 'failed', err }
  }
}

function onlyItself (self: PeerId, addresses: readonly string[]): ClusterError {
  return new ClusterError('ERR_INVALID_ARGUMENT', `there is nobody to join: ${addresses.join(', ')} leads to this peer itself (${self}). To found a cluster start without such addresses (--bootstrap, ` +
    'cluster.peer_addresses); if another peer is meant, the two were given the same identity.json, and each needs one of its own')
}

function allWithOtherSecret (others: readonly Asked[]): ClusterError {
  return new ClusterError('ERR_INVALID_ARGUMENT', `the cluster does not take this peer in: its secret (cluster.secret, CLUSTER_SECRET) is not that of ${others.map(({ who }) => who).join(', ')}; copy theirs`)
}

function whyNot (others: readonly Asked[]): string {
  if (others.length === 0) return 'no other peer is known: give the address of one with --bootstrap or cluster.peer_addresses; to found a cluster instead, put what there is aside with "ipfs-cluster-service --force state cleanup"'
  return others.map(({ who, err }) => `${who}: ${(err as Error).message}`).join('; ')
}
