/** Another way to a daemon that only listens on TCP: what a TLS proxy or a unix socket in front of it looks like from outside. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer as createPlainServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { selfSigned } from './self-signed.ts'

export interface OtherDoor extends AsyncDisposable { readonly multiaddr: string }

/** Relays TLS to the daemon. Until disposed, this process believes the test certificate. */
export async function tlsDoor (daemon: { readonly host: string, readonly port: number }): Promise<OtherDoor> {
  const tls = await selfSigned()
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, tls.cert])
  const sockets = new Set<Socket>()
  const server = createTlsServer(tls, socket => { relay(socket, daemon, sockets) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    multiaddr: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}/https`,
    async [Symbol.asyncDispose] () {
      setDefaultCACertificates(before)
      await closed(server, sockets)
    }
  }
}

/** Relays a unix socket to the daemon. */
export async function unixDoor (daemon: { readonly host: string, readonly port: number }): Promise<OtherDoor> {
  const folder = await mkdtemp(join(tmpdir(), 'ipfs-quorum-socket-'))
  const path = join(folder, 'api.sock')
  const sockets = new Set<Socket>()
  const server = createPlainServer({ allowHalfOpen: true }, socket => { relay(socket, daemon, sockets) }).listen(path)
  await once(server, 'listening')
  return {
    multiaddr: `/unix${path}`,
    async [Symbol.asyncDispose] () {
      await closed(server, sockets)
      await rm(folder, { recursive: true, force: true })
    }
  }
}

function relay (socket: Socket, { host, port }: { readonly host: string, readonly port: number }, sockets: Set<Socket>): void {
  const upstream = connect({ host, port, allowHalfOpen: true })
  for (const [one, other] of [[socket, upstream], [upstream, socket]] as const) {
    sockets.add(one)
    one.on('error', () => other.destroy())
    one.on('close', () => { sockets.delete(one) })
    one.pipe(other)
  }
}

async function closed (server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  server.close()
  for (const socket of sockets) socket.destroy()
  await once(server, 'close')
}
