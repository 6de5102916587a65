import { createHash } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import type { PeerId } from './api/pin.ts'

/**
 * Which of `peers` acts for a CID, by XOR distance between hashes, so that one does and all agree which without asking.
 * `undefined` when there are none.
 */
export function closestPeer (cid: CID, peers: readonly PeerId[]): PeerId | undefined {
  const target = sha256(cid.bytes)
  const ranked = peers.map(peer => ({ peer, distance: distance(sha256(Buffer.from(peer)), target) }))
  return ranked.sort((a, b) => Buffer.compare(a.distance, b.distance))[0]?.peer
}

function sha256 (bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function distance (a: Buffer, b: Buffer): Buffer {
  return a.map((byte, i) => byte ^ b[i]!) as Buffer
}
