/** libp2p for this daemon: its key, its addresses, its connections. Loaded by the first who needs the network; nothing else of ours imports it. */
import { generateKeyPairFromSeed, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { identify, identifyPush } from '@libp2p/identify'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { abortable } from '../../cluster/async/abortable.ts'
import { createBackground } from '../../cluster/async/background.ts'
import type { Clock } from '../../cluster/clock.ts'
import type { AbortOptions } from '../../cluster/ports.ts'
import type { Logger } from '../../cluster/log.ts'
import type { Bitswap } from './bitswap.ts'
import { serveBitswap } from './bitswap-host.ts'
import { dialError, failedDial, failedListen } from './libp2p-errors.ts'

const connectionsMax = 64
/** New connections from one address in a second. All peers of a test have the same. */
const inboundPerSecondMax = 50
const identifyTimeoutMs = 5_000
/** A connection that leaves a ping unanswered this long is taken for dead; a busy peer may need a while. */
const pingTimeoutMs = 20_000
const addressesMax = 16
const keepTag = 'ipfs-peering'

export interface HostConfig {
  /** Of the Ed25519 key, 32 bytes. */
  readonly seed: Uint8Array
  readonly listen: readonly string[]
  readonly agent: string
}

export interface OpenConnection { readonly peer: string, readonly address: string, readonly direction: 'inbound' | 'outbound', readonly streams: readonly string[] }

export interface KnownPeer {
  readonly id: string
  /** Protobuf, base64; empty while unknown. */
  readonly publicKey: string
  /** Without the peer id. */
  readonly addresses: readonly string[]
  readonly agent: string
  readonly protocols: readonly string[]
}

export interface Host extends AsyncDisposable {
  /** Where it can be reached, without its peer id. */
  addresses (): readonly string[]
  protocols (): readonly string[]
  connections (): readonly OpenConnection[]
  isConnected (peer: string): boolean
  /** Resolves when the peer has told who it is. @throws KuboError in the words of go-libp2p */
  connect (peer: string, addresses: readonly string[], options: AbortOptions): Promise<void>
  /** A connection with a peer that is kept outlives others when there are too many. */
  keep (peer: string, isKept: boolean): Promise<void>
  /** @param address of one connection; all of them without it. Whether there was any */
  disconnect (peer: string, address?: string): Promise<boolean>
  /** Everybody it has heard of. */
  known (): Promise<readonly KnownPeer[]>
  find (peer: string): Promise<KnownPeer | undefined>
  /** Milliseconds to the peer and back. */
  ping (peer: string, options: AbortOptions): Promise<number>
  /** Of the last ping that was answered. */
  latencyMs (peer: string): number | undefined
  onDisconnect (listener: (peer: string) => void): void
}

/** @throws KuboError when it cannot listen at all of the addresses */
export async function createHost ({ bitswap, clock, log }: { readonly bitswap: Bitswap, readonly clock: Clock, readonly log: Logger }, { seed, listen, agent }: HostConfig): Promise<Host> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed)
  // started once everybody listens: a peer may be there at once
  const node = await createLibp2p({
    start: false,
    privateKey,
    nodeInfo: { userAgent: agent },
    addresses: { listen: [...listen] },
    transports: [tcp()],
    // as Kubo: TLS first, which OpenSSL does; Noise for who has nothing else
    connectionEncrypters: [tls(), noise()],
    streamMuxers: [yamux()],
    connectionManager: { maxConnections: connectionsMax, inboundConnectionThreshold: inboundPerSecondMax, reconnectRetries: 0 },
    connectionMonitor: { pingTimeout: { minTimeout: pingTimeoutMs, maxTimeout: pingTimeoutMs } },
    services: { identify: identify({ timeout: identifyTimeoutMs }), identifyPush: identifyPush(), ping: ping() }
  })
  const background = createBackground(err => { log.debug('libp2p', { err }) })
  const identityOf = identities(node)
  const latencies = new Map<string, number>()
  node.addEventListener('peer:disconnect', ({ detail }) => { latencies.delete(detail.toString()) })
  await serveBitswap(node, bitswap, { background, clock })
  await start(node)
  const find = async (peer: PeerId): Promise<KnownPeer | undefined> => {
    const known = await node.peerStore.get(peer).catch(() => undefined)
    return known === undefined ? undefined : describe(known)
  }

  return {
    addresses: () => node.getMultiaddrs().map(address => withoutPeer(address.toString())).sort(),
    protocols: () => node.getProtocols().toSorted(),
    connections: () => node.getConnections().map(({ remotePeer, remoteAddr, direction, streams }) => ({
      peer: remotePeer.toString(), address: withoutPeer(remoteAddr.toString()), direction, streams: streams.map(({ protocol }) => protocol).sort()
    })),
    isConnected: peer => node.getConnections(peerIdFromString(peer)).length > 0,
    async connect (peer, addresses, { signal }) {
      const id = peerIdFromString(peer)
      const open = node.getConnections(id).find(({ status }) => status === 'open')
      const known = (await find(id))?.addresses ?? []
      const connection = open ?? await dial(node, peer, [...new Set([...addresses, ...known])].slice(0, addressesMax), { signal })
      const told = abortable(identityOf(connection), AbortSignal.any([signal, AbortSignal.timeout(identifyTimeoutMs)]))
      await told.catch(() => { signal.throwIfAborted() /* it may never tell; it is connected all the same */ })
    },
    async keep (peer, isKept) { await node.peerStore.merge(peerIdFromString(peer), { tags: { [keepTag]: isKept ? { value: 100 } : undefined } }) },
    async disconnect (peer, address) {
      const found = node.getConnections(peerIdFromString(peer)).filter(({ remoteAddr }) => address === undefined || withoutPeer(remoteAddr.toString()) === address)
      await Promise.all(found.map(connection => connection.close()))
      return found.length > 0
    },
    known: async () => (await node.peerStore.all()).map(describe),
    find: peer => find(peerIdFromString(peer)),
    async ping (peer, { signal }) {
      const before = performance.now()
      await node.services.ping.ping(peerIdFromString(peer), { signal })
      const tookMs = performance.now() - before
      latencies.set(peer, tookMs)
      return tookMs
    },
    latencyMs: peer => latencies.get(peer),
    onDisconnect (listener) { node.addEventListener('peer:disconnect', ({ detail }) => { listener(detail.toString()) }) },
    async [Symbol.asyncDispose] () {
      for (const connection of node.getConnections()) connection.abort(new Error('the daemon stops'))
      await node.stop()
      await background[Symbol.asyncDispose]()
    }
  }
}

