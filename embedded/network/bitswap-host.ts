/** Brings libp2p's connections to bitswap, and its messages over them. */
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Background } from '../../cluster/async/background.ts'
import type { Clock } from '../../cluster/clock.ts'
import { decodeMessage, encodeMessage } from './bitswap-message.ts'
import type { Bitswap } from './bitswap.ts'
import { readMessages, writeMessage } from './message-stream.ts'
import type { Unfinished } from './message-stream.ts'
import type { PeerLink } from './outbox.ts'

const protocol = '/ipfs/bitswap/1.2.0'
/** Kubo sends each of its answers on a stream of its own, eight at a time. */
const inboundStreamsMax = 32
/** A peer that takes in nothing of a message for this long is given up. */
const stallTimeoutMs = 60_000

/** Until the node is stopped. */
export async function serveBitswap (node: Libp2p, bitswap: Bitswap, { background, clock }: { readonly background: Background, readonly clock: Clock }): Promise<void> {
  const unfinished = new WeakMap<Connection, Unfinished>()
  await node.handle(protocol, (stream, connection) => {
    const { remotePeer } = connection
    const held = unfinished.get(connection) ?? { bytes: 0 }
    unfinished.set(connection, held)
    const peer = remotePeer.toString()
    // Kubo sends wants as soon as it is connected, before the other side knows what it speaks
    bitswap.connected(peer, linkTo(remotePeer))
    readMessages(stream, held, bytes => { bitswap.received(peer, decodeMessage(bytes)) })
    background.run(stream.close())
  }, { maxInboundStreams: inboundStreamsMax, maxOutboundStreams: 2 })
  await node.register(protocol, {
    onConnect: peer => { bitswap.connected(peer.toString(), linkTo(peer)) },
    onDisconnect: peer => { bitswap.disconnected(peer.toString()) }
  })
  node.addEventListener('peer:disconnect', ({ detail }) => { bitswap.disconnected(detail.toString()) })

  /** One stream for all messages, opened anew when the peer has closed it. */
  function linkTo (peer: PeerId): PeerLink {
    let open: Stream | undefined
    const stream = async (): Promise<Stream> => {
      if (open?.status === 'open' && open.writeStatus === 'writable') return open
      const connection = node.getConnections(peer).find(({ status }) => status === 'open')
      if (connection === undefined) throw new Error('not connected')
      open = await connection.newStream(protocol, { signal: AbortSignal.timeout(stallTimeoutMs) })
      return open
    }
    return {
      async send (message) {
        await writeMessage(await stream(), encodeMessage(message), { clock, stallTimeoutMs })
      },
      close (why) {
        for (const connection of node.getConnections(peer)) connection.abort(new Error(why))
      }
    }
  }
}
