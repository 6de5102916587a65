import type { Duplex } from 'node:stream'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { ClusterError } from '../api/errors.ts'
import type { AbortOptions } from '../ports.ts'
import { httpProtocol } from './http-host.ts'
import { reasonOf } from './reason.ts'
import { streamDuplex } from './stream-duplex.ts'

/** Connections for HTTP over libp2p, until disposed. */
export interface HttpDialer extends AsyncDisposable {
  /**
   * A connection for one request, and whose it is.
   *
   * @throws ClusterError ERR_PEER_FAILED
   */
  connect (address: string, options: Required<AbortOptions>): Promise<{ readonly connection: Duplex, readonly peer: string }>
}

/**
 * The client's side of `http-host.ts`, and of the Go program's API over libp2p.
 *
 * @param secret of a Go cluster, which serves its API behind it: 32 bytes. Ours serves it without one, on an address of its own
 */
export async function createHttpDialer ({ secret }: { readonly secret?: Uint8Array | undefined }): Promise<HttpDialer> {
  const node = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise(), tls()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    ...secret !== undefined && { connectionProtector: preSharedKey({ psk: swarmKey(secret) }) }
  })
  return {
    async connect (address, { signal }) {
      try {
        const connection = await node.dial(multiaddr(address), { signal })
        return { connection: streamDuplex(await connection.newStream(httpProtocol, { signal })), peer: connection.remotePeer.toString() }
      } catch (err) {
        signal.throwIfAborted()
        throw new ClusterError('ERR_PEER_FAILED', `no connection to ${address}: ${reasonOf(err)}`, { cause: err })
      }
    },
    async [Symbol.asyncDispose] () { await node.stop() }
  }
}

/** As files have it that hold the key of a private network. */
function swarmKey (secret: Uint8Array): Uint8Array {
  return Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(secret).toString('hex')}`)
}
