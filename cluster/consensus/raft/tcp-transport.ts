/**
 * RaftTransport over plain TCP, for processes on one machine (the harness, the benchmark). Two connections to each peer, one
 * for heartbeats and votes and one for entries, and one more while a snapshot is sent. No secrecy: production goes over libp2p.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { encodeHello } from './handshake.ts'
import type { Hello } from './handshake.ts'
import { sendPieces } from './link-frames.ts'
import { PeerLinks } from './peer-links.ts'
import type { LinkParts } from './peer-links.ts'
import { encodeManifest } from './snapshot-files.ts'
import type { Manifest } from './snapshot-files.ts'
import { framesOf, TcpInbound } from './tcp-inbound.ts'
import { hostAndPort, openTcpLane } from './tcp-lane.ts'
import type { RaftTransport } from './transport.ts'

export interface TcpTransportComponents extends LinkParts {
  /** Where this peer listens. */
  readonly self: { readonly name: string, readonly address: string }
  readonly clock: Clock
}

const reconnectMs = 50

export function createTcpTransport ({ self, clock, ...parts }: TcpTransportComponents): RaftTransport {
  const links = new PeerLinks({
    ...parts,
    self: () => self,
    reach: ({ address }) => address === '' ? undefined : { key: address, open: (_, options) => openTcpLane({ address, clock, reconnectMs, ...options }) }
  })
  let inbound: TcpInbound | undefined
  return {
    async start (handlers) {
      links.start(handlers)
      inbound = new TcpInbound({ handlers, letIn: async hello => await links.letIn(hello) })
      await inbound.listen(self.address)
    },
    useMembers (members) { links.useMembers(members) },
    send (to, messages) { links.send(to, messages) },
    async sendSnapshot (to, manifest, read, { signal }) {
      const member = links.member(to)
      await streamSnapshot(member.address, links.hello(member, 'snapshot'), manifest, read, signal)
    },
    status: () => links.status(),
    async [Symbol.asyncDispose] () {
      links[Symbol.dispose]()
      await inbound?.[Symbol.asyncDispose]()
    }
  }
}

async function streamSnapshot (address: string, said: Hello, manifest: Manifest, read: (from: number) => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const socket = connect({ ...hostAndPort(address), noDelay: true, signal })
  socket.on('error', () => {})
  try {
    socket.write(encodeFrame(encodeHello(said)))
    socket.write(encodeFrame(encodeManifest(manifest)))
    await sendPieces(framesOf(socket, new FrameReader(), []), read, async frame => { if (!socket.write(frame)) await drained(socket) })
  } finally {
    socket.destroy()
  }
}

async function drained (socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('drain', resolve)
    socket.once('close', () => { reject(new Error('the other side has gone')) })
  })
}
