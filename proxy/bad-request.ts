import type { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import { hostForm } from './plain-request.ts'

/** What node's parser says of what it could not read. */
export interface ParseFailure extends NodeJS.ErrnoException { readonly reason?: string, readonly rawPacket?: Buffer }

/** What Go's server writes, and closes, when a request is none. node:http has closed the door to anything else. */
export function answerBadRequest (socket: Duplex, error: ParseFailure): void {
  if (socket.writableEnded) return // answered: what still comes in is no better
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const { line, body } = wordsOf(error)
  closeWith(line, socket, body)
}

function wordsOf ({ code, message, reason = '', rawPacket = Buffer.alloc(0) }: ParseFailure): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') return { line: '431 Request Header Fields Too Large' }
  if (code === 'HPE_INVALID_HEADER_TOKEN') return { line: `400 Bad Request: invalid header ${/value/i.test(reason) ? 'value' : 'name'}` }
  if (code === 'HPE_INVALID_VERSION' && !/^\S+ \S+ HTTP\/1\.[01]\n/.test(rawPacket.toString('latin1', 0, 1024))) return { line: '505 HTTP Version Not Supported: unsupported protocol version' }
  if (code === 'HPE_INVALID_TRANSFER_ENCODING' || /Transfer-Encoding/i.test(message)) return unknownCoding
  return { line: '400 Bad Request' }
}

/** What is wrong with a request that node lets through and Go does not; `undefined` when nothing is. */
export function refusedByGo ({ rawHeaders, headers, httpVersion }: IncomingMessage): Refusal | undefined {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') hosts++
  if (hosts > 1) return { line: '400 Bad Request' }
  if (hosts === 0 && httpVersion !== '1.0') return { line: '400 Bad Request: missing required Host header' }
  if (!hostForm.test(headers.host ?? '')) return { line: '400 Bad Request: malformed Host header' }
  const coding = headers['transfer-encoding']
  return coding === undefined || coding.toLowerCase() === 'chunked' || httpVersion === '1.0' ? undefined : unknownCoding
}

interface Refusal { readonly line: string, readonly body?: string }
const unknownCoding: Refusal = { line: '501 Not Implemented', body: 'Unsupported transfer encoding' }

export function closeWith (line: string, socket: Duplex, body = line): void {
  socket.write(`HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${body}`)
  if (socket instanceof Socket) socket.destroySoon()
  else socket.end()
}

/**
 * Go takes raw UTF-8 in a request target (`curl '…?arg=/ipfs/…/ünï'` sends it), node's parser does not. A request that came in one
 * piece is given to the server once more with those bytes escaped, which means the same.
 *
 * @returns whether it could be
 */
export function retryEscaped (packet: Buffer, socket: Duplex, server: Server): boolean {
  const lineEnd = packet.indexOf('\r\n')
  const line = packet.toString('latin1', 0, lineEnd)
  if (!isWholeRequest(packet) || !/[\x80-\xff]/.test(line)) return false
  const escaped = line.replace(/[\x80-\xff]/g, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
  const [ours, theirs] = duplexPair()
  server.emit('connection', theirs)
  ours.write(Buffer.concat([Buffer.from(escaped, 'latin1'), packet.subarray(lineEnd)]))
  ours.pipe(socket)
  socket.once('close', () => ours.destroy())
  return true
}

function isWholeRequest (packet: Buffer): boolean {
  const headEnd = packet.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const head = packet.toString('latin1', 0, headEnd)
  if (/\r\ntransfer-encoding:/i.test(head)) return false
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)
  return packet.length - headEnd - 4 === Number(length?.[1] ?? 0)
}
