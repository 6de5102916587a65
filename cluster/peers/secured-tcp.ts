import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { transportSymbol, TypedEventEmitter } from '@libp2p/interface'
import type { ComponentLogger, Connection, CreateListenerOptions, DialTransportOptions, Listener, ListenerEvents, Transport, Upgrader } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { getThinWaistAddresses, ipPortToMultiaddr } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { deadline } from '../async/deadline.ts'
import type { Clock } from '../clock.ts'
import { secureAccepted, secureDialled } from './secured-socket.ts'
import type { Credentials, SecuredSocket } from './secured-socket.ts'
import { SocketConnection } from './socket-connection.ts'

export interface SecuredTcpOptions {
  /** Made once, at the start. */
  readonly credentials: Credentials
  readonly clock: Clock
  /** For TLS and the proof, on a connection somebody made to us. */
  readonly handshakeTimeoutMs: number
  /** Of connections that have proven nothing yet: when one more comes, the oldest makes way, for members prove themselves at once. */
  readonly strangersMax: number
  readonly connectionsMax: number
  /** Somebody who proved nothing was sent away. */
  readonly refused: (from: string, why: Error) => void
  /** Given, for each address that is listened on, what tells where that is at any time: what a wildcard stands for changes with the machine's interfaces. */
  readonly listening: (addresses: () => readonly Multiaddr[]) => void
}

/**
 * TCP with TLS 1.3 and the proof of the cluster secret in it, as a transport of libp2p: what has not proven the secret never reaches
 * libp2p at all, so there is no protocol that it could open.
 */
export function securedTcp (options: SecuredTcpOptions): (components: { readonly logger: ComponentLogger }) => Transport {
  return ({ logger }) => {
    const log = logger.forComponent('secured-tcp')
    const isOurs = (address: Multiaddr): boolean => endpointOf(address) !== undefined
    return {
      [transportSymbol]: true,
      [Symbol.toStringTag]: 'secured-tcp',
      listenFilter: addresses => addresses.filter(isOurs),
      dialFilter: addresses => addresses.filter(isOurs),
      async dial (address: Multiaddr, { signal, upgrader }: DialTransportOptions): Promise<Connection> {
        const named = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
        const raw = connect({ ...endpointOf(address)!, noDelay: true })
        await connected(raw, signal)
        const { socket, peer } = await secureDialled(raw, options.credentials, named === undefined ? undefined : peerIdFromString(named), signal)
        const connection = new SocketConnection(socket, { remoteAddr: address, direction: 'outbound', log: log.newScope('dialled') })
        return await upgrader.upgradeOutbound(connection, { ...upgradeOptions(upgrader), remotePeer: peer, signal })
      },
      createListener: ({ upgrader }: CreateListenerOptions) => new SecuredListener(options, upgrader, (socket, from) =>
        new SocketConnection(socket, { remoteAddr: from, direction: 'inbound', log: log.newScope('accepted') }))
    }
  }
}

type Wrap = (socket: SecuredSocket['socket'], from: Multiaddr) => SocketConnection

class SecuredListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #options: SecuredTcpOptions
  readonly #upgrader: Upgrader
  readonly #wrap: Wrap
  readonly #sockets = new Set<Socket>()
  readonly #closing = new AbortController()
  readonly #server: Server
  readonly #strangers = new Set<Socket>()
  #address: Multiaddr | undefined

  constructor (options: SecuredTcpOptions, upgrader: Upgrader, wrap: Wrap) {
    super()
    this.#options = options
    this.#upgrader = upgrader
    this.#wrap = wrap
    this.#server = createServer({ noDelay: true }, socket => { void this.#accept(socket) })
    this.#server.maxConnections = options.connectionsMax
  }

  async listen (address: Multiaddr): Promise<void> {
    this.#server.listen(endpointOf(address)!)
    await once(this.#server, 'listening')
    this.#address = address
    this.#options.listening(() => this.getAddrs())
    this.safeDispatchEvent('listening')
  }

  getAddrs (): Multiaddr[] {
    const bound = this.#server.address()
    return bound === null || typeof bound === 'string' ? [] : getThinWaistAddresses(this.#address, bound.port)
  }

  updateAnnounceAddrs (): void {}

  async close (): Promise<void> {
    this.#closing.abort(new Error('this peer is stopping'))
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await new Promise(resolve => this.#server.close(resolve))
    this.safeDispatchEvent('close')
  }

  async #accept (raw: Socket): Promise<void> {
    const { credentials, clock, handshakeTimeoutMs, strangersMax, refused } = this.#options
    const from = `${raw.remoteAddress}:${raw.remotePort}`
    if (raw.remoteAddress === undefined || raw.remotePort === undefined) { raw.destroy(); return }
    const address = ipPortToMultiaddr(raw.remoteAddress, raw.remotePort)
    this.#sockets.add(raw)
    raw.once('close', () => this.#sockets.delete(raw))
    this.#strangers.add(raw)
    if (this.#strangers.size > strangersMax) this.#strangers.values().next().value!.destroy()
    using limit = deadline(clock, handshakeTimeoutMs, 'proving the cluster secret', this.#closing.signal)
    let secured: SecuredSocket
    try {
      secured = await secureAccepted(raw, credentials, limit.signal)
    } catch (err) {
      raw.destroy()
      refused(from, err as Error)
      return
    } finally {
      this.#strangers.delete(raw)
    }
    const connection = this.#wrap(secured.socket, address)
    try {
      await this.#upgrader.upgradeInbound(connection, { ...upgradeOptions(this.#upgrader), remotePeer: secured.peer, signal: this.#closing.signal })
    } catch (err) {
      connection.abort(err as Error)
    }
  }
}

/** Both ends know what comes after the proof, so nothing is negotiated. */
function upgradeOptions (upgrader: Upgrader): { readonly skipEncryption: true, readonly skipProtection: true, readonly muxerFactory: NonNullable<Parameters<Upgrader['upgradeOutbound']>[1]['muxerFactory']> } {
  const [muxerFactory] = upgrader.getStreamMuxers().values()
  return { skipEncryption: true, skipProtection: true, muxerFactory: muxerFactory! }
}

/** `/ip4|ip6|dns…/x/tcp/n` and nothing after it but the peer's id. */
export function endpointOf (address: Multiaddr): { readonly host: string, readonly port: number } | undefined {
  const [where, tcp, id, ...rest] = address.getComponents()
  if (where?.value === undefined || !/^(ip4|ip6|dns|dns4|dns6)$/.test(where.name) || tcp?.name !== 'tcp') return undefined
  if (rest.length > 0 || (id !== undefined && id.name !== 'p2p')) return undefined
  return { host: where.value, port: Number(tcp.value) }
}

async function connected (socket: Socket, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, 'connect', { signal })
  } catch (err) {
    socket.destroy()
    throw signal.aborted ? signal.reason : err
  }
}
