/**
 * RaftTransport over the connections between peers: three streams to each, one for heartbeats and votes, one for entries, and one more
 * while a snapshot is sent, each over a connection of its own. A member's `name` is its peer id, its `address` all the multiaddrs
 * where it is reached, blanks between: they travel with the membership, so that whoever is a member can be found by all others.
 */
import { createBackground } from '../../async/background.ts'
import { parsePeerId } from '../../api/peer-id.ts'
import type { PeerId } from '../../api/pin.ts'
import type { Clock } from '../../clock.ts'
import type { PeerStream, PeerStreams } from '../../peer-ports.ts'
import { addressText, addressesOf } from './addresses.ts'
import type { Message, NodeId } from './core/types.ts'
import { encodeFrame } from './frame.ts'
import { encodeHello } from './handshake.ts'
import { sendPieces } from './link-frames.ts'
import type { Member } from './members.ts'
import { PeerLinks } from './peer-links.ts'
import type { LinkParts, Reach } from './peer-links.ts'
import { serveRaftStream, streamFrames } from './peer-transport-inbound.ts'
import { laneOf, openStreamLane, raftProtocol } from './peer-transport-lane.ts'
import { encodeManifest } from './snapshot-files.ts'
import type { Manifest } from './snapshot-files.ts'
import type { LinkStatus, RaftTransport, TransportHandlers } from './transport.ts'

export interface PeerTransportComponents extends LinkParts {
  readonly streams: PeerStreams
  /** Where this peer is reached, as others will be told. */
  readonly addresses: () => readonly string[]
  readonly clock: Clock
  /** A stream that ended for a reason worth a line. */
  readonly log: (message: string) => void
}

/** To be made before the host starts, for it registers its protocols there. */
export function createPeerTransport (components: PeerTransportComponents): RaftTransport { return new StreamTransport(components) }

class StreamTransport implements RaftTransport {
  readonly #with: PeerTransportComponents
  readonly #links: PeerLinks
  readonly #closing = new AbortController()
  readonly #serving

  constructor (components: PeerTransportComponents) {
    const { streams, addresses, storage, memory, confIndex, acknowledged, standing, log } = components
    this.#with = components
    this.#links = new PeerLinks({
      storage, memory, confIndex, acknowledged, ...standing !== undefined && { standing }, self: () => ({ name: streams.self, address: addressText(addresses()) }), reach: member => this.#reach(member)
    })
    this.#serving = createBackground(err => { log((err as Error).message) })
    for (const lane of ['control', 'append', 'snapshot'] as const) streams.handle(raftProtocol(lane), laneOf[lane], stream => { this.#serve(stream) })
  }

  async start (handlers: TransportHandlers): Promise<void> { this.#links.start(handlers) }

  useMembers (members: readonly Member[]): void { this.#links.useMembers(members) }

  send (to: NodeId, messages: readonly Message[]): void { this.#links.send(to, messages) }

  async sendSnapshot (to: NodeId, manifest: Manifest, read: (from: number) => AsyncIterable<Uint8Array>, options: { readonly signal: AbortSignal }): Promise<void> {
    const member = this.#links.member(to)
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    const stream = await this.#with.streams.open(parsePeerId(member.name), raftProtocol('snapshot'), laneOf.snapshot, { signal })
    const stop = (): void => { stream.abort(signal.reason) }
    signal.addEventListener('abort', stop, { once: true })
    try {
      stream.write(encodeFrame(encodeHello(this.#links.hello(member, 'snapshot'))), encodeFrame(encodeManifest(manifest)))
      await sendPieces(streamFrames(stream), read, async frame => { if (!stream.write(frame)) await stream.drained({ signal }) })
    } finally {
      signal.removeEventListener('abort', stop)
      stream.abort(new Error('the snapshot is over'))
    }
  }

  status (): readonly LinkStatus[] { return this.#links.status() }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#closing.abort(new Error('this peer is stopping'))
    this.#links[Symbol.dispose]()
    await this.#serving[Symbol.asyncDispose]()
  }

  #serve (stream: PeerStream): void {
    const { handlers } = this.#links
    const { signal } = this.#closing
    if (handlers === undefined || signal.aborted) { stream.abort(new Error('not ready')); return }
    const stop = (): void => { stream.abort(signal.reason) }
    signal.addEventListener('abort', stop, { once: true })
    this.#serving.run(serveRaftStream(stream, handlers, async hello => await this.#links.letIn(hello)).finally(() => {
      signal.removeEventListener('abort', stop)
      stream.abort(new Error('served'))
    }))
  }

  #reach (member: Member): Reach | undefined {
    const { streams, clock, log } = this.#with
    const peer = peerIdOf(member)
    if (peer === undefined) { log(`member ${member.id} has no peer id: ${member.name}`); return undefined }
    streams.learn(peer, addressesOf(member))
    return { key: peer, open: (lane, options) => openStreamLane({ streams, peer, lane, clock, ...options }) }
  }
}

function peerIdOf ({ name }: Member): PeerId | undefined {
  try { return parsePeerId(name) } catch { return undefined }
}
