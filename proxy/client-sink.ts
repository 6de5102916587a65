import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { AbortOptions } from '../cluster/ports.ts'
import { writeRawHead } from './passthrough.ts'
import type { RawHeaders } from './headers.ts'

/** Where an answer goes, at the client's pace. */
export interface ClientSink {
  head (status: number, headers: RawHeaders): void
  /** Waits while the client is slower than we are. */
  write (text: string, options: AbortOptions): Promise<void>
  end (trailers?: RawHeaders): void
}

/** Answers HTTP/1.0 as Go does, in its own version, without chunks and trailers: the body ends with the connection. */
export function clientSink (request: IncomingMessage, response: ServerResponse): ClientSink {
  return request.httpVersion === '1.0' ? oldSink(request) : chunkedSink(response)
}

function chunkedSink (response: ServerResponse): ClientSink {
  return {
    head: (status, headers) => writeRawHead(response, status, reasonOf(status), headers),
    write: (text, options) => written(response, text, options),
    end (trailers = []) {
      if (trailers.length > 0) response.addTrailers([[trailers[0]!, trailers[1]!]])
      response.end()
    }
  }
}

function oldSink ({ socket }: IncomingMessage): ClientSink {
  return {
    head (status, headers) {
      const lines = Array.from({ length: headers.length / 2 }, (_, i) => `${headers[2 * i]}: ${headers[2 * i + 1]}\r\n`)
      socket.write(`HTTP/1.0 ${status} ${reasonOf(status)}\r\n${lines.join('')}\r\n`, 'latin1')
    },
    write: (text, options) => written(socket, text, options),
    end: () => socket.destroySoon()
  }
}

async function written (to: Writable, text: string, { signal }: AbortOptions): Promise<void> {
  if (text === '' || to.write(text, 'utf8')) return
  await once(to, 'drain', { signal }).catch((err: unknown) => { signal.throwIfAborted(); throw err })
}

const reasons: Readonly<Record<number, string>> = { 200: 'OK', 400: 'Bad Request', 500: 'Internal Server Error' }
const reasonOf = (status: number): string => reasons[status] ?? ''
