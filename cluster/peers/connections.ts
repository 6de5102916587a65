import type { Connection, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { abortable } from '../async/abortable.ts'
import type { PeerId } from '../api/pin.ts'
import type { Clock } from '../clock.ts'
import type { PeerLane } from '../peer-ports.ts'
import type { AbortOptions } from '../ports.ts'
import { unreached } from './reason.ts'

/** Where peers may be reached, the newest first. */
export interface KnownAddresses {
  addresses (peer: PeerId): readonly Multiaddr[]
  learn (peer: PeerId, addresses: readonly string[]): void
}

/** Finds or makes the connection that a stream goes over. */
export interface Connections extends Disposable {
  /** @throws ClusterError ERR_PEER_FAILED */
  to (peer: PeerId, lane: PeerLane, options: AbortOptions): Promise<Connection>
  /** That a stream of this lane came in by it: what others use for bulk or the log is not ours for anything swift. */
  seen (connection: Connection, lane: PeerLane): void
}

/** The others are asked where a peer is that cannot be reached: so often, and for so long. */
const lookUpEveryMs = 10_000
const lookUpTimeoutMs = 3_000
/** Who is talked to is sent something bulky sooner or later, and nobody is to wait for the handshake then: so long after what is swift can be sent. */
const bulkAheadMs = 2_000

/**
 * A connection for each lane to a peer, dialled by us: then it is never in doubt what a stream shares its socket with. Who cannot be
 * dialled from here, but has dialled us, is talked to over that connection.
 */
export function createConnections (libp2p: Libp2p, book: KnownAddresses, clock: Clock): Connections {
  const ours = new Map<string, Connection>()
  const dialling = new Map<string, Promise<Connection>>()
  const turns = new Map<PeerId, Promise<unknown>>()
  const busy = new WeakSet<Connection>()
  const lookedUpMs = new Map<PeerId, number>()
  const ahead = new Map<PeerId, Disposable>()
  const isUsed = (connection: Connection): boolean => [...ours.values()].includes(connection)

  async function dial (peer: PeerId, lane: PeerLane): Promise<Connection> {
    const id = peerIdFromString(peer)
    const known = book.addresses(peer)
    if (known.length > 0) await libp2p.peerStore.merge(id, { multiaddrs: [...known] })
    const free = libp2p.getConnections(id).find(connection => connection.status === 'open' && connection.direction === 'outbound' && !isUsed(connection))
    if (free !== undefined) return free
    try {
      return await libp2p.dial(id, { force: true })
    } catch (err) {
      const theirs = libp2p.getConnections(id).find(connection => connection.status === 'open' && (lane !== 'swift' || !busy.has(connection)))
      if (theirs !== undefined) return theirs
      const elsewhere = await dialElsewhere(peer)
      if (elsewhere !== undefined) return elsewhere
      throw unreached(`cannot connect to ${peer}`, err)
    }
  }

  /** It may have moved: those who are connected with it know where to. libp2p itself asks them only for a peer of which it knows no address at all. */
  async function dialElsewhere (peer: PeerId): Promise<Connection | undefined> {
    const nowMs = clock.now()
    if (libp2p.getPeers().length === 0 || nowMs - (lookedUpMs.get(peer) ?? -Infinity) < lookUpEveryMs) return undefined
    lookedUpMs.set(peer, nowMs)
    const known = book.addresses(peer).map(String)
    try {
      const { multiaddrs } = await libp2p.peerRouting.findPeer(peerIdFromString(peer), { useCache: false, signal: AbortSignal.timeout(lookUpTimeoutMs) })
      book.learn(peer, multiaddrs.map(String))
      const found = book.addresses(peer).filter(address => !known.includes(address.toString()))
      return found.length === 0 ? undefined : await libp2p.dial(found.map(address => address.encapsulate(`/p2p/${peer}`)), { force: true })
    } catch {
      return undefined // what went wrong at the addresses that were known is what there is to say
    }
  }

  /** One dial to a peer at a time: libp2p would give two that overlap the same connection. */
  function dialInTurn (peer: PeerId, lane: PeerLane): Promise<Connection> {
    const key = `${lane} ${peer}`
    const before = turns.get(peer) ?? Promise.resolve()
    const turn = before.catch(() => {}).then(async () => {
      const connection = await dial(peer, lane)
      if (connection.direction === 'outbound') ours.set(key, connection)
      if (lane === 'swift') dialAhead(peer)
      connection.addEventListener('close', () => { if (ours.get(key) === connection) ours.delete(key) }, { once: true })
      return connection
    }).finally(() => {
      dialling.delete(key)
      if (turns.get(peer) === turn) turns.delete(peer)
    })
    turns.set(peer, turn)
    dialling.set(key, turn)
    return turn
  }

  function dialAhead (peer: PeerId): void {
    ahead.get(peer)?.[Symbol.dispose]()
    ahead.set(peer, clock.after(bulkAheadMs, () => {
      ahead.delete(peer)
      connected(peer, 'bulk').catch(() => {}) // it is tried again once it is needed
    }))
  }

  async function connected (peer: PeerId, lane: PeerLane): Promise<Connection> {
    const key = `${lane} ${peer}`
    const open = ours.get(key)
    return open?.status === 'open' ? open : await (dialling.get(key) ?? dialInTurn(peer, lane))
  }

  return {
    async to (peer, lane, { signal }) {
      signal.throwIfAborted()
      return await abortable(connected(peer, lane), signal)
    },
    seen (connection, lane) { if (lane !== 'swift') busy.add(connection) },
    [Symbol.dispose] () {
      for (const timer of ahead.values()) timer[Symbol.dispose]()
      ahead.clear()
    }
  }
}
