import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { headBytesMax } from './daemon-link.ts'
import type { DaemonLink } from './daemon-link.ts'
import { hasBody } from './passthrough.ts'
import { toDaemonHeaders } from './headers.ts'
import type { OriginMap } from './origins.ts'

/**
 * Requests that no HTTP client can repeat (HTTP/1.0, `OPTIONS *`, `CONNECT`, a method that node does not know) go to the daemon over a connection of
 * their own, and what comes back is copied byte by byte. Both connections end with the answer.
 */
export function relayRequest (request: IncomingMessage, client: Socket, { daemon, origins }: { daemon: DaemonLink, origins: OriginMap }): void {
  const isUpload = hasBody(request)
  const isOldUpload = isUpload && request.httpVersion === '1.0'
  // Go resets an upload that it refuses right behind its answer, unless it was to keep the connection: then it leaves time to read that.
  const headers = [...toDaemonHeaders(request.rawHeaders, origins), 'Connection', isOldUpload ? 'keep-alive' : 'close']
  if (request.httpVersion !== '1.0') headers.unshift('Host', request.headers.host ?? '')
  const lines = Array.from({ length: headers.length / 2 }, (_, i) => `${headers[2 * i]}: ${headers[2 * i + 1]}\r\n`)
  const head = Buffer.from(`${request.method} ${request.url} HTTP/${request.httpVersion}\r\n${lines.join('')}\r\n`, 'latin1')
  const upstream = relayBytes(head, client, daemon, isOldUpload ? copyWithoutConnection : undefined)
  if (!isUpload) return
  request.pipe(upstream, { end: false })
  request.on('error', () => {})
  const drop = (): void => {
    request.unpipe(upstream)
    request.resume()
  }
  upstream.once('end', drop).once('close', drop) // who has answered reads no further
  const cut = (): void => { if (!request.complete) upstream.end() } // the daemon says what it makes of half an upload
  if (request.closed) cut()
  else request.once('close', cut)
}

/** Sends `head` as it is and copies the answer; answers the connection to the daemon, for a body. The client is given time to read it, see `lingerOnClose`. */
export function relayBytes (head: Buffer, client: Socket, daemon: DaemonLink, copy = (upstream: Socket, client: Socket): void => { upstream.pipe(client, { end: false }) }): Socket {
  const upstream = daemon.connect()
  upstream.write(head)
  copy(upstream, client)
  upstream.once('end', () => { client.destroySoon() })
  upstream.on('error', error => { if (!upstream.readableEnded) client.destroy(error) })
  client.on('error', () => upstream.destroy())
  client.once('close', () => upstream.destroy())
  return upstream
}

/** Leaves out that the daemon keeps its connection, and ends that. `Connection: close` is said by commands that leave an upload unread, to old clients, too. */
function copyWithoutConnection (upstream: Socket, client: Socket): void {
  let held = Buffer.alloc(0)
  const onData = (bytes: Buffer): void => {
    held = Buffer.concat([held, bytes])
    const found = held.indexOf('\r\n\r\n')
    if (found < 0 && held.length < headBytesMax) return
    const end = found < 0 ? held.length : found
    const head = held.toString('latin1', 0, end)
    upstream.off('data', onData)
    client.write(head.replace(keptAlive, ''), 'latin1')
    client.write(held.subarray(end))
    upstream.pipe(client, { end: false })
    if (keptAlive.test(head)) upstream.end()
  }
  upstream.on('data', onData)
}

const keptAlive = /\r\nConnection: keep-alive(?=\r|$)/i
