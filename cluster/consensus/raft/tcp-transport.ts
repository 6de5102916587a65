/**
 * RaftTransport over plain TCP, for processes on one machine (the harness, the benchmark). Two connections to each peer, one
 * for heartbeats and votes and one for entries, and one more while a snapshot is sent. No secrecy: production goes over libp2p.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { writeMessage } from './codec.ts'
import type { Index, Message, MessageType, NodeId } from './core/types.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { encodeHello, protocolVersion, refusalOf, startNonce } from './handshake.ts'
import type { Hello, Lane, Refusal } from './handshake.ts'
import type { Member } from './members.ts'
import type { PeerMemory } from './peer-memory.ts'
import { encodeManifest } from './snapshot-files.ts'
import type { Manifest } from './snapshot-files.ts'
import type { RaftStorage } from './storage.ts'
import { framesOf, TcpInbound } from './tcp-inbound.ts'
import { hostAndPort, openTcpLane, snapshotDoneKind, snapshotOffsetKind, welcomeKind } from './tcp-lane.ts'
import type { TcpLane } from './tcp-lane.ts'
import type { RaftTransport, TransportHandlers } from './transport.ts'

export interface Links { readonly to: readonly NodeId[], readonly from: readonly NodeId[] }

export interface TcpTransport extends RaftTransport {
  /** For tests: acts as if these links were cut. */
  cut (links: Links): void
}

export interface TcpTransportComponents {
  readonly storage: RaftStorage
  readonly memory: PeerMemory
  /** Where this peer listens. */
  readonly self: { readonly name: string, readonly address: string }
  readonly clock: Clock
  readonly confIndex: () => Index
  readonly acknowledged: (id: NodeId) => Index
}

const urgent: ReadonlySet<MessageType> = new Set([
  'MsgHeartbeat', 'MsgHeartbeatResp', 'MsgVote', 'MsgVoteResp', 'MsgPreVote', 'MsgPreVoteResp', 'MsgTimeoutNow', 'MsgReadIndex', 'MsgReadIndexResp'
])
const queueBytesMax = { control: 256 * 1_024, append: 16 * 1_024 * 1_024 }
const reconnectMs = 50

export function createTcpTransport (components: TcpTransportComponents): TcpTransport { return new Tcp(components) }

interface Peer { readonly member: Member, readonly lanes: Readonly<Record<'control' | 'append', TcpLane>> }

class Tcp implements TcpTransport {
  readonly #with: TcpTransportComponents
  readonly #peers = new Map<NodeId, Peer>()
  #members: readonly Member[] = []
  #inbound: TcpInbound | undefined
  #handlers: TransportHandlers | undefined
  #links: Links = { to: [], from: [] }

