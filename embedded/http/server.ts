/**
 * An HTTP/1.1 server that writes what Go's writes, byte for byte: header order and place, early answers to unfinished uploads that
 * the client still gets to see, trailers in UTF-8, Go's refusals of what is no HTTP. node:http decides all of these by itself, so the
 * socket is read and written here. Loopback only: it has no defence against slow clients.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Clock } from '../../cluster/clock.ts'
import type { Logger } from '../../cluster/log.ts'
import { RequestBody } from './request-body.ts'
import { BadRequestHead, header, readRequestHead } from './request-head.ts'
import type { RequestHead } from './request-head.ts'
import { Response } from './response.ts'
import { SocketReader } from './socket-reader.ts'

/** How long a client may go on sending after its answer before the connection is cut, as in Go. */
const lingerMs = 500

export interface Request extends RequestHead {
  readonly body: RequestBody
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal
}

export type Handler = (request: Request, response: Response) => Promise<void>

export interface HttpServer extends AsyncDisposable {
  listen (host: string, port: number): Promise<{ host: string, port: number }>
  /** Takes no request from now on; what is being answered goes on until disposal. */
  close (): void
}

export function createHttpServer (handle: Handler, { clock, log }: { clock: Clock, log: Logger }): HttpServer {
  const sockets = new Set<Socket>()
  const serving = new Set<Promise<void>>()
  let isOpen = false
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    sockets.add(socket)
    const served = serve(socket, handle, clock, () => isOpen)
      .catch((err: unknown) => { log.error('a connection failed', { error: err }) })
      .finally(() => { socket.destroy(); sockets.delete(socket); serving.delete(served) })
    serving.add(served)
  })

  return {
    async listen (host, port) {
      server.listen(port, host)
      await once(server, 'listening')
      isOpen = true
      const address = server.address() as AddressInfo
      return { host, port: address.port }
    },
    close () {
      isOpen = false
      server.close()
    },
    async [Symbol.asyncDispose] () {
      if (server.listening) server.close()
      isOpen = false
      for (const socket of sockets) socket.destroy()
      await Promise.all(serving)
    }
  }
}

async function serve (socket: Socket, handle: Handler, clock: Clock, isOpen: () => boolean): Promise<void> {
  socket.on('error', () => { /* `close` follows */ })
  const reader = new SocketReader(socket)
  try {
    while (await serveOne(socket, reader, handle, isOpen)) { /* the next request on this connection */ }
  } catch (err) {
    if (!(err instanceof BadRequestHead)) throw err
    socket.write(`HTTP/1.1 ${err.status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${err.message}`)
  }
  await linger(socket, reader, clock)
}

/** @returns whether the connection can take another request */
async function serveOne (socket: Socket, reader: SocketReader, handle: Handler, isOpen: () => boolean): Promise<boolean> {
  const head = await readRequestHead(reader)
  if (head === undefined || !isOpen()) return false
  const gone = new AbortController()
  reader.gone.then(() => { gone.abort(new Error('context canceled')) }, () => {})
  const expects = header(head, 'expect')
  const body = new RequestBody(reader, head.framing, () => { if (expects !== undefined) socket.write('HTTP/1.1 100 Continue\r\n\r\n') })
  const asksToClose = header(head, 'connection')?.toLowerCase().split(/\s*,\s*/).includes('close') === true
  const response = new Response(socket, head, asksToClose || head.version === '1.0')
  if (expects !== undefined && expects.toLowerCase() !== '100-continue') {
    // the order is Go's: it knows of the closing before it writes the rest
    response.head({ status: 417, headers: new Map([['Connection', ['close']]]), length: 0 })
    return false
  }
  await handle({ ...head, body, signal: gone.signal }, response)
  return !response.closes && body.isEnded && !reader.isGone
}

/** Closes our side, then reads on for a moment: closing with unread bytes would reset the connection under the answer. */
async function linger (socket: Socket, reader: SocketReader, clock: Clock): Promise<void> {
  socket.end()
  const late = Promise.withResolvers<undefined>()
  using _deadline = clock.after(lingerMs, () => { late.resolve(undefined) })
  while (!reader.isGone) {
    const piece = await Promise.race([reader.pull(Infinity), late.promise])
    if (piece === undefined) return
  }
}
