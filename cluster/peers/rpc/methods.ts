import { CID } from 'multiformats/cid'
import { parsePeerId } from '../../api/peer-id.ts'
import { driftKinds } from '../../api/drift.ts'
import type { Drift } from '../../api/drift.ts'
import type { ClusterId, IpfsId, PeerLinks } from '../../api/peer.ts'
import { trackerStatuses } from '../../api/pin-info.ts'
import type { PinInfo } from '../../api/pin-info.ts'
import type { PeerId } from '../../api/pin.ts'
import type { Measurement } from '../../api/metric.ts'
import type { RepoStat } from '../../api/repo.ts'
import type { AuditWish, DrainRequest, ImportItem, JoinRequest, PeerAddresses, Reached, RpcMethod, RpcMethods, TrustedPeers, TrustRequest } from '../../peer-ports.ts'
import type { Announcement, NamedRoot, UnpinnedRoot } from '../../ports.ts'
import { bigNumber, booleanCodec, cidCodec, float, listOf, nothing, struct, textCodec, wholeNumber, wordOf } from './codec.ts'
import type { Codec } from './codec.ts'
import { decodeError, encodeError } from './error-codec.ts'

/** How a method travels. */
export interface MethodRules<M extends RpcMethod> {
  readonly shape: RpcMethods[M]['shape']
  readonly argument: Codec<RpcMethods[M]['argument']>
  readonly result: Codec<RpcMethods[M]['result']>
  /** Of the argument, or of each item that is pushed. */
  readonly argumentBytesMax: number
  /** Of the answer, or of each item that is pulled. */
  readonly resultBytesMax: number
  /** For a call, on both sides. Streams last as long as they move; whether the peer is still there, the connection finds out. */
  readonly timeoutMs: number
  /** Waits for no other call to the same peer, because it is asked whether that peer is there. */
  readonly isUrgent?: true
}

const small = 64 * 1_024
const large = 4 * 1_024 * 1_024
/** Kubo's largest block, and its CID. */
const blockBytesMax = 2 * 1_024 * 1_024 + 1_024
const noLimit = 0

const peerIdCodec: Codec<PeerId> = { write: (to, value) => { to.text(value) }, read: from => parsePeerId(from.text()) }
const statusCodec = wordOf(trackerStatuses)
const textsCodec = listOf(textCodec)

const pinInfoCodec = struct<PinInfo>({
  cid: cidCodec, name: textCodec, peer: peerIdCodec, status: statusCodec, timestampMs: wholeNumber, error: textCodec, attemptCount: wholeNumber, isPriority: booleanCodec
})
const driftCodec = struct<Drift>({ peer: peerIdCodec, cid: cidCodec, name: textCodec, kind: wordOf(driftKinds), detail: textCodec })
const reachedHeadCodec = struct<Pick<Reached, 'id' | 'outcome'>>({ id: wholeNumber, outcome: wordOf(['held', 'overtaken', 'failed'] as const) })
const ipfsIdCodec = struct<IpfsId>({ id: textCodec, addresses: textsCodec, error: textCodec })
const clusterIdCodec = struct<ClusterId>({
  id: peerIdCodec, peername: textCodec, version: textCodec, addresses: textsCodec, clusterPeers: listOf(peerIdCodec), clusterPeersAddresses: textsCodec,
  error: textCodec, ipfs: ipfsIdCodec
})
const linksCodec = struct<PeerLinks>({ peername: textCodec, peers: listOf(peerIdCodec), daemon: textCodec, daemonPeers: textsCodec })
const repoStatCodec = struct<RepoStat>({ repoSize: bigNumber, storageMax: bigNumber, numObjects: bigNumber, repoPath: textCodec, version: textCodec })
const measurementCodec = struct<Measurement>({
  name: textCodec, value: textCodec, weight: float, isValid: booleanCodec, isPartitionable: booleanCodec, ttlMs: float
})
const joinCodec = struct<JoinRequest>({ peer: peerIdCodec, clusterName: textCodec, nodeId: wholeNumber, incarnation: wholeNumber, addresses: textsCodec, daemon: textCodec, votes: booleanCodec })
const drainCodec = struct<DrainRequest>({ peer: peerIdCodec, isDraining: booleanCodec })
const trustCodec = struct<TrustRequest>({ peer: peerIdCodec, isTrusted: booleanCodec })
const trustedCodec = struct<TrustedPeers>({ everyone: booleanCodec, peers: listOf(peerIdCodec), asOf: wholeNumber })
const peersetCodec = listOf(struct<PeerAddresses>({ peer: peerIdCodec, addresses: textsCodec }))
const gcLineCodec = struct<{ key: string, error: string }>({ key: textCodec, error: textCodec })
const rootsCodec = listOf(struct<NamedRoot>({ cid: cidCodec, name: textCodec }))
const unpinnedRootCodec: Codec<UnpinnedRoot> = {
  write (to, { cid, error }) {
    cidCodec.write(to, cid)
    to.text(error.message)
  },
  read: from => ({ cid: cidCodec.read(from), error: new Error(from.text()) })
}

