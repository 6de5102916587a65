import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { DaemonLink } from './daemon-link.ts'
import { hasBody } from './passthrough.ts'
import { toDaemonHeaders } from './headers.ts'
import type { OriginMap } from './origins.ts'

/**
 * Requests that no HTTP client can repeat (HTTP/1.0, `OPTIONS *`, `CONNECT`, a method that node does not know) go to the daemon over a connection of
 * their own, and what comes back is copied byte by byte. Both connections end with the answer.
 */
export function relayRequest (request: IncomingMessage, client: Duplex, { daemon, origins }: { daemon: DaemonLink, origins: OriginMap }): void {
  const headers = [...toDaemonHeaders(request.rawHeaders, origins), 'Connection', 'close']
  if (request.httpVersion !== '1.0') headers.unshift('Host', request.headers.host ?? '')
  const lines = Array.from({ length: headers.length / 2 }, (_, i) => `${headers[2 * i]}: ${headers[2 * i + 1]}\r\n`)
  const upstream = relayBytes(Buffer.from(`${request.method} ${request.url} HTTP/${request.httpVersion}\r\n${lines.join('')}\r\n`, 'latin1'), client, daemon)
  if (!hasBody(request)) return
  request.pipe(upstream, { end: false })
  request.on('error', () => {})
  const cut = (): void => { if (!request.complete) upstream.end() } // the daemon says what it makes of half an upload
  if (request.closed) cut()
  else request.once('close', cut)
}

/** Sends `head` as it is and copies the answer; answers the connection to the daemon, for a body. */
export function relayBytes (head: Buffer, client: Duplex, daemon: DaemonLink): Duplex {
  const upstream = daemon.connect()
  upstream.write(head)
  upstream.pipe(client)
  upstream.on('error', error => client.destroy(error))
  client.on('error', () => upstream.destroy())
  client.once('close', () => upstream.destroy())
  return upstream
}
