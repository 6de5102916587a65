import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import type { Stores } from './store/stores.ts'

const keyName = 'private-key'
/** Protobuf in front of an Ed25519 public key: its type, and its length of 32. */
const publicKeyHead = Buffer.from([0x08, 0x01, 0x12, 0x20])
/** An inlined multihash of 36 bytes, which is how libp2p names a key this short. */
const inlined = Buffer.from([0x00, 0x24])

export interface Identity { readonly peerId: string, /** Protobuf, base64. */ readonly publicKey: string, /** Of the private key, 32 bytes. */ readonly seed: Uint8Array }

/** The daemon's own key, made once and kept in its store. */
export async function ownIdentity ({ own }: Pick<Stores, 'own'>): Promise<Identity> {
  const kept = own.get(keyName)
  const key = kept === undefined ? generateKeyPairSync('ed25519').privateKey : createPrivateKey({ key: Buffer.from(kept), format: 'der', type: 'pkcs8' })
  if (kept === undefined) await own.put(keyName, key.export({ format: 'der', type: 'pkcs8' }))
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  const { d = '' } = key.export({ format: 'jwk' })
  const protobuf = Buffer.concat([publicKeyHead, Buffer.from(x, 'base64url')])
  return { peerId: base58btc.baseEncode(Buffer.concat([inlined, protobuf])), publicKey: protobuf.toString('base64'), seed: Buffer.from(d, 'base64url') }
}