  constructor (components: TcpTransportComponents) { this.#with = components }

  async start (handlers: TransportHandlers): Promise<void> {
    this.#handlers = handlers
    this.#inbound = new TcpInbound({
      handlers, letIn: async hello => await this.#letIn(hello), isCut: ({ from }) => this.#links.from.includes(from.id)
    })
    await this.#inbound.listen(this.#with.self.address)
  }

  useMembers (list: readonly Member[]): void {
    const left = this.#members.filter(before => !list.some(({ id }) => id === before.id))
    this.#members = list
    for (const member of list) this.#usePeer(member)
    for (const { id } of left) this.#dropPeer(id) // not those that are no members yet: one of them may be bringing us up to date
  }

  send (to: NodeId, messages: readonly Message[]): void {
    const peer = this.#peers.get(to)
    if (peer === undefined || this.#links.to.includes(to)) { this.#handlers?.unreachable(to); return }
    const control = messages.filter(({ type }) => urgent.has(type))
    const append = control.length === 0 ? messages : messages.filter(({ type }) => !urgent.has(type))
    const isSent = (lane: 'control' | 'append', part: readonly Message[]): boolean =>
      part.length === 0 || peer.lanes[lane].send(tag => encodeMessages(part, tag))
    const sent = [isSent('control', control), isSent('append', append)]
    if (sent.includes(false)) this.#handlers?.unreachable(to)
  }

  async sendSnapshot (to: NodeId, manifest: Manifest, read: (from: number) => AsyncIterable<Uint8Array>, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const member = this.#peers.get(to)?.member
    if (member === undefined || this.#links.to.includes(to)) throw new Error(`node ${to} is out of reach`)
    await streamSnapshot(member, this.#hello(member, 'snapshot'), manifest, read, signal)
  }

  status (): ReturnType<RaftTransport['status']> {
    return [...this.#peers].map(([id, { lanes: { control, append } }]) => ({
      id, connected: control.connected && append.connected, queuedBytes: control.queuedBytes + append.queuedBytes, refused: append.refused ?? control.refused
    }))
  }

  cut (links: Links): void { this.#links = links }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const id of [...this.#peers.keys()]) this.#dropPeer(id)
    await this.#inbound?.[Symbol.asyncDispose]()
  }

  #hello (member: Member, lane: Lane): Hello {
    const { storage, self, confIndex } = this.#with
    const { nodeId, incarnation, clusterId, boot } = storage.identity
    return {
      version: protocolVersion, lane, clusterId: clusterId ?? '', from: { ...self, id: nodeId, incarnation }, boot, nonce: startNonce,
      term: storage.log.initialState().hard.term, lastIndex: storage.log.lastIndex(), confIndex: confIndex(), to: member.id, toIncarnation: member.incarnation
    }
  }

  /** A peer that is being taken in knows nobody yet: whoever of the right cluster asks for this very folder is believed. */
  async #letIn (said: Hello): Promise<Refusal | undefined> {
    const { storage, memory, confIndex, acknowledged } = this.#with
    const refusal = refusalOf(said, { identity: storage.identity, members: this.#members, confIndex: confIndex(), acknowledged, seen: memory.seen })
    if (refusal !== undefined) return refusal
    if (storage.identity.clusterId === undefined) await storage.adoptCluster(said.clusterId)
    await memory.note(said)
    if (!this.#members.some(({ id }) => id === said.from.id)) this.#usePeer(said.from)
    return undefined
  }

  #usePeer (member: Member): void {
    const { storage, clock } = this.#with
    const before = this.#peers.get(member.id)
    if (member.id === storage.identity.nodeId || (before?.member.address === member.address && before.member.incarnation === member.incarnation)) return
    this.#dropPeer(member.id)
    if (member.address === '') return
    const lane = (which: 'control' | 'append'): TcpLane => openTcpLane({
      address: member.address, clock, reconnectMs, queueBytesMax: queueBytesMax[which], hello: () => this.#hello(member, which),
      lost: () => this.#handlers?.unreachable(member.id)
    })
    this.#peers.set(member.id, { member, lanes: { control: lane('control'), append: lane('append') } })
  }

  #dropPeer (id: NodeId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.lanes.control[Symbol.dispose]()
    peer.lanes.append[Symbol.dispose]()
    this.#peers.delete(id)
  }
}

function encodeMessages (messages: readonly Message[], tag: number): Uint8Array {
  const to = new ByteWriter(256 + messages.reduce((sum, { entries }) => sum + entries.reduce((bytes, { data }) => bytes + data.length + 24, 64), 0))
  to.u32(tag).varint(messages.length)
  for (const m of messages) writeMessage(to, m)
  return to.done()
}

async function streamSnapshot (member: Member, said: Hello, manifest: Manifest, read: (from: number) => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const socket = connect({ ...hostAndPort(member.address), noDelay: true, signal })
  socket.on('error', () => {})
  try {
    socket.write(encodeFrame(encodeHello(said)))
    socket.write(encodeFrame(encodeManifest(manifest)))
    const frames = framesOf(socket, new FrameReader(), [])
    await expect(frames, welcomeKind)
    const from = (await expect(frames, snapshotOffsetKind)).varint()
    for await (const piece of read(from)) {
      if (!socket.write(encodeFrame(piece))) await drained(socket)
    }
    await expect(frames, snapshotDoneKind)
  } finally {
    socket.destroy()
  }
}

async function expect (frames: AsyncGenerator<Uint8Array, void, undefined>, kind: number): Promise<ByteReader> {
  const frame = await frames.next()
  if (frame.done === true) throw new Error('the other side has gone')
  const body = new ByteReader(frame.value)
  if (body.u8() !== kind) throw new Error('the other side refuses')
  return body
}

async function drained (socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('drain', resolve)
    socket.once('close', () => { reject(new Error('the other side has gone')) })
  })
}
