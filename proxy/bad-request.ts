import type { Duplex } from 'node:stream'

/** What Go's server writes, and closes, when a request is none. node:http has closed the door to anything else. */
export function answerBadRequest (socket: Duplex, error: NodeJS.ErrnoException): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const { line, body } = wordsOf(error)
  socket.end(`HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${body ?? line}`)
}

function wordsOf ({ code, message }: NodeJS.ErrnoException): { readonly line: string, readonly body?: string } {
  if (code === 'HPE_HEADER_OVERFLOW') return { line: '431 Request Header Fields Too Large' }
  if (code === 'HPE_INVALID_VERSION') return { line: '505 HTTP Version Not Supported: unsupported protocol version' }
  if (code === 'HPE_INVALID_TRANSFER_ENCODING' || /Transfer-Encoding/i.test(message)) return { line: '501 Not Implemented', body: 'Unsupported transfer encoding' }
  return { line: '400 Bad Request' }
}
