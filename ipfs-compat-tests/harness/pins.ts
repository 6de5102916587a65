/** Pins and CIDs for tests that need many, all different. */
import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { identity } from 'multiformats/hashes/identity'
import type { GlobalPinInfo, TrackerStatus } from '../../cluster/api/pin-info.ts'
import type { PeerId, Pin } from '../../cluster/api/pin.ts'

const sha256Code = 0x12

export const self = '12D3KooWQmTqkMSHKgb7VBvTH6WmmB7JSa9jVqFFpZQVzQ4mYFdN' as PeerId
export const other = '12D3KooWNB1bYbQCbKcHQ6cfWSgJX6VzbpRHCsrpcPVKQtmCLwrQ' as PeerId

/** A CID nobody has content for. */
export function cidOf (seed: string | number): CID {
  return CID.createV1(raw.code, Digest.create(sha256Code, createHash('sha256').update(String(seed)).digest()))
}

/** A CID that carries its content itself, so any daemon can pin it. */
export function inlineCidOf (seed: string | number): CID {
  return CID.createV1(raw.code, identity.digest(new TextEncoder().encode(String(seed))))
}

export function pinOf (seed: string | number, given: Partial<Pin> = {}): Pin {
  return {
    cid: cidOf(seed), name: `pin ${seed}`, mode: 'recursive', replication: 'everywhere', allocations: [], expireAtMs: undefined,
    metadata: {}, pinUpdate: undefined, origins: [], timestampMs: 1_700_000_000_000, ...given
  }
}

/** How `pin` stands on these peers. */
export function standingOf ({ cid, name, allocations }: Pin, peers: readonly PeerId[], statusOf: (peer: PeerId) => TrackerStatus): GlobalPinInfo {
  const infos = peers.map(peer => ({ cid, name, peer, status: statusOf(peer), timestampMs: 0, error: '', attemptCount: 0, isPriority: false }))
  return { cid, name, allocations, origins: [], createdMs: 0, metadata: {}, peers: infos }
}
