import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { refusalText } from './refusal-text.ts'

/** How long a connection may be silent before its first byte: as Node allows for a TLS handshake. */
const silentMs = 120_000
/** For who still sends a body to read why nobody takes it: closed before, the answer would be lost. */
const lingerMs = 2_000
/** HTTP begins with a method in capitals; a TLS record of a handshake begins with 0x16. */
const isHttp = (first: number): boolean => first >= 0x41 && first <= 0x5A

/**
 * Has who speaks plain HTTP to a TLS port told so, in Go's words, where TLS alone would cut the connection without one. All else goes to
 * TLS as if nobody had looked.
 *
 * @param server of Node's `https` or `http2`, before anything else listens for its connections
 */
export function answerPlainHttp (server: EventEmitter, clock: Clock): void {
  const secured = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const cut = (): void => { socket.destroy() }
    const silent = clock.after(silentMs, cut)
    const left = (): void => silent[Symbol.dispose]()
    socket.once('error', cut).once('close', left).once('readable', () => {
      left()
      socket.off('error', cut).off('close', left)
      const first = socket.read() as Buffer | null
      if (first === null) return cut()
      if (isHttp(first[0]!)) return refuse(socket, clock)
      socket.unshift(first)
      for (const listener of secured) listener.call(server, socket)
    })
  })
}

function refuse (socket: Socket, clock: Clock): void {
  const lingering = clock.after(lingerMs, () => { socket.destroy() })
  socket.once('close', () => lingering[Symbol.dispose]()).on('error', () => { socket.destroy() })
  socket.end(refusalText('400 Bad Request', 'Client sent an HTTP request to an HTTPS server.'))
  socket.resume()
}
