/** The ways between peers, each through a relay that can be cut or fall silent. For Linux, where every peer can come from a loopback address of its own. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export interface PeerLinks extends AsyncDisposable {
  /** Puts a relay before the peer that is going to listen on that port. @returns what the peer is to be started with */
  add (peer: number, port: number): Promise<Readonly<Record<string, string>>>
  /** Ends what connects the two, and refuses new connections. */
  cut (one: number, other: number): void
  /** What one says does not reach the other, and nobody is told; what the other says does reach the one. */
  hush (from: number, to: number): void
  /** What was kept back arrives, and new connections are let through. */
  heal (): void
}

/** One direction of a connection. */
interface Way { readonly from: number, readonly to: number, readonly source: Socket, readonly sink: Socket, isOver: boolean }

const addressOf = (peer: number): string => `127.0.1.${peer + 1}`
const key = ({ from, to }: Pick<Way, 'from' | 'to'>): string => `${from} ${to}`

export function createPeerLinks (): PeerLinks {
  const servers: Server[] = []
  const ways = new Set<Way>()
  const [cuts, hushed] = [new Set<string>(), new Set<string>()]

  function flow (way: Way): void {
    if (hushed.has(key(way))) way.source.pause()
    else if (!way.isOver) way.source.resume()
    else {
      ways.delete(way)
      way.sink.destroySoon()
    }
  }

  function carry (from: number, to: number, source: Socket, sink: Socket): void {
    const way: Way = { from, to, source, sink, isOver: false }
    ways.add(way)
    source.on('error', () => {}).once('close', () => {
      way.isOver = true
      flow(way)
    })
    source.on('data', bytes => {
      if (sink.write(bytes)) return
      source.pause()
      sink.once('drain', () => { flow(way) })
    })
    flow(way)
  }

  function take (near: Socket, to: number, port: number): void {
    const from = servers.findIndex((_server, peer) => near.remoteAddress === addressOf(peer))
    if (cuts.has(key({ from, to })) || cuts.has(key({ from: to, to: from }))) {
      near.on('error', () => {}).resetAndDestroy()
      return
    }
    const far = connect({ host: '127.0.0.1', port, noDelay: true })
    carry(from, to, near, far)
    carry(to, from, far, near)
  }

  return {
    async add (peer, port) {
      const server = createServer({ noDelay: true }, near => { take(near, peer, port) }).listen(0, '127.0.0.1')
      servers[peer] = server
      await once(server, 'listening')
      return { CLUSTER_ANNOUNCEMULTIADDRESS: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(comingFrom(addressOf(peer)))}` }
    },
    cut (one, other) {
      cuts.add(key({ from: one, to: other }))
      for (const { from, to, source } of ways) if ((from === one && to === other) || (from === other && to === one)) source.resetAndDestroy()
    },
    hush (from, to) {
      hushed.add(key({ from, to }))
      for (const way of ways) flow(way)
    },
    heal () {
      cuts.clear()
      hushed.clear()
      for (const way of ways) flow(way)
    },
    async [Symbol.asyncDispose] () {
      for (const { source, sink } of ways) for (const socket of [source, sink]) socket.destroy()
      await Promise.all(servers.map(async server => {
        const closed = once(server, 'close')
        server.close()
        await closed
      }))
    }
  }
}

/** For a process all of whose connections to this machine are to come from there. */
const comingFrom = (address: string): string => `import net from 'node:net'
  const { connect } = net.Socket.prototype
  net.Socket.prototype.connect = function (...args) {
    const options = Array.isArray(args[0]) ? args[0][0] : args[0]
    if (options?.host === '127.0.0.1') options.localAddress ??= ${JSON.stringify(address)}
    return connect.apply(this, args)
  }`
