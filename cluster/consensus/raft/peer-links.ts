/**
 * Whom a peer talks to and whom it listens to, whatever carries the bytes: two lanes to each other member, one for heartbeats and
 * votes and one for entries, so that no queue of entries delays a vote; and who is let in.
 */
import type { Index, Message, MessageType, NodeId } from './core/types.ts'
import { protocolVersion, refusalOf, startNonce } from './handshake.ts'
import type { Hello, Lane, Refusal } from './handshake.ts'
import { encodeMessages } from './link-frames.ts'
import type { Member } from './members.ts'
import type { PeerMemory } from './peer-memory.ts'
import type { Standing } from './standing.ts'
import type { RaftStorage } from './storage.ts'
import type { LinkStatus, TransportHandlers } from './transport.ts'

/** One outgoing connection: says hello, then carries frames. Opens again when it ends; until then frames are dropped, not kept. */
export interface PeerLane extends Disposable {
  readonly connected: boolean
  readonly queuedBytes: number
  /** Why the other side does not listen to us, if it said so. */
  readonly refused: string | undefined
  /** How long its last answer took, once there was one. */
  readonly roundTripMs: number | undefined
  /** False: dropped. `body` is called with the tag each frame must carry. */
  send (body: (tag: number) => Uint8Array): boolean
}

export interface LaneOptions {
  readonly queueBytesMax: number
  readonly hello: () => Hello
  /** Told when a connection that was agreed on has ended. */
  readonly lost: () => void
}

/** How a member is reached. */
export interface Reach {
  /** Lanes opened for one key serve as well for the same one. */
  readonly key: string
  open (lane: 'control' | 'append', options: LaneOptions): PeerLane
}

export interface LinkParts {
  readonly storage: RaftStorage
  readonly memory: PeerMemory
  readonly confIndex: () => Index
  readonly acknowledged: (id: NodeId) => Index
  /** Without it all are let in that are members, or may be by now. */
  readonly standing?: Standing
}

export interface PeerLinksComponents extends LinkParts {
  /** As whom this peer says hello. */
  readonly self: () => { readonly name: string, readonly address: string }
  /** Undefined: there is no way to it. */
  readonly reach: (member: Member) => Reach | undefined
}

const urgent: ReadonlySet<MessageType> = new Set([
  'MsgHeartbeat', 'MsgHeartbeatResp', 'MsgVote', 'MsgVoteResp', 'MsgPreVote', 'MsgPreVoteResp', 'MsgTimeoutNow', 'MsgReadIndex', 'MsgReadIndexResp'
])
const queueBytesMax = { control: 256 * 1_024, append: 16 * 1_024 * 1_024 }

/** What a peer says of the membership that took it in, while it is still reading those before: of them it is not part, and none has removed it. */
const notYetKnown: Index = Number.MAX_SAFE_INTEGER

interface Peer { readonly member: Member, readonly key: string, readonly lanes: Readonly<Record<'control' | 'append', PeerLane>> }

export class PeerLinks implements Disposable {
  readonly #with: PeerLinksComponents
  readonly #peers = new Map<NodeId, Peer>()
  #members: readonly Member[] = []
  /** Of the entry that made these the members. A newer one is known while it is being written, and is not in this list yet. */
  #membersIndex: Index = 0
  #handlers: TransportHandlers | undefined

  constructor (components: PeerLinksComponents) { this.#with = components }

  /** Undefined until the transport is started. */
  get handlers (): TransportHandlers | undefined { return this.#handlers }

  start (handlers: TransportHandlers): void { this.#handlers = handlers }

  useMembers (list: readonly Member[]): void {
    const left = this.#members.filter(before => !list.some(({ id }) => id === before.id))
    this.#members = list
    this.#membersIndex = this.#with.confIndex()
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

  /** @throws Error when nothing can be sent to it */
  member (id: NodeId): Member {
    const peer = this.#peers.get(id)
    if (peer === undefined) throw new Error(`node ${id} is out of reach`)
    return peer.member
  }

  status (): readonly LinkStatus[] {
    return [...this.#peers].map(([id, { lanes: { control, append } }]) => ({
      id,
      connected: control.connected && append.connected,
      queuedBytes: control.queuedBytes + append.queuedBytes,
      refused: append.refused ?? control.refused,
      roundTripMs: control.roundTripMs
    }))
  }

  hello (member: Member, lane: Lane): Hello {
    const { storage, self, confIndex: last } = this.#with
    const { nodeId, incarnation, clusterId, boot } = storage.identity
    const confIndex = this.#members.some(({ id }) => id === nodeId) ? last() : notYetKnown
    return {
      version: protocolVersion, lane, clusterId: clusterId ?? '', from: { ...self(), id: nodeId, incarnation }, boot, nonce: startNonce,
      term: storage.log.initialState().hard.term, lastIndex: storage.log.lastIndex(), confIndex, to: member.id, toIncarnation: member.incarnation
    }
  }

  /** A peer that is being taken in knows nobody yet: whoever of the right cluster asks for this very folder, and may write there, is believed. */
  async letIn (said: Hello): Promise<Refusal | undefined> {
    const { storage, memory, acknowledged, standing } = this.#with
    const refusal = refusalOf(said, { identity: storage.identity, members: this.#members, confIndex: this.#membersIndex, acknowledged, seen: memory.seen })
    if (refusal !== undefined) return refusal
    if (this.#members.some(({ id, name }) => id === said.from.id && name !== said.from.name)) return 'other-incarnation'
    if (!this.#members.some(({ id, name }) => id === said.from.id && name === said.from.name) && standing?.mayWrite(said.from.name) === false) {
      standing.doubt(said.from.name)
      return 'only-stores'
    }
    if (storage.identity.clusterId === undefined) await storage.adoptCluster(said.clusterId)
    await memory.note(said)
    if (!this.#members.some(({ id }) => id === said.from.id)) this.#usePeer(said.from)
    return undefined
  }

  [Symbol.dispose] (): void { for (const id of [...this.#peers.keys()]) this.#dropPeer(id) }

  #usePeer (member: Member): void {
    if (member.id === this.#with.storage.identity.nodeId) return
    const before = this.#peers.get(member.id)
    const reach = this.#with.reach(member)
    if (reach !== undefined && before?.key === reach.key && before.member.incarnation === member.incarnation) return
    this.#dropPeer(member.id)
    if (reach === undefined) return
    const lane = (which: 'control' | 'append'): PeerLane => reach.open(which, {
      queueBytesMax: queueBytesMax[which], hello: () => this.hello(member, which), lost: () => this.#handlers?.unreachable(member.id)
    })
    this.#peers.set(member.id, { member, key: reach.key, lanes: { control: lane('control'), append: lane('append') } })
  }

  #dropPeer (id: NodeId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.lanes.control[Symbol.dispose]()
    peer.lanes.append[Symbol.dispose]()
    this.#peers.delete(id)
  }
}
