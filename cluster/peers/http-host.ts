import type { Duplex } from 'node:stream'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { ClusterError } from '../api/errors.ts'
import type { Identity } from '../config/identity.ts'
import type { HttpDoor } from '../peer-ports.ts'
import { streamDuplex } from './stream-duplex.ts'
import { whyNotListening } from './why-not-listening.ts'

/** go-libp2p-http's protocol: each stream is one connection of HTTP/1.1. */
export const httpProtocol = '/libp2p-http'

const connectionsMax = 400
const streamsMax = 256
const windowBytes = 1_024 * 1_024

export interface HttpHostConfig {
  /** Of its own: that of the peer is for the cluster. */
  readonly identity: Identity
  readonly listen: readonly string[]
}

/**
 * Listens for HTTP over libp2p, as ipfs-cluster does with `libp2p_listen_multiaddress`. The clients know whom they speak with by its
 * id; who they are nobody asks here, so what they may do is for the server behind `serve` to say.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT when it cannot listen
 */
export async function listenOverLibp2p ({ identity, listen }: HttpHostConfig, serve: (connection: Duplex) => void): Promise<HttpDoor> {
  const node = await createLibp2p({
    start: false,
    privateKey: privateKeyFromProtobuf(identity.privateKey),
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [noise(), tls()],
    // What a reader that has paused leaves there is more than one window, or libp2p ends the stream.
    streamMuxers: [yamux({ maxInboundStreams: streamsMax, streamOptions: { maxStreamWindowSize: windowBytes, maxReadBufferLength: 4 * windowBytes } })],
    connectionManager: { maxConnections: connectionsMax },
    services: { identify: identify() }
  })
  await node.handle(httpProtocol, stream => { serve(streamDuplex(stream)) }, { maxInboundStreams: streamsMax })
  try {
    await node.start()
  } catch (err) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `api.restapi.libp2p_listen_multiaddress: cannot listen on ${listen.join(', ')}: ${whyNotListening(err)}`, { cause: err })
  }
  return {
    addresses: node.getMultiaddrs().map(String),
    async [Symbol.asyncDispose] () { await node.stop() }
  }
}
