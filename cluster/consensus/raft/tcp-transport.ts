/**
 * RaftTransport over plain TCP, for processes on one machine (the harness, the benchmark). Two connections to each peer, one
 * for heartbeats and votes and one for entries, and one more while a snapshot is sent. No secrecy: production goes over libp2p.
 */
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Clock } from '../../clock.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { readMessage, writeMessage } from './codec.ts'
import type { Index, Message, MessageType, NodeId } from './core/types.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { decodeHello, encodeHello, frameTag, protocolVersion, refusalOf, startNonce } from './handshake.ts'
import type { Hello, Lane } from './handshake.ts'
import type { Member } from './members.ts'
import type { PeerMemory } from './peer-memory.ts'
import { decodeManifest, encodeManifest } from './snapshot-files.ts'
import type { Manifest } from './snapshot-files.ts'
import type { RaftStorage } from './storage.ts'
import { hostAndPort, openTcpLane, refusedKind, welcomeKind } from './tcp-lane.ts'
import type { TcpLane } from './tcp-lane.ts'
import type { RaftTransport, TransportHandlers } from './transport.ts'

export interface TcpTransport extends RaftTransport {
  /** For tests: acts as if these links were cut. */
  cut (links: { readonly to: readonly NodeId[], readonly from: readonly NodeId[] }): void
}

const urgent: ReadonlySet<MessageType> = new Set(['MsgHeartbeat', 'MsgHeartbeatResp', 'MsgVote', 'MsgVoteResp', 'MsgPreVote', 'MsgPreVoteResp', 'MsgTimeoutNow', 'MsgReadIndex', 'MsgReadIndexResp'])
const queueBytesMax = { control: 256 * 1_024, append: 16 * 1_024 * 1_024 }
const snapshotOffset = 3
const snapshotDone = 4

export function createTcpTransport ({ storage, memory, self, clock, reconnectMs = 50, confIndex, acknowledged = () => 0 }: {
  readonly storage: RaftStorage
  readonly memory: PeerMemory
  /** Where this peer listens. */
  readonly self: { readonly name: string, readonly address: string }
  readonly clock: Clock
  readonly reconnectMs?: number
  readonly confIndex: () => Index
  readonly acknowledged?: (id: NodeId) => Index
}): TcpTransport {
  const peers = new Map<NodeId, { readonly member: Member, readonly lanes: Readonly<Record<'control' | 'append', TcpLane>> }>()
  const sockets = new Set<Socket>()
  let members: readonly Member[] = []
  let server: Server | undefined
  let handlers: TransportHandlers | undefined
  let links: { readonly to: readonly NodeId[], readonly from: readonly NodeId[] } = { to: [], from: [] }

  const hello = (member: Member, lane: Lane): Hello => {
    const { nodeId, incarnation, clusterId, boot } = storage.identity
    return {
      version: protocolVersion, lane, clusterId: clusterId ?? '', from: { ...self, id: nodeId, incarnation }, boot, nonce: startNonce,
      term: storage.log.initialState().hard.term, lastIndex: storage.log.lastIndex(), confIndex: confIndex(), to: member.id, toIncarnation: member.incarnation
    }
  }

  function usePeer (member: Member): void {
    const before = peers.get(member.id)
    if (member.id === storage.identity.nodeId || (before?.member.address === member.address && before.member.incarnation === member.incarnation)) return
    dropPeer(member.id)
    if (member.address === '') return
    const lane = (which: 'control' | 'append'): TcpLane => openTcpLane({
      address: member.address, clock, reconnectMs, queueBytesMax: queueBytesMax[which], hello: () => hello(member, which), lost: () => handlers?.unreachable(member.id)
    })
    peers.set(member.id, { member, lanes: { control: lane('control'), append: lane('append') } })
  }

  function dropPeer (id: NodeId): void {
    const peer = peers.get(id)
    if (peer === undefined) return
    peer.lanes.control[Symbol.dispose]()
    peer.lanes.append[Symbol.dispose]()
    peers.delete(id)
  }

  /** A peer that is being taken in knows nobody yet: whoever of the right cluster asks for this very folder is believed. */
  async function letIn (said: Hello): Promise<ReturnType<typeof refusalOf>> {
    const refusal = refusalOf(said, { identity: storage.identity, members, confIndex: confIndex(), acknowledged, seen: memory.seen })
    if (refusal !== undefined) return refusal
    if (storage.identity.clusterId === undefined) await storage.adoptCluster(said.clusterId)
    await memory.note(said)
    if (!members.some(({ id }) => id === said.from.id)) usePeer(said.from)
    return undefined
  }

  function serve (socket: Socket): void {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    const reader = new FrameReader()
    const greeted = (chunk: Uint8Array): void => {
      let bodies: readonly Uint8Array[]
      let said: Hello
      try {
        bodies = reader.push(chunk)
        if (bodies.length === 0) return
        said = decodeHello(bodies[0]!)
      } catch { socket.destroy(); return }
      socket.off('data', greeted)
      socket.pause()
      letIn(said).then(refusal => {
        if (refusal !== undefined) { socket.end(encodeFrame(new ByteWriter().u8(refusedKind).text(refusal).done())); return }
        socket.write(encodeFrame(Uint8Array.of(welcomeKind)))
        if (said.lane === 'snapshot') void takeSnapshot(socket, reader, said, bodies.slice(1)).catch(() => socket.destroy())
        else takeMessages(socket, reader, said, bodies.slice(1))
      }, () => socket.destroy())
    }
    socket.on('data', greeted)
  }

  function takeMessages (socket: Socket, reader: FrameReader, said: Hello, early: readonly Uint8Array[]): void {
    const tag = frameTag(said)
    const take = (bodies: readonly Uint8Array[]): void => {
      const messages = bodies.flatMap(body => decodeMessages(body, tag))
      if (messages.length === 0 || links.from.includes(said.from.id)) return
      const full = handlers!.received(said.from.id, messages)
      if (full === undefined) return
      socket.pause()
      void full.then(() => socket.resume())
    }
    socket.on('data', chunk => { try { take(reader.push(chunk)) } catch { socket.destroy() } })
    try { take(early) } catch { socket.destroy() }
    socket.resume()
  }

  async function takeSnapshot (socket: Socket, reader: FrameReader, said: Hello, early: readonly Uint8Array[]): Promise<void> {
    const frames = framesOf(socket, reader, early)
    const offer = await frames.next()
    const manifest = offer.done === true ? undefined : decodeManifest(offer.value)
    if (manifest === undefined || links.from.includes(said.from.id)) { socket.destroy(); return }
    const have = await handlers!.snapshotOffered(said.from.id, manifest)
    socket.write(encodeFrame(new ByteWriter().u8(snapshotOffset).varint(have).done()))
    await handlers!.snapshotArrives(said.from.id, manifest, upTo(frames, manifest.bytes - have))
    socket.end(encodeFrame(Uint8Array.of(snapshotDone)))
  }

  return {
    async start (given) {
      handlers = given
      const listening = createServer(serve)
      server = listening
      const { host, port } = hostAndPort(self.address)
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject)
        listening.listen({ host, port }, resolve)
      })
    },
    useMembers (list) {
      const left = members.filter(before => !list.some(({ id }) => id === before.id))
      members = list
      for (const member of list) usePeer(member)
      for (const { id } of left) dropPeer(id) // not those that are no members yet: one of them may be bringing us up to date
    },
    send (to, messages) {
      const peer = peers.get(to)
      if (peer === undefined || links.to.includes(to)) { handlers?.unreachable(to); return }
      const control = messages.filter(({ type }) => urgent.has(type))
      const append = control.length === 0 ? messages : messages.filter(({ type }) => !urgent.has(type))
      const sent = [control, append].map((part, i) => part.length === 0 || peer.lanes[i === 0 ? 'control' : 'append'].send(tag => encodeMessages(part, tag)))
      if (sent.includes(false)) handlers?.unreachable(to)
    },
    async sendSnapshot (to, manifest, read, { signal }) {
      const member = peers.get(to)?.member
      if (member === undefined || links.to.includes(to)) throw new Error(`node ${to} is out of reach`)
      await streamSnapshot(member, hello(member, 'snapshot'), manifest, read, signal)
    },
    status: () => [...peers].map(([id, { lanes: { control, append } }]) => ({
      id, connected: control.connected && append.connected, queuedBytes: control.queuedBytes + append.queuedBytes, refused: append.refused ?? control.refused
    })),
    cut (given) { links = given },
    async [Symbol.asyncDispose] () {
      for (const id of [...peers.keys()]) dropPeer(id)
      for (const socket of sockets) socket.destroy()
      if (server !== undefined) await new Promise(resolve => server!.close(resolve))
    }
  }
}

