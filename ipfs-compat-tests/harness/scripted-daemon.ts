/** A daemon that writes what a test says, byte for byte, and remembers what it was sent. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'

export interface ScriptedDaemon extends AsyncDisposable {
  readonly multiaddr: string
  /** Request heads in the order they came, whole. */
  readonly heads: readonly string[]
  readonly connections: ReadonlySet<Socket>
}

/** `answer` is called with each request's head and whatever of its body came with it. */
export type Answer = (socket: Socket, head: string, rest: Buffer) => void

export async function scriptedDaemon (answer: Answer, { path, tls }: { readonly path?: string, readonly tls?: TlsOptions } = {}): Promise<ScriptedDaemon> {
  const heads: string[] = []
  const connections = new Set<Socket>()
  const onConnection = (socket: Socket): void => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket)).on('error', () => {})
    let held = Buffer.alloc(0)
    let inBody = false
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      const end = held.indexOf('\r\n\r\n')
      if (inBody || end < 0) return
      const head = held.toString('latin1', 0, end)
      const rest = held.subarray(end + 4)
      held = Buffer.alloc(0)
      inBody = /\r\n(?:transfer-encoding: chunked|content-length: [1-9])/i.test(head)
      heads.push(head)
      answer(socket, head, rest)
    })
  }
  const server = tls === undefined ? createServer(onConnection) : createTlsServer(tls, onConnection)
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path })
  await once(server, 'listening')
  const multiaddr = path === undefined ? `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}${tls === undefined ? '' : '/https'}` : `/unix${path}`
  return {
    multiaddr,
    heads,
    connections,
    async [Symbol.asyncDispose] () {
      const closed = once(server, 'close')
      server.close()
      for (const socket of connections) socket.destroy()
      await closed
    }
  }
}
