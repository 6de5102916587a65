import { createHmac, timingSafeEqual } from 'node:crypto'
import type { PeerId } from '../api/pin.ts'

export const proofBytes = 32

/** One TLS connection as both ends see it. */
export interface ProvenChannel {
  /** Keying material of this very connection (RFC 8446 §7.5): made from the nonces and certificates of both, it never comes twice. */
  readonly binding: Uint8Array
  readonly dialler: PeerId
  readonly listener: PeerId
}

/**
 * What a side sends to show that it knows the cluster secret. Good on this connection, from this side, between these two peers only:
 * recorded or passed on it proves nothing.
 */
export function proofOf (secret: Uint8Array, side: 'dialler' | 'listener', { binding, dialler, listener }: ProvenChannel): Buffer {
  const hmac = createHmac('sha256', secret).update('ipfs-quorum cluster secret 1\0')
  for (const part of [side, dialler, listener]) hmac.update(`${part}\0`)
  return hmac.update(binding).digest()
}

/** In constant time. */
export function isProof (said: Uint8Array, expected: Uint8Array): boolean {
  return said.byteLength === proofBytes && timingSafeEqual(said, expected)
}
