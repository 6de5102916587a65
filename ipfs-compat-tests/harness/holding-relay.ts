/** A TCP relay in front of a port that keeps back what is large: for tests of what is cut off in the middle. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface HoldingRelay extends AsyncDisposable {
  readonly port: number
  /** Resolves when a connection has been given as many bytes as one may have. */
  readonly holds: Promise<void>
  /** From now on nothing is kept back. */
  release (): void
}

/** Enough for handshakes and heartbeats: who tries again on another connection gets no further. */
const laterBytesMax = 64 * 1_024

/** Passes on everything both ways, but of what goes towards `targetPort` only the first `bytesMax` bytes of each connection, and less of those that come later. */
export async function holdingRelay (targetPort: number, bytesMax: number): Promise<HoldingRelay> {
  const { promise: holds, resolve: holding } = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const held = new Set<Socket>()
  let isHolding = true

  function kept (socket: Socket): Socket {
    sockets.add(socket)
    return socket.once('close', () => { sockets.delete(socket) }).on('error', () => {})
  }

  function hold (socket: Socket): void {
    socket.pause()
    held.add(socket)
    holding()
  }

  const server = createServer({ noDelay: true }, near => {
    const far = kept(connect({ port: targetPort, host: '127.0.0.1', noDelay: true }))
    kept(near).once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    far.pipe(near)
    const mayPass = held.size > 0 ? laterBytesMax : bytesMax
    let passed = 0
    near.on('data', (bytes: Buffer) => {
      passed += bytes.length
      const mayGoOn = far.write(bytes)
      if (isHolding && passed >= mayPass) hold(near)
      else if (!mayGoOn) {
        near.pause()
        far.once('drain', () => { if (!held.has(near)) near.resume() })
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    holds,
    release () {
      isHolding = false
      for (const socket of held) socket.resume()
      held.clear()
    },
    async [Symbol.asyncDispose] () {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}
