import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import type { Membership, TrustRequest } from '../../peer-ports.ts'
import type { AbortOptions } from '../../ports.ts'
import type { Book, MemberNote } from './book.ts'
import type { Etcd } from './client.ts'
import { inTheClustersWords } from './errors.ts'
import type { Keys } from './keys.ts'
import { isAt, put, remove, revisionOf } from './wire.ts'
import type { Compare, TxnOp } from './wire.ts'

export interface EtcdMembershipComponents {
  readonly self: PeerId
  readonly etcd: () => Etcd
  readonly keys: Keys
  readonly book: Book
  /** Resolves when it is known here. */
  readonly reached: (revision: bigint, options: AbortOptions) => Promise<void>
  /** What stands of this peer in etcd from now on. @throws ClusterError ERR_NO_LEADER before it is a member */
  readonly ownNote: (addresses: readonly string[]) => MemberNote
  /** @throws ClusterError ERR_STORES_ONLY */
  readonly assertMayChange: () => void
}

/** Whether a peer may change the pinset. */
export const mayWrite = ({ trusted }: Book, peer: PeerId): boolean => trusted.everyone || trusted.peers.includes(peer)
export const writersOf = (book: Book): readonly PeerId[] => membersOf(book).filter(peer => mayWrite(book, peer))
export const membersOf = ({ members }: Book): readonly PeerId[] => [...members.keys()].sort()

/** Changes of who belongs to the cluster. Any peer whose user etcd lets write makes them itself: nobody leads. */
export function createEtcdMembership ({ self, etcd, keys, book, reached, ownNote, assertMayChange }: EtcdMembershipComponents): Omit<Membership, 'watch'> {
  /** @returns false when something else was changed first */
  async function change (compare: readonly Compare[], success: readonly TxnOp[], options: AbortOptions): Promise<boolean> {
    try {
      const { header, succeeded = false } = await etcd().txn({ compare, success }, options)
      if (succeeded) await reached(revisionOf(header), options)
      return succeeded
    } catch (err) {
      throw options.signal.aborted ? unknown(options.signal.reason) : inTheClustersWords(err, 'the peerset was not changed')
    }
  }

  async function removeOne (peer: PeerId, options: AbortOptions): Promise<void> {
    const member = book.members.get(peer)
    if (member === undefined) throw noMember(peer)
    if (book.members.size === 1) throw refused(`${peer} is the only member left; there is nobody to leave the cluster to`)
    if (writersOf(book).every(writer => writer === peer)) throw refused(`${peer} is the only peer that may change the pinset; trust another one first: ipfs-cluster-ctl peers trust`)
    const folders = [...new Set([...book.removed.get(peer) ?? [], member.folder])]
    await change([], [put(keys.removed(peer), JSON.stringify(folders)), remove(keys.member(peer)), remove(keys.peer(peer)), remove(keys.draining(peer))], options)
  }

  /** As it is now, and would be with the wish; decided anew when somebody else was first. */
  async function trustOne ({ peer, isTrusted }: TrustRequest, options: AbortOptions): Promise<void> {
    while (true) {
      const { trusted, trustedRevision } = book
      if (mayWrite(book, peer) === isTrusted) return
      if (trusted.everyone && !book.members.has(peer)) throw refused(`${peer} is not a member of this cluster, all of which may change the pinset`)
      const before = trusted.everyone ? membersOf(book) : trusted.peers
      const peers = isTrusted ? [...before, peer] : before.filter(other => other !== peer)
      if (!peers.some(other => book.members.has(other))) throw refused(`${peer} is the only peer that may change the pinset: trust another one first`)
      if (await change([isAt(keys.trusted, trustedRevision)], [put(keys.trusted, JSON.stringify({ everyone: false, peers }))], options)) return
      await reached(trustedRevision + 1n, options)
    }
  }

  return {
    members: () => membersOf(book).map(peer => ({ peer, addresses: book.members.get(peer)!.addresses })),
    draining: () => new Set([...book.draining].filter(peer => book.members.has(peer))),
    trusted () {
      if (book.cluster === undefined) throw new ClusterError('ERR_NO_LEADER', 'this peer is in no cluster itself yet')
      const { everyone, peers } = book.trusted
      return { everyone, peers, asOf: Number(book.trustedRevision) }
    },
    async add ({ peer }) {
      throw refused(`the peers of this cluster agree by etcd, and ${peer} asks as one that agrees by Raft: give it the same consensus.etcd as the others, and it is a member when it starts`)
    },
    async readdress (addresses, options) {
      await change([{ key: keys.member(self), target: 'CREATE', create_revision: '0', result: 'GREATER' }], [put(keys.member(self), JSON.stringify(ownNote(addresses)))], options)
    },
    async remove (peer, options) {
      if (peer !== self) assertMayChange()
      await removeOne(peer, options)
    },
    async drain ({ peer, isDraining }, options) {
      assertMayChange()
      if (!book.members.has(peer)) throw noMember(peer)
      if (book.draining.has(peer) === isDraining) return
      if (isDraining && membersOf(book).every(other => other === peer || book.draining.has(other))) throw refused(`${peer} is the only member that is not drained yet; there is nobody to hold its pins`)
      await change([], [isDraining ? put(keys.draining(peer), 'true') : remove(keys.draining(peer))], options)
    },
    async trust (request, options) {
      assertMayChange()
      await trustOne(request, options)
    }
  }
}

const refused = (message: string): ClusterError => new ClusterError('ERR_INVALID_ARGUMENT', message)
const noMember = (peer: PeerId): ClusterError => refused(`${peer} is not a member of this cluster`)
const unknown = (cause: unknown): ClusterError => new ClusterError('ERR_UNKNOWN_OUTCOME', 'whether the peerset is changed is not known: etcd did not answer in time, and it may happen yet', { cause })
