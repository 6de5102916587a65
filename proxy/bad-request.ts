import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { hasGoodHost, hostForm } from './plain-request.ts'

/** What node's parser says of what it could not read. */
export interface ParseFailure extends NodeJS.ErrnoException { readonly rawPacket?: Buffer, readonly bytesParsed?: number }

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

function wordsOf ({ code, message, rawPacket = Buffer.alloc(0), bytesParsed = 0 }: ParseFailure): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') return { line: '431 Request Header Fields Too Large' }
  if (code === 'HPE_INVALID_HEADER_TOKEN' && hasSpacedName(rawPacket, bytesParsed)) return { line: '400 Bad Request: invalid header name' }
  if (code === 'HPE_INVALID_VERSION' && /^\S+ \S+ HTTP\/[02-9]\.\d\r?\n/.test(rawPacket.toString('latin1', 0, 1024))) return otherVersion
  if (code === 'HPE_INVALID_TRANSFER_ENCODING' || /Transfer-Encoding/i.test(message)) return unknownCoding
  return { line: '400 Bad Request' }
}

/** Of a header's name Go takes blanks for an error of their own. */
function hasSpacedName (packet: Buffer, at: number): boolean {
  const lineAt = packet.lastIndexOf('\n', Math.max(0, at - 1)) + 1
  const line = packet.toString('latin1', lineAt, lineAt + headerNameBytesMax)
  const name = line.slice(0, Math.max(0, line.indexOf(':')))
  return name.includes(' ') && /^[!#$%&'*+.^_`|~0-9A-Za-z-][ !#$%&'*+.^_`|~0-9A-Za-z-]*$/.test(name)
}

const headerNameBytesMax = 4_096

/** What is wrong with a request that node lets through and Go does not; `undefined` when nothing is. */
export function refusedByGo ({ rawHeaders, headers, httpVersion, url }: IncomingMessage): Refusal | undefined {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') hosts++
  if (!httpVersion.startsWith('1.')) return otherVersion
  if (hosts > 1 || !hasGoodHost(url!)) return { line: '400 Bad Request' }
  if (hosts === 0 && httpVersion !== '1.0') return { line: '400 Bad Request: missing required Host header' }
  if (!hostForm.test(headers.host ?? '')) return { line: '400 Bad Request: malformed Host header' }
  const coding = headers['transfer-encoding']
  return coding === undefined || coding.toLowerCase() === 'chunked' || httpVersion === '1.0' ? undefined : unknownCoding
}

interface Refusal { readonly line: string, readonly body?: string }
const otherVersion: Refusal = { line: '505 HTTP Version Not Supported: unsupported protocol version' }
const unknownCoding: Refusal = { line: '501 Not Implemented', body: 'Unsupported transfer encoding' }

export function closeWith (line: string, socket: Duplex, body = line): void {
  socket.write(`HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${body}`)
  endSoon(socket)
}

/** Behind what has been written; see `lingerOnClose`. */
export function endSoon (socket: Duplex): void {
  if (socket instanceof Socket) socket.destroySoon()
  else socket.end()
}
