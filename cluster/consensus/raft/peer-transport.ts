/**
 * RaftTransport over the connections between peers: three streams to each, one for heartbeats and votes, one for entries, and one more
 * while a snapshot is sent, each over a connection of its own. A member's `name` is its peer id, its `address` all the multiaddrs
 * where it is reached, blanks between: they travel with the membership, so that whoever is a member can be found by all others.
 */
import { createBackground } from '../../async/background.ts'
import { parsePeerId } from '../../api/peer-id.ts'
import type { PeerId } from '../../api/pin.ts'
import type { Clock } from '../../clock.ts'
import type { PeerStreams } from '../../peer-ports.ts'
import { addressText, addressesOf } from './addresses.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { writeMessage } from './codec.ts'
import type { Index, Message, MessageType, NodeId } from './core/types.ts'
import { encodeFrame } from './frame.ts'
import { encodeHello, protocolVersion, refusalOf, startNonce } from './handshake.ts'
import type { Hello, Lane, Refusal } from './handshake.ts'
import type { Member } from './members.ts'
import type { PeerMemory } from './peer-memory.ts'
import { serveRaftStream, streamFrames } from './peer-transport-inbound.ts'
import { laneOf, openStreamLane, raftProtocol } from './peer-transport-lane.ts'
import type { StreamLane } from './peer-transport-lane.ts'
import { encodeManifest } from './snapshot-files.ts'
import type { Manifest } from './snapshot-files.ts'
import type { RaftStorage } from './storage.ts'
import { snapshotDoneKind, snapshotOffsetKind, welcomeKind } from './tcp-lane.ts'
import type { RaftTransport, TransportHandlers } from './transport.ts'

export interface PeerTransportComponents {
  readonly streams: PeerStreams
  readonly storage: RaftStorage
  readonly memory: PeerMemory
  /** Where this peer is reached, as others will be told. */
  readonly addresses: () => readonly string[]
  readonly clock: Clock
  readonly confIndex: () => Index
  readonly acknowledged: (id: NodeId) => Index
  /** A stream that ended for a reason worth a line. */
  readonly log: (message: string) => void
}

const urgent: ReadonlySet<MessageType> = new Set([
  'MsgHeartbeat', 'MsgHeartbeatResp', 'MsgVote', 'MsgVoteResp', 'MsgPreVote', 'MsgPreVoteResp', 'MsgTimeoutNow', 'MsgReadIndex', 'MsgReadIndexResp'
])
const queueBytesMax = { control: 256 * 1_024, append: 16 * 1_024 * 1_024 }


/** To be made before the host starts, for it registers its protocols there. */
export function createPeerTransport (components: PeerTransportComponents): RaftTransport { return new StreamTransport(components) }

interface Peer { readonly member: Member, readonly id: PeerId, readonly lanes: Readonly<Record<'control' | 'append', StreamLane>> }

class StreamTransport implements RaftTransport {
  readonly #with: PeerTransportComponents
  readonly #peers = new Map<NodeId, Peer>()
  readonly #closing = new AbortController()
  readonly #serving
  #members: readonly Member[] = []
  #handlers: TransportHandlers | undefined

  constructor (components: PeerTransportComponents) {
    this.#with = components
    this.#serving = createBackground(err => { components.log((err as Error).message) })
    for (const lane of ['control', 'append', 'snapshot'] as const) {
      components.streams.handle(raftProtocol(lane), laneOf[lane], stream => {
        if (this.#handlers === undefined || this.#closing.signal.aborted) { stream.abort(new Error('not ready')); return }
        const stop = (): void => { stream.abort(this.#closing.signal.reason) }
        this.#closing.signal.addEventListener('abort', stop, { once: true })
        this.#serving.run(serveRaftStream(stream, this.#handlers, async hello => await this.#letIn(hello)).finally(() => {
          this.#closing.signal.removeEventListener('abort', stop)
          stream.abort(new Error('served'))
        }))
      })
    }
  }

