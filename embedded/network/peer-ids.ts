import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { decode } from 'multiformats/hashes/digest'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { parseCid } from '../dag/cid-text.ts'
import { codes } from '../dag/codecs.ts'
import { createCidEncoder } from '../rpc/cid-encoder.ts'
import { KuboError } from '../rpc/kubo-error.ts'

/** A peer id in its usual form, a multihash in base 58. @throws KuboError in the words of go-libp2p */
export function parsePeerId (text: string): string {
  if (text.startsWith('Qm') || text.startsWith('1')) return plain(text)
  const cid = readCid(text)
  if (cid.code === codes['libp2p-key']) return base58btc.baseEncode(cid.multihash.bytes)
  const codec = Object.entries(codes).find(([, code]) => code === cid.code)?.[0] ?? `Codec(${cid.code})`
  throw new KuboError(`can't convert CID of type ${quoteGo(codec)} to a peer ID`)
}

/** How it is spelt: `b58mh` or `v0` as it is, else as a CID in the multibase named. @throws KuboError for another */
export function peerIdSpelling (base: string): (peer: string) => string {
  if (base === 'b58mh' || base === 'v0') return peer => peer
  const spell = createCidEncoder({ 'cid-base': base, 'upgrade-cidv0-in-output': undefined })
  return peer => spell(CID.createV1(codes['libp2p-key'], decode(base58btc.baseDecode(peer))))
}

function plain (text: string): string {
  try {
    return base58btc.baseEncode(decode(base58btc.baseDecode(text)).bytes)
  } catch (err) {
    throw new KuboError('failed to parse peer ID: invalid base58 digit or multihash', { cause: err })
  }
}

function readCid (text: string): CID {
  try {
    return parseCid(text)
  } catch (err) {
    throw new KuboError(`failed to parse peer ID: invalid cid: ${(err as Error).message}`, { cause: err })
  }
}
