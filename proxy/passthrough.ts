import type { IncomingMessage, OutgoingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { originForm } from '../cluster/api/kubo/query.ts'
import type { Logger } from '../cluster/log.ts'
import { answerUnreachable } from './unreachable.ts'
import type { DaemonLink } from './daemon-link.ts'
import { headerOf, toClientHeaders, toDaemonHeaders, wantsClose } from './headers.ts'
import type { RawHeaders } from './headers.ts'
import type { OriginMap } from './origins.ts'

export interface PassthroughComponents {
  readonly daemon: DaemonLink
  readonly origins: () => OriginMap
  readonly log: Logger
}

/** Hands one request without a body to the daemon and its answer back. `target` replaces what stands in the request line. */
export type Passthrough = (request: IncomingMessage, response: ServerResponse, target?: string) => void

/**
 * No JSON touched, no header improved: what the daemon sends is what the client gets, as it comes, trailers included, at the pace of
 * the slower side. A client that goes ends the request at the daemon; an answer that the daemon breaks off is broken off, never ended.
 */
export function createPassthrough ({ daemon, origins, log }: PassthroughComponents): Passthrough {
  return (request, response, target = request.url!) => {
    const relay = new Relay(request, response, { daemon, origins: origins(), log })
    try {
      daemon.pool.dispatch({
        path: pathOf(target),
        method: request.method as Dispatcher.HttpMethod,
        headers: toDaemonHeaders(request.rawHeaders, origins()),
        reset: false // undici would ask for the connection to be closed after a HEAD, and Kubo says so in its answer
      }, relay)
    } catch (err) {
      relay.failed(err as Error)
    }
  }
}

/** Whether an upload comes with it; a length of 0 is none, an empty chunked body is one. */
export function hasBody ({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && Number(headers['content-length']) > 0)
}

/** A URL without a path stays what it is: Kubo redirects it. */
export function pathOf (target: string): string {
  const path = originForm(target)
  return path.startsWith('/') ? path : target
}

interface RelayParts { readonly daemon: DaemonLink, readonly origins: OriginMap, readonly log: Logger }

/** One answer on its way from the daemon to the client. A class because undici's dispatcher calls back into one. */
class Relay implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #parts: RelayParts
  #controller: Dispatcher.DispatchController | undefined
  #gone = false
  #begun = false

  constructor (request: IncomingMessage, response: ServerResponse, parts: RelayParts) {
    this.#request = request
    this.#response = response
    this.#parts = parts
    if (response.destroyed) this.#gone = true
    response.once('close', () => { if (!response.writableFinished) this.#clientGone() })
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#gone) controller.abort(new Error('client went away'))
  }

  onResponseStart (controller: Dispatcher.DispatchController, status: number, _: unknown, reason?: string): void {
    if (status < 200) return
    const { origins } = this.#parts
    const asked = this.#request.rawHeaders
    const headers = toClientHeaders(textsOf(controller.rawHeaders), { closing: wantsClose(asked), origin: headerOf(asked, 'origin'), origins })
    writeRawHead(this.#response, status, reason ?? '', headers)
    // Endless answers begin with a head alone; where a body follows in the same read, both leave together.
    process.nextTick(() => this.#flush())
  }

  onResponseData (controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#begun = true
    if (this.#response.write(chunk)) return
    controller.pause()
    this.#response.once('drain', () => controller.resume())
  }

  onResponseEnd (controller: Dispatcher.DispatchController): void {
    const trailers = textsOf(controller.rawTrailers)
    if (trailers.length > 0) this.#response.addTrailers(pairsOf(trailers))
    this.#response.end()
  }

  onResponseError (_: unknown, error: Error): void {
    this.failed(error)
  }

  failed (error: Error): void {
    const { daemon, log } = this.#parts
    if (this.#gone) return
    if (this.#response.headersSent) {
      log.warn('the daemon broke off an answer', { error })
      this.#response.destroy()
      return
    }
    log.warn('the daemon cannot be reached', { address: daemon.address, error })
    answerUnreachable(this.#response, daemon.address, error)
  }

  #flush (): void {
    if (!this.#begun && !this.#response.writableEnded && !this.#response.destroyed) flushHead(this.#response)
  }

  #clientGone (): void {
    this.#gone = true
    this.#controller?.abort(new Error('client went away'))
  }
}

/** Writes a head that is sent as it is: no header of node's own is added. */
export function writeRawHead (response: ServerResponse, status: number, reason: string, headers: RawHeaders): void {
  response.sendDate = false
  response.removeHeader('connection') // which makes node add none of its own
  response.removeHeader('transfer-encoding') // nor chunks to a body that ends with its connection
  response.writeHead(status, reason, headers as string[])
}

/** Sends a head before there is anything of its body. Node's own `flushHeaders` takes what is no ASCII in it for text to be encoded. */
export function flushHead (message: OutgoingMessage): void {
  message.write(nothing)
}

const nothing = Buffer.alloc(0)

const textsOf = (raw: Dispatcher.DispatchController['rawHeaders']): string[] =>
  Array.isArray(raw) ? raw.map(text => typeof text === 'string' ? text : text.toString('latin1')) : []

function pairsOf (raw: RawHeaders): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!])
}