const importHeadCodec = struct<{ delivery: string, timeoutMs: number, unannounced: readonly Announcement[] }>({ delivery: textCodec, timeoutMs: wholeNumber, unannounced: listOf(wordOf(['root', 'dag', 'wait'] as const)) })

/** A block's bytes come last and are not copied; what is no block is told from one by the length of its CID, which is never 0. */
const importItemCodec: Codec<ImportItem> = {
  write (to, item) {
    if ('roots' in item) rootsCodec.write(to.varint(0).byte(1), item.roots)
    else if ('delivery' in item) importHeadCodec.write(to.varint(0).byte(0), { unannounced: [], ...item })
    else to.bytes(item.cid.bytes)
  },
  tail: item => 'cid' in item ? item.bytes : undefined,
  read (from) {
    const cid = from.bytes()
    if (cid.byteLength > 0) return { cid: CID.decode(Uint8Array.from(cid)), bytes: from.rest() }
    return from.byte() === 0 ? importHeadCodec.read(from) : { roots: rootsCodec.read(from) }
  }
}

const reachedCodec: Codec<Reached> = {
  write (to, { id, outcome, error }) {
    reachedHeadCodec.write(to, { id, outcome })
    to.bytes(error === undefined ? new Uint8Array(0) : encodeError(error))
  },
  read (from) {
    const head = reachedHeadCodec.read(from)
    const error = from.bytes()
    return { ...head, error: error.byteLength === 0 ? undefined : decodeError(error) }
  }
}

/** Complete by type: a method without rules does not compile. */
export const rpcMethods: { readonly [M in RpcMethod]: MethodRules<M> } = {
  'Cluster.Id': { shape: 'call', argument: nothing, result: clusterIdCodec, argumentBytesMax: 0, resultBytesMax: small * 4, timeoutMs: 10_000 },
  'Cluster.Links': { shape: 'call', argument: nothing, result: linksCodec, argumentBytesMax: 0, resultBytesMax: large, timeoutMs: 10_000 },
  'Cluster.Join': { shape: 'call', argument: joinCodec, result: peersetCodec, argumentBytesMax: small, resultBytesMax: large, timeoutMs: 60_000 },
  'Consensus.RemovePeer': { shape: 'call', argument: peerIdCodec, result: nothing, argumentBytesMax: small, resultBytesMax: 0, timeoutMs: 60_000 },
  'Consensus.DrainPeer': { shape: 'call', argument: drainCodec, result: nothing, argumentBytesMax: small, resultBytesMax: 0, timeoutMs: 60_000 },
  'Consensus.TrustPeer': { shape: 'call', argument: trustCodec, result: nothing, argumentBytesMax: small, resultBytesMax: 0, timeoutMs: 60_000 },
  'Consensus.TrustedPeers': { shape: 'call', argument: nothing, result: trustedCodec, argumentBytesMax: 0, resultBytesMax: large, timeoutMs: 10_000 },
  'PinTracker.Status': { shape: 'call', argument: cidCodec, result: pinInfoCodec, argumentBytesMax: small, resultBytesMax: small, timeoutMs: 30_000 },
  'PinTracker.StatusAll': { shape: 'pull', argument: listOf(statusCodec), result: pinInfoCodec, argumentBytesMax: small, resultBytesMax: small, timeoutMs: noLimit },
  'PinTracker.Audit': { shape: 'pull', argument: struct<AuditWish>({ foreign: booleanCodec }), result: driftCodec, argumentBytesMax: small, resultBytesMax: small, timeoutMs: noLimit },
  'PinTracker.Recover': { shape: 'call', argument: cidCodec, result: pinInfoCodec, argumentBytesMax: small, resultBytesMax: small, timeoutMs: 30_000 },
  'PinTracker.RecoverAll': { shape: 'pull', argument: nothing, result: pinInfoCodec, argumentBytesMax: 0, resultBytesMax: small, timeoutMs: noLimit },
  'PinTracker.Reached': { shape: 'call', argument: listOf(reachedCodec), result: nothing, argumentBytesMax: large, resultBytesMax: 0, timeoutMs: 10_000 },
  'IpfsConnector.ImportBlocks': { shape: 'push', argument: importItemCodec, result: listOf(unpinnedRootCodec), argumentBytesMax: blockBytesMax, resultBytesMax: large, timeoutMs: noLimit },
  'IpfsConnector.RepoStat': { shape: 'call', argument: booleanCodec, result: repoStatCodec, argumentBytesMax: small, resultBytesMax: small, timeoutMs: 60_000 },
  'IpfsConnector.RepoGc': { shape: 'pull', argument: nothing, result: gcLineCodec, argumentBytesMax: 0, resultBytesMax: small, timeoutMs: noLimit },
  'IpfsConnector.SwarmAddresses': { shape: 'call', argument: nothing, result: textsCodec, argumentBytesMax: 0, resultBytesMax: small, timeoutMs: 30_000 },
  'Monitor.Receive': { shape: 'call', argument: listOf(measurementCodec), result: listOf(measurementCodec), argumentBytesMax: small * 4, resultBytesMax: small * 4, timeoutMs: 10_000, isUrgent: true }
}

export const isMethod = (text: string): text is RpcMethod => Object.hasOwn(rpcMethods, text)
