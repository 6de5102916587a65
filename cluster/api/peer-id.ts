import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { decode } from 'multiformats/hashes/digest'
import { ClusterError } from './errors.ts'
import type { PeerId } from './pin.ts'

const libp2pKey = 0x72

/**
 * A peer id in either of its text forms: base58 (`12D3Koo…`, `Qm…`) or a CID of codec libp2p-key. Kept as base58, as ipfs-cluster prints it.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT
 */
export function parsePeerId (text: string): PeerId {
  try {
    if (/^(12D3|16U|Qm)/.test(text)) {
      decode(base58btc.decode(`z${text}`))
      return text as PeerId
    }
    const cid = CID.parse(text)
    if (cid.code === libp2pKey) return peerIdOf(cid.multihash.bytes)
  } catch {}
  throw new ClusterError('ERR_INVALID_ARGUMENT', `not a peer id: ${JSON.stringify(text)}`)
}

/** The peer id whose multihash is given. */
export function peerIdOf (multihash: Uint8Array): PeerId {
  return base58btc.encode(multihash).slice(1) as PeerId
}
