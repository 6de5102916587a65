import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { createBackground } from '../async/background.ts'
import type { Background } from '../async/background.ts'
import { ClusterError, OwnIdentityError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import type { Clock } from '../clock.ts'
import type { Identity } from '../config/identity.ts'
import type { Logger } from '../log.ts'
import type { PeerLane, PeerStream, PeerStreams, ProtocolTraffic } from '../peer-ports.ts'
import type { AbortOptions, Component } from '../ports.ts'
import { AddressBook, dialable } from './address-book.ts'
import { createCredentials } from './credentials.ts'
import { createConnections } from './connections.ts'
import type { Connections } from './connections.ts'
import { unreached } from './reason.ts'
import { pacedStream } from './rpc/paced-stream.ts'
import { securedTcp } from './secured-tcp.ts'
import { createTrafficMeter } from './traffic.ts'
import type { TrafficMeter } from './traffic.ts'
import { whyNotListening } from './why-not-listening.ts'

export interface HostComponents {
  readonly identity: Identity
  readonly clock: Clock
  readonly log: Logger
}

export interface HostConfig {
  /** 32 bytes that the peers of one cluster share. */
  readonly secret: Uint8Array
  /** Multiaddrs; those that are not TCP are left out, as the Go program's file names some that it never uses itself. */
  readonly listen: readonly string[]
  /** What others are told instead of what is listened on; empty to tell that. */
  readonly announce: readonly string[]
  readonly noAnnounce: readonly string[]
  /** For one address of a peer. */
  readonly dialTimeoutMs: number
}

/** This peer on the network: its identity, its addresses, its connections. No protocol of ours. */
export interface Host extends Component, PeerStreams {
  /** Where others reach this peer at this moment, each with its id at the end. Empty before the start and after the end. */
  addresses (): readonly string[]
  /** All addresses of peers that are known, each with the peer's id at its end. */
  known (): ReadonlyMap<PeerId, readonly string[]>
  /** Told whenever there is one more. */
  watchKnown (changed: () => void): Disposable
  connected (): readonly PeerId[]
  /** By protocol; what libp2p itself says is not counted. */
  traffic (): ReadonlyMap<string, ProtocolTraffic>
  /** Connects if it is not. @throws ClusterError ERR_PEER_FAILED */
  connect (peer: PeerId, options: AbortOptions): Promise<void>
  /** Connects to whoever answers at an address. This peer's own id is answered when it is itself that is there, or somebody with its identity. @throws ClusterError ERR_PEER_FAILED */
  connectTo (address: string, options: AbortOptions): Promise<PeerId>
  /** Told when the first connection to a peer is there and when the last has gone. */
  watch (changed: (peer: PeerId, isConnected: boolean) => void): Disposable
}

/** A stream may have so much on its way to a reader that has paused; libp2p ends one that holds more than its read buffer, so that is larger. */
const windowBytes = 2 * 1_024 * 1_024
const readBufferBytes = 4 * windowBytes
const connectionsMax = 400
const strangersMax = 64
const handshakeTimeoutMs = 10_000
const refusalsToldEveryMs = 10_000
const streamsMax = 256
/**
 * A busy machine answers late; a peer that does not answer for so long is taken for dead, and its connections are closed. Asked as often: while one ping
 * is on its way libp2p (3.3) refuses the next, and takes that for a peer that is dead.
 */
const pingTimeoutMs = 20_000

/** @throws ClusterError ERR_INVALID_ARGUMENT when there is nothing to listen on, or the secret is not 32 bytes */
export function createHost (components: HostComponents, config: HostConfig): Host {
  if (config.secret.byteLength !== 32) throw new ClusterError('ERR_INVALID_ARGUMENT', 'cluster.secret: expected 64 hexadecimal digits; make them with: openssl rand -hex 32')
  const listen = config.listen.filter(address => dialable(address) !== undefined)
  const others = config.listen.filter(address => dialable(address) === undefined)
  if (listen.length === 0) throw new ClusterError('ERR_INVALID_ARGUMENT', 'cluster.listen_multiaddress: expected at least one TCP address like /ip4/0.0.0.0/tcp/9096')
  if (config.announce.length > 0 && !config.announce.some(address => dialable(address) !== undefined)) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', 'cluster.announce_multiaddress: expected at least one TCP address like /dns4/peer.example/tcp/9096')
  }
  if (config.announce.length > 0 && announced(config).length === 0) throw new ClusterError('ERR_INVALID_ARGUMENT', 'cluster.no_announce_multiaddress: expected to leave something of cluster.announce_multiaddress')
  if (others.length > 0) components.log.warn('peers are reached over TCP only', { addressesLeftOut: others })
  return new ClusterHost(components, { ...config, listen })
}