function encodeMessages (messages: readonly Message[], tag: number): Uint8Array {
  const to = new ByteWriter(256 + messages.reduce((sum, { entries }) => sum + entries.reduce((bytes, { data }) => bytes + data.length + 24, 64), 0))
  to.u32(tag).varint(messages.length)
  for (const m of messages) writeMessage(to, m)
  return to.done()
}

function decodeMessages (body: Uint8Array, tag: number): readonly Message[] {
  const from = new ByteReader(body)
  if (from.u32() !== tag) throw new Error('a frame of somebody else')
  return Array.from({ length: from.varint() }, () => readMessage(from))
}

async function streamSnapshot (member: Member, said: Hello, manifest: Manifest, read: (from: number) => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const socket = connect({ ...hostAndPort(member.address), noDelay: true, signal })
  socket.on('error', () => {})
  try {
    socket.write(encodeFrame(encodeHello(said)))
    socket.write(encodeFrame(encodeManifest(manifest)))
    const frames = framesOf(socket, new FrameReader(), [])
    await expect(frames, welcomeKind)
    const from = (await expect(frames, snapshotOffset)).varint()
    for await (const piece of read(from)) {
      if (!socket.write(encodeFrame(piece))) await drained(socket)
    }
    await expect(frames, snapshotDone)
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

async function * framesOf (socket: Socket, reader: FrameReader, early: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield * early
  for await (const chunk of socket) yield * reader.push(chunk as Uint8Array)
}

/** Frames until so many bytes have come; ends early only if the connection does. */
async function * upTo (frames: AsyncGenerator<Uint8Array, void, undefined>, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = bytes; left > 0;) {
    const frame = await frames.next()
    if (frame.done === true) return
    left -= frame.value.length
    yield frame.value
  }
}

async function drained (socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('drain', resolve)
    socket.once('close', () => { reject(new Error('the other side has gone')) })
  })
}
