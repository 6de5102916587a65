import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { toGoBytes } from '../cluster/api/kubo/go-text.ts'
import type { AbortOptions } from '../cluster/ports.ts'
import { writeRawHead } from './passthrough.ts'
import type { RawHeaders } from './headers.ts'

/** Where an answer goes, at the client's pace. */
export interface ClientSink {
  head (status: number, headers: RawHeaders): void
  /** Waits while the client is slower than we are. */
  write (text: string, options: AbortOptions): Promise<void>
  end (trailers?: RawHeaders): void
  /** Closes the connection behind what was written, before the answer's end: whoever reads it is told that this is not all. */
  breakOff (): void
}

/** Answers HTTP/1.0 as Go does, in its own version, without chunks and trailers: the body ends with the connection. */
export function clientSink (request: IncomingMessage, response: ServerResponse): ClientSink {
  return request.httpVersion === '1.0' ? oldSink(request) : chunkedSink(response)
}

/**
 * Lines that come in the same turn of the event loop go out as one chunk: thousands of small files would otherwise be thousands of
 * writes. Nothing waits longer than until there is nothing else to do.
 */
function chunkedSink (response: ServerResponse): ClientSink {
  let gathered = ''
  const flush = (): void => {
    if (gathered === '' || response.destroyed) return
    response.write(toGoBytes(gathered))
    gathered = ''
  }
  return {
    head: (status, headers) => writeRawHead(response, status, reasonOf(status), headers),
    async write (text, options) {
      if (gathered === '' && text !== '') process.nextTick(flush)
      gathered += text
      if (gathered.length > gatheredMax) flush()
      if (response.writableNeedDrain) await drained(response, options)
    },
    end (trailers = []) {
      flush()
      if (trailers.length > 0) response.addTrailers([[trailers[0]!, trailers[1]!]])
      response.end()
    },
    breakOff () {
      flush()
      response.socket?.destroySoon()
    }
  }
}

const gatheredMax = 64 << 10

function oldSink ({ socket }: IncomingMessage): ClientSink {
  return {
    head (status, headers) {
      const lines = Array.from({ length: headers.length / 2 }, (_, i) => `${headers[2 * i]}: ${headers[2 * i + 1]}\r\n`)
      socket.write(`HTTP/1.0 ${status} ${reasonOf(status)}\r\n${lines.join('')}\r\n`, 'latin1')
    },
    write: (text, options) => written(socket, text, options),
    end: () => socket.destroySoon(),
    breakOff: () => socket.destroySoon()
  }
}

async function written (to: Writable, text: string, options: AbortOptions): Promise<void> {
  if (text === '' || to.write(toGoBytes(text))) return
  await drained(to, options)
}

async function drained (to: Writable, { signal }: AbortOptions): Promise<void> {
  await once(to, 'drain', { signal }).catch((err: unknown) => { signal.throwIfAborted(); throw err })
}

const reasons: Readonly<Record<number, string>> = { 200: 'OK', 400: 'Bad Request', 403: 'Forbidden', 500: 'Internal Server Error' }
const reasonOf = (status: number): string => reasons[status] ?? ''