interface Served { readonly lane: PeerLane, readonly serve: (stream: PeerStream) => void }

class ClusterHost implements Host {
  readonly name = 'host'
  readonly self: PeerId
  readonly #with: HostComponents
  readonly #config: HostConfig
  readonly #book = new AddressBook()
  readonly #served = new Map<string, Served>()
  readonly #watchers = new Set<(peer: PeerId, isConnected: boolean) => void>()
  readonly #knownWatchers = new Set<() => void>()
  readonly #registering: Background
  readonly #meter: TrafficMeter
  readonly #listening: Array<() => readonly Multiaddr[]> = []
  #refusals = 0
  #quietUntilMs = 0
  #libp2p: Libp2p | undefined
  #connections: Connections | undefined

  constructor (components: HostComponents, config: HostConfig) {
    this.#with = components
    this.#config = config
    this.self = components.identity.id
    this.#meter = createTrafficMeter(components.clock)
    this.#registering = createBackground(err => { components.log.error('a protocol cannot be served', { error: err }) })
  }

  async start ({ signal }: AbortOptions): Promise<void> {
    const libp2p = await this.#createLibp2p()
    signal.throwIfAborted()
    this.#libp2p = libp2p
    this.#connections = createConnections(libp2p, { addresses: peer => this.#book.addresses(peer), learn: (peer, addresses) => { this.learn(peer, addresses) } }, this.#with.clock)
    for (const [protocol, served] of this.#served) await this.#register(libp2p, protocol, served)
    libp2p.addEventListener('peer:connect', ({ detail }) => { this.#changed(detail.toString() as PeerId, true) })
    libp2p.addEventListener('peer:disconnect', ({ detail }) => { this.#changed(detail.toString() as PeerId, false) })
    libp2p.addEventListener('peer:identify', ({ detail: { peerId, listenAddrs } }) => { this.learn(peerId.toString() as PeerId, listenAddrs.map(String)) })
    try {
      await libp2p.start()
    } catch (err) {
      throw new ClusterError('ERR_INVALID_ARGUMENT', `cluster.listen_multiaddress: cannot listen on ${this.#config.listen.join(', ')}: ${whyNotListening(err)}`, { cause: err })
    }
    this.#with.log.info('listening for peers', { id: this.self, addresses: this.addresses() })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#registering[Symbol.asyncDispose]()
    this.#connections?.[Symbol.dispose]()
    await this.#libp2p?.stop()
  }

  handle (protocol: string, lane: PeerLane, serve: (stream: PeerStream) => void): void {
    this.#served.set(protocol, { lane, serve })
    if (this.#libp2p !== undefined) this.#registering.run(this.#register(this.#libp2p, protocol, { lane, serve }))
  }

  learn (peer: PeerId, addresses: readonly string[]): void {
    if (peer !== this.self && this.#book.learn(peer, addresses)) for (const changed of this.#knownWatchers) changed()
  }

  async open (peer: PeerId, protocol: string, lane: PeerLane, { signal }: AbortOptions): Promise<PeerStream> {
    const connection = await this.#running().connections.to(peer, lane, { signal })
    try {
      return this.#paced(await connection.newStream(protocol, { signal, maxOutboundStreams: streamsMax }), connection)
    } catch (err) {
      signal.throwIfAborted()
      throw unreached(peer, err)
    }
  }

  async connect (peer: PeerId, options: AbortOptions): Promise<void> {
    await this.#running().connections.to(peer, 'swift', options)
  }

  async connectTo (address: string, { signal }: AbortOptions): Promise<PeerId> {
    const found = dialable(address)
    if (found === undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', `not an address of a peer: ${JSON.stringify(address)}`)
    if (found.peer === this.self) return this.self
    try {
      const { remotePeer } = await this.#running().libp2p.dial(multiaddr(address), { signal })
      const peer = remotePeer.toString() as PeerId
      this.learn(peer, [found.where.toString()])
      return peer
    } catch (err) {
      signal.throwIfAborted()
      if (err instanceof OwnIdentityError) return this.self
      throw unreached(`cannot connect to ${address}`, err)
    }
  }

  addresses (): readonly string[] {
    const { announce, noAnnounce } = this.#config
    const listening = (): readonly string[] => [...new Set(this.#listening.flatMap(addresses => addresses().map(String)))]
    const told = announce.length > 0 ? announced(this.#config) : listening().filter(address => !noAnnounce.includes(address))
    return told.map(address => address.includes('/p2p/') ? address : `${address}/p2p/${this.self}`)
  }

  known (): ReadonlyMap<PeerId, readonly string[]> { return this.#book.all() }

  watchKnown (changed: () => void): Disposable {
    this.#knownWatchers.add(changed)
    return { [Symbol.dispose]: () => { this.#knownWatchers.delete(changed) } }
  }

  connected (): readonly PeerId[] {
    return this.#libp2p?.getPeers().map(peer => peer.toString() as PeerId) ?? []
  }

  traffic (): ReadonlyMap<string, ProtocolTraffic> { return this.#meter.read() }

  watch (changed: (peer: PeerId, isConnected: boolean) => void): Disposable {
    this.#watchers.add(changed)
    return { [Symbol.dispose]: () => { this.#watchers.delete(changed) } }
  }

  async #createLibp2p (): Promise<Libp2p> {
    const { identity, clock } = this.#with
    const { secret, listen, noAnnounce, dialTimeoutMs } = this.#config
    const privateKey = privateKeyFromProtobuf(identity.privateKey)
    const transport = securedTcp({
      credentials: await createCredentials(identity, secret), clock, handshakeTimeoutMs, strangersMax, connectionsMax,
      refused: (from, why) => { this.#refused(from, why) },
      listening: addresses => { this.#listening.push(addresses) }
    })
    return await createLibp2p({
      start: false,
      privateKey,
      addresses: { listen: [...listen], announce: announced(this.#config), noAnnounce: [...noAnnounce] },
      transports: [transport],
      streamMuxers: [yamux({ maxInboundStreams: 4 * streamsMax, maxOutboundStreams: 4 * streamsMax, streamOptions: { initialStreamWindowSize: windowBytes, maxStreamWindowSize: windowBytes, maxReadBufferLength: readBufferBytes } })],
      connectionManager: { maxConnections: connectionsMax, maxIncomingPendingConnections: strangersMax, inboundConnectionThreshold: connectionsMax, addressDialTimeout: dialTimeoutMs, dialTimeout: dialTimeoutMs * 5, inboundStreamProtocolNegotiationTimeout: pingTimeoutMs, outboundStreamProtocolNegotiationTimeout: pingTimeoutMs },
      connectionMonitor: { protocolPrefix, pingInterval: pingTimeoutMs, pingTimeout: { minTimeout: pingTimeoutMs, maxTimeout: pingTimeoutMs } },
      services: {
        identify: identify({ protocolPrefix }),
        ping: ping({ protocolPrefix }),
        /** Finds where a peer is, of which only the id is known. Records of content are nobody's business here. */
        routing: kadDHT({ protocol: `/${protocolPrefix}/kad/1.0.0`, clientMode: false, peerInfoMapper: passthroughMapper, validators: {}, selectors: {} })
      }
    })
  }

  async #register (libp2p: Libp2p, protocol: string, { lane, serve }: Served): Promise<void> {
    await libp2p.handle(protocol, (stream, connection) => {
      this.#connections!.seen(connection, lane)
      serve(this.#paced(stream, connection))
    }, { maxInboundStreams: streamsMax, maxOutboundStreams: streamsMax })
  }

  #running (): { readonly libp2p: Libp2p, readonly connections: Connections } {
    if (this.#libp2p === undefined || this.#connections === undefined) throw new ClusterError('ERR_PEER_FAILED', 'this peer has not started yet')
    return { libp2p: this.#libp2p, connections: this.#connections }
  }

  #paced (stream: Stream, connection: Connection): PeerStream {
    return pacedStream(stream, connection.remotePeer.toString() as PeerId, this.#meter.counter(stream.protocol))
  }

  /** Strangers come as often as they like, and must not fill the log. */
  #refused (from: string, error: Error): void {
    const { clock, log } = this.#with
    this.#refusals++
    if (clock.now() < this.#quietUntilMs) return
    log.warn('a connection was refused', { from, error, sinceLastTold: this.#refusals })
    this.#refusals = 0
    this.#quietUntilMs = clock.now() + refusalsToldEveryMs
  }

  #changed (peer: PeerId, isConnected: boolean): void {
    for (const watcher of this.#watchers) watcher(peer, isConnected)
  }
}

const protocolPrefix = 'ipfs-quorum'

/** What is not to be announced libp2p takes from what it listens on, but not from this. */
function announced ({ announce, noAnnounce }: HostConfig): string[] {
  return announce.filter(address => !noAnnounce.includes(address))
}
