import { readIdentity } from '../config/identity.ts'
import type { Identity } from '../config/identity.ts'
import { boolean, doors, durationMs, headerMap, integer, local, multiaddrs, optional, secret, section, text, textMap, texts } from '../config/section.ts'
import type { ConfigOf } from '../config/section.ts'

const fields = {
  /** Where the REST API listens. Beyond this machine it wants `basic_auth_credentials` and a certificate. */
  httpListenMultiaddress: local(doors(['/ip4/127.0.0.1/tcp/9094'])),
  /** TLS certificate chain (PEM), relative to the folder of service.json. */
  sslCertFile: local(optional(text('', { expects: 'a file name' }))),
  /** TLS private key (PEM), relative to the folder of service.json. */
  sslKeyFile: local(optional(text('', { expects: 'a file name' }))),
  /** How long a request may take to arrive whole; 0s is without end, for uploads. */
  readTimeout: durationMs('0s'),
  /** How long a request's headers may take to arrive. */
  readHeaderTimeout: durationMs('5s'),
  /** How long an answer may take from the request's headers to its last byte; 0s is without end. */
  writeTimeout: durationMs('0s'),
  /** How long a connection is kept open for a next request. */
  idleTimeout: durationMs('2m0s', { min: '1s' }),
  /** Most bytes of headers in one request. */
  maxHeaderBytes: integer(4096, { min: 4096, max: 16 * 1024 * 1024 }),
  /** User names and their passwords. Once there is one, every request but GET /health, /health/live, /health/ready and OPTIONS needs one of them. */
  basicAuthCredentials: secret(optional(textMap({}))),
  /** Where the API is spoken over libp2p besides, for clients that are given an address with `/p2p/<id>`; TCP only. */
  libp2pListenMultiaddress: local(multiaddrs([])),
  /** The peer id that those clients know; never that of the cluster peer. */
  id: local(optional(text('', { expects: 'a peer id' }))),
  /** The private key of that id, as in identity.json. */
  privateKey: secret(optional(text('', { expects: 'the base64 of a libp2p private key' }))),
  /** Headers added to every answer. */
  headers: headerMap({}),
  /** Web pages that may read answers: origins like https://example.com, or *. */
  corsAllowedOrigins: texts([]),
  /** Methods that web pages of those origins may use. Others are refused with 403 when a page of another site asks. */
  corsAllowedMethods: texts(['GET']),
  /** Request headers that such pages may send. */
  corsAllowedHeaders: texts([]),
  /** Answer headers that such pages may read. */
  corsExposedHeaders: texts(['Content-Type', 'X-Stream-Output', 'X-Chunked-Output', 'X-Content-Length']),
  /** Whether such pages may use what the browser keeps for this address, like a password; only those of origins that are named, not of *. */
  corsAllowCredentials: boolean(false),
  /** How long a browser may remember what it was allowed. */
  corsMaxAge: durationMs('0s')
}

export type RestConfig = ConfigOf<typeof fields>

export const restSection = section('api.restapi', 'CLUSTER_RESTAPI', fields, {
  goOnly: ['http_log_file'],
  check ({ sslCertFile, sslKeyFile, basicAuthCredentials, libp2pListenMultiaddress, id, privateKey }) {
    if ((sslCertFile === undefined) !== (sslKeyFile === undefined)) return 'ssl_cert_file, ssl_key_file: expected both or neither'
    const isOverLibp2p = libp2pListenMultiaddress.length > 0
    if (isOverLibp2p !== (id !== undefined) || isOverLibp2p !== (privateKey !== undefined)) return 'libp2p_listen_multiaddress, id, private_key: expected all three or none'
    if (isOverLibp2p) {
      const wrong = identityFault(id!, privateKey!)
      if (wrong !== undefined) return wrong
    }
    if (basicAuthCredentials === undefined) return undefined
    if (Object.keys(basicAuthCredentials).length === 0) return 'basic_auth_credentials: expected at least one user, or null'
    return Object.values(basicAuthCredentials).includes('') ? 'basic_auth_credentials: expected no empty password' : undefined
  }
})

/** The identity of the libp2p listener. @throws ClusterError ERR_INVALID_ARGUMENT when id and key do not belong together */
export function libp2pIdentity (id: string, privateKey: string): Identity {
  return readIdentity(JSON.stringify({ id, private_key: privateKey }), {})
}

function identityFault (id: string, privateKey: string): string | undefined {
  try {
    libp2pIdentity(id, privateKey)
    return undefined
  } catch (err) {
    return (err as Error).message
  }
}