  async start (handlers: TransportHandlers): Promise<void> { this.#handlers = handlers }

  useMembers (list: readonly Member[]): void {
    const left = this.#members.filter(before => !list.some(({ id }) => id === before.id))
    this.#members = list
    for (const member of list) this.#usePeer(member)
    for (const { id } of left) this.#dropPeer(id) // not those that are no members yet: one of them may be bringing us up to date
  }

  send (to: NodeId, messages: readonly Message[]): void {
    const peer = this.#peers.get(to)
    if (peer === undefined) { this.#handlers?.unreachable(to); return }
    const control = messages.filter(({ type }) => urgent.has(type))
    const append = control.length === 0 ? messages : messages.filter(({ type }) => !urgent.has(type))
    const isSent = (lane: 'control' | 'append', part: readonly Message[]): boolean =>
      part.length === 0 || peer.lanes[lane].send(tag => encodeMessages(part, tag))
    const sent = [isSent('control', control), isSent('append', append)]
    if (sent.includes(false)) this.#handlers?.unreachable(to)
  }

  async sendSnapshot (to: NodeId, manifest: Manifest, read: (from: number) => AsyncIterable<Uint8Array>, options: { readonly signal: AbortSignal }): Promise<void> {
    const peer = this.#peers.get(to)
    if (peer === undefined) throw new Error(`node ${to} is out of reach`)
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    const stream = await this.#with.streams.open(peer.id, raftProtocol('snapshot'), laneOf.snapshot, { signal })
    const stop = (): void => { stream.abort(signal.reason) }
    signal.addEventListener('abort', stop, { once: true })
    try {
      stream.write(encodeFrame(encodeHello(this.#hello(peer.member, 'snapshot'))), encodeFrame(encodeManifest(manifest)))
      const frames = streamFrames(stream)
      await expect(frames, welcomeKind)
      const from = (await expect(frames, snapshotOffsetKind)).varint()
      for await (const piece of read(from)) {
        if (!stream.write(encodeFrame(piece))) await stream.drained({ signal })
      }
      await expect(frames, snapshotDoneKind)
    } finally {
      signal.removeEventListener('abort', stop)
      stream.abort(new Error('the snapshot is over'))
    }
  }

  status (): ReturnType<RaftTransport['status']> {
    return [...this.#peers].map(([id, { lanes: { control, append } }]) => ({
      id, connected: control.connected && append.connected, queuedBytes: control.queuedBytes + append.queuedBytes, refused: append.refused ?? control.refused
    }))
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#closing.abort(new Error('this peer is stopping'))
    for (const id of [...this.#peers.keys()]) this.#dropPeer(id)
    await this.#serving[Symbol.asyncDispose]()
  }

  #hello (member: Member, lane: Lane): Hello {
    const { streams, storage, addresses, confIndex } = this.#with
    const { nodeId, incarnation, clusterId, boot } = storage.identity
    return {
      version: protocolVersion, lane, clusterId: clusterId ?? '', from: { name: streams.self, address: addressText(addresses()), id: nodeId, incarnation }, boot, nonce: startNonce,
      term: storage.log.initialState().hard.term, lastIndex: storage.log.lastIndex(), confIndex: confIndex(), to: member.id, toIncarnation: member.incarnation
    }
  }

  /** A peer that is being taken in knows nobody yet: whoever of the right cluster asks for this very folder is believed. */
  async #letIn (said: Hello): Promise<Refusal | undefined> {
    const { storage, memory, confIndex, acknowledged } = this.#with
    const refusal = refusalOf(said, { identity: storage.identity, members: this.#members, confIndex: confIndex(), acknowledged, seen: memory.seen })
    if (refusal !== undefined) return refusal
    if (this.#members.some(({ id, name }) => id === said.from.id && name !== said.from.name)) return 'other-incarnation'
    if (storage.identity.clusterId === undefined) await storage.adoptCluster(said.clusterId)
    await memory.note(said)
    if (!this.#members.some(({ id }) => id === said.from.id)) this.#usePeer(said.from)
    return undefined
  }

  #usePeer (member: Member): void {
    const { streams, storage, clock } = this.#with
    if (member.id === storage.identity.nodeId || member.name === '') return
    const before = this.#peers.get(member.id)
    const peer = peerIdOf(member)
    if (peer === undefined) { this.#with.log(`member ${member.id} has no peer id: ${member.name}`); return }
    streams.learn(peer, addressesOf(member))
    if (before?.id === peer && before.member.incarnation === member.incarnation) return
    this.#dropPeer(member.id)
    const lane = (which: 'control' | 'append'): StreamLane => openStreamLane({
      streams, peer, lane: which, clock, queueBytesMax: queueBytesMax[which], hello: () => this.#hello(member, which), lost: () => this.#handlers?.unreachable(member.id)
    })
    this.#peers.set(member.id, { member, id: peer, lanes: { control: lane('control'), append: lane('append') } })
  }

  #dropPeer (id: NodeId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.lanes.control[Symbol.dispose]()
    peer.lanes.append[Symbol.dispose]()
    this.#peers.delete(id)
  }
}

function peerIdOf ({ name }: Member): PeerId | undefined {
  try { return parsePeerId(name) } catch { return undefined }
}

function encodeMessages (messages: readonly Message[], tag: number): Uint8Array {
  const to = new ByteWriter(256 + messages.reduce((sum, { entries }) => sum + entries.reduce((bytes, { data }) => bytes + data.length + 24, 64), 0))
  to.u32(tag).varint(messages.length)
  for (const m of messages) writeMessage(to, m)
  return to.done()
}

async function expect (frames: AsyncGenerator<Uint8Array, void, undefined>, kind: number): Promise<ByteReader> {
  const frame = await frames.next()
  if (frame.done === true) throw new Error('the other side has gone')
  const body = new ByteReader(frame.value)
  if (body.u8() !== kind) throw new Error('the other side refuses')
  return body
}