/** @throws KuboError; what had been started is stopped again */
async function start (node: Pick<Libp2p, 'start' | 'stop'>): Promise<void> {
  try {
    await node.start()
  } catch (err) {
    await node.stop()
    throw failedListen(err)
  }
}

/** One address after another, so that it can be said what each came to. @throws KuboError */
async function dial (node: Pick<Libp2p, 'dial'>, peer: string, addresses: readonly string[], { signal }: AbortOptions): Promise<Connection> {
  const failures: string[] = []
  for (const address of addresses) {
    try {
      return await node.dial(multiaddr(`${address}/p2p/${peer}`), { signal })
    } catch (err) {
      signal.throwIfAborted()
      failures.push(dialError(address, peer, err))
    }
  }
  throw failedDial(peer, failures)
}

/** Resolves for a connection when its other side has told who it is. */
function identities (node: Pick<Libp2p, 'addEventListener'>): (connection: Connection) => Promise<void> {
  const told = new WeakMap<Connection, PromiseWithResolvers<void>>()
  const of = (connection: Connection): PromiseWithResolvers<void> => {
    const waiting = told.get(connection) ?? Promise.withResolvers<void>()
    told.set(connection, waiting)
    return waiting
  }
  node.addEventListener('peer:identify', ({ detail }) => { of(detail.connection).resolve() })
  return connection => of(connection).promise
}

type Peer = Awaited<ReturnType<Awaited<ReturnType<typeof createLibp2p>>['peerStore']['get']>>

function describe ({ id, addresses, protocols, metadata }: Peer): KnownPeer {
  const { publicKey } = id
  return {
    id: id.toString(),
    publicKey: publicKey === undefined ? '' : Buffer.from(publicKeyToProtobuf(publicKey)).toString('base64'),
    addresses: addresses.map(({ multiaddr }) => withoutPeer(multiaddr.toString())).sort(),
    agent: Buffer.from(metadata.get('AgentVersion') ?? []).toString('utf8'),
    protocols: protocols.toSorted()
  }
}

function withoutPeer (address: string): string { return address.replace(/\/p2p\/[^/]+$/, '') }
