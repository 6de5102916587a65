import { hash } from 'node:crypto'
import { ByteWriter } from '../api/byte-writer.ts'
import { encodePin } from '../api/pin-bytes.ts'
import type { PinsetEntry } from '../ports.ts'

/** A pinset without pins. */
export const emptyDigest = 0n

/** What of an entry is stored, sent and summed: its revision, then the pin with its CID. */
export function encodeEntry ({ pin, revision }: PinsetEntry): Buffer {
  return new ByteWriter().varint(revision).raw(encodePin(pin)).finish()
}

/** 64 bits of one entry. */
export function entryDigest (encoded: Uint8Array): bigint {
  return hash('sha256', encoded, 'buffer').readBigUInt64BE()
}

/**
 * The digest of a pinset after one entry took the place of another (undefined: there was none, or there is none any more). It is the sum of
 * all entries' digests, so it does not depend on the order they came in, and a change costs the same however many pins there are. It finds
 * peers that have gone apart; it is no defence against somebody who chooses pins so that it does not.
 */
export function digestAfter (digest: bigint, before: Uint8Array | undefined, after: Uint8Array | undefined): bigint {
  const change = (after === undefined ? 0n : entryDigest(after)) - (before === undefined ? 0n : entryDigest(before))
  return BigInt.asUintN(64, digest + change)
}
