import { createHmac, randomUUID } from 'node:crypto'
import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import type { AbortOptions } from '../../ports.ts'
import { removedText } from '../removed-text.ts'
import type { Book, BookKeeper, MemberNote } from './book.ts'
import type { Etcd } from './client.ts'
import { readMark, writeMark } from './folder-mark.ts'
import type { FolderMark } from './folder-mark.ts'
import type { Keys } from './keys.ts'
import { isAt, put, revisionOf } from './wire.ts'

export interface JoiningComponents {
  readonly etcd: Etcd
  readonly keys: Keys
  readonly keeper: BookKeeper
  readonly self: PeerId
  /** What others are told of this peer. */
  readonly note: () => Omit<MemberNote, 'folder'>
  /** Of the log; 0n for a pinset that is new. */
  readonly appliedIndex: bigint
}

export interface JoiningConfig {
  /** Of the state. */
  readonly folder: string
  readonly prefix: string
  readonly secret: string
  readonly trustedPeers: readonly string[]
}

/** Reads who belongs to the cluster, all of it as of one revision, which it answers. */
export async function loadBook (etcd: Etcd, keys: Keys, keeper: BookKeeper, options: AbortOptions): Promise<bigint> {
  const spans = [{ key: keys.cluster }, { key: keys.trusted }, keys.members, keys.peers, keys.drained, keys.removals]
  const { header, responses = [] } = await etcd.txn({ success: spans.map(span => ({ request_range: span })) }, options)
  keeper.load(responses.flatMap(({ response_range: found }) => found?.kvs ?? []), revisionOf(header))
  return revisionOf(header)
}

/**
 * Makes this peer a member of the cluster that lies under the prefix, or founds one where there is none. What would make it another cluster's, or the same
 * peer twice, is refused.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT with what is wrong and what to do; EtcdRefusedError, EtcdAwayError
 */
export async function enterCluster (components: JoiningComponents, config: JoiningConfig, options: AbortOptions): Promise<FolderMark> {
  const { etcd, keys, keeper, self, note, appliedIndex } = components
  const known = await readMark(config.folder)
  const revision = await loadBook(etcd, keys, keeper, options)
  if (known === undefined && appliedIndex > 0n) throw refused('this pinset was not kept with etcd. Save its pins with "ipfs-cluster-service state export", put it aside with "--force state cleanup", start, and bring them in with "state import"')
  if (known !== undefined && keeper.book.cluster === undefined) throw refused(`etcd has nothing under ${config.prefix}, but this peer was a member of a cluster there: is consensus.etcd.prefix right, and is it the same etcd? ${anew}`)
  if (revision < appliedIndex) throw refused(`etcd is at revision ${revision}, and this peer has carried out ${appliedIndex}: it is another etcd, or one that was restored from a backup. ${anew}`)
  if (keeper.book.cluster === undefined) await found(components, config, options)

  const cluster = keeper.book.cluster!
  if (cluster.proof !== proofOf(cluster.id, config.secret)) throw refused(`under ${config.prefix} in etcd is a cluster with another secret (cluster.secret, CLUSTER_SECRET): copy theirs, or choose another consensus.etcd.prefix`)
  if (known !== undefined && known.cluster !== cluster.id) throw refused(`under ${config.prefix} in etcd is another cluster than the one that this peer belongs to: is consensus.etcd.prefix right? ${anew}`)
  if (known !== undefined && keeper.book.removed.get(self)?.includes(known.folder)) throw refused(removedText)
  const mark = known ?? await writeMark(config.folder, cluster.id)
  assertSameFolder(keeper.book, self, mark)
  const own: MemberNote = { ...note(), folder: mark.folder }
  if (JSON.stringify(keeper.book.members.get(self)) === JSON.stringify(own)) return mark
  const { succeeded = false } = await etcd.txn({
    compare: keeper.book.members.has(self) ? [{ key: keys.member(self), target: 'CREATE', create_revision: '0', result: 'GREATER' }] : [isAt(keys.member(self), 0n)],
    success: [put(keys.member(self), JSON.stringify(own))]
  }, options)
  if (succeeded) return mark
  await loadBook(etcd, keys, keeper, options) // an answer was lost, or somebody else was faster
  assertSameFolder(keeper.book, self, mark)
  if (!keeper.book.members.has(self)) throw refused(removedText)
  return mark
}

async function found ({ etcd, keys, keeper, self }: JoiningComponents, { secret, trustedPeers }: JoiningConfig, options: AbortOptions): Promise<void> {
  const id = randomUUID()
  const isForAll = trustedPeers.includes('*')
  await etcd.txn({
    compare: [isAt(keys.cluster, 0n)],
    success: [
      put(keys.cluster, JSON.stringify({ id, proof: proofOf(id, secret) })),
      put(keys.trusted, JSON.stringify({ everyone: isForAll, peers: isForAll ? [] : [...new Set([self, ...trustedPeers])] }))
    ]
  }, options)
  await loadBook(etcd, keys, keeper, options) // whoever was first has founded it
}

/** A folder that is lost is no loss, for etcd has all; one that is used now is somebody else's. */
function assertSameFolder ({ members, present }: Book, self: PeerId, { folder }: FolderMark): void {
  const known = members.get(self)
  if (known === undefined || known.folder === folder || !present.has(self)) return
  throw refused(`${self} runs with another folder, or did so until a moment ago (consensus.etcd.lease_ttl). If it still runs, this peer was given its identity.json, and needs one of its own`)
}

function proofOf (id: string, secret: string): string {
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(`consensus.etcd ${id}`).digest('hex')
}

const anew = 'To begin anew with what is there, put this peer\'s state aside: ipfs-cluster-service --force state cleanup'
const refused = (message: string): ClusterError => new ClusterError('ERR_INVALID_ARGUMENT', message)
