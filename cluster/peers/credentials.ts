import { constants } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { generateCertificate } from '@libp2p/tls/utils'
import type { Identity } from '../config/identity.ts'
import type { Credentials } from './secured-socket.ts'

/** The quickest first, where processors have AES. */
const ciphers = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

/** A certificate of a key made for it, that the peer's own key has signed; TLS 1.3 only, and each connection with keys of its own. */
export async function createCredentials ({ id, privateKey }: Identity, secret: Uint8Array): Promise<Credentials> {
  const certificate = await generateCertificate(privateKeyFromProtobuf(privateKey))
  return {
    self: id,
    secret,
    context: createSecureContext({ ...certificate, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers, secureOptions: constants.SSL_OP_NO_TICKET })
  }
}
