import { METHODS, createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../cluster/clock.ts'
import type { Logger } from '../cluster/log.ts'
import { answerBadRequest, closeWith, refusedByGo } from './bad-request.ts'
import type { ParseFailure } from './bad-request.ts'
import { relayBytes, relayRequest } from './byte-relay.ts'
import type { CommandRules } from './command-rules.ts'
import { headBytesMax } from './daemon-link.ts'
import type { DaemonLink } from './daemon-link.ts'
import { openFastLane } from './lanes.ts'
import { giveUpSoon, lingerOnClose } from './lingering-close.ts'
import type { OriginMap } from './origins.ts'
import { writeRawHead } from './passthrough.ts'
import { readAnew } from './read-anew.ts'
import { accessDenied } from './refuse-command.ts'

export interface DoorParts {
  readonly daemon: DaemonLink
  readonly origins: () => OriginMap
  readonly clock: Clock
  readonly log: Logger
  readonly rules: CommandRules
  /** Whether the daemon alone answers this target. */
  isForDaemon (target: string): boolean
  /** False while every request has to be looked at. */
  isFast (): boolean
  /** `expects`: the client waits to be told to send its body. */
  answer (request: IncomingMessage, response: ServerResponse, expects: boolean): void
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Whether its turn has come. */
  isBegun: boolean
  /** What is wrong with its body, found out before that. */
  fault: ParseFailure | undefined
}

/** Node's HTTP server, made to behave as Go's: what it lets in, what it refuses, how it closes. */
export function createDoor ({ daemon, origins, clock, log, rules, isForDaemon, isFast, answer }: DoorParts): Server {
  const inFlight = new WeakMap<Socket, Exchange>()
  /** What came behind a request was none: once is enough to know. */
  const broken = new WeakSet<Socket>()
  /** Go reads a request when the one before it is answered; node hands over whatever has come in. */
  const inTurn = (socket: Socket, act: () => void): void => {
    const before = inFlight.get(socket)
    if (before === undefined) act()
    else before.response.once('close', () => { if (!socket.destroyed) act() })
  }
  const take = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
    const { socket } = request
    const exchange: Exchange = { request, response, isBegun: false, fault: undefined }
    inTurn(socket, () => {
      exchange.isBegun = true
      const wrong = refusedByGo(request)
      if (wrong !== undefined) closeWith(wrong.line, socket, wrong.body)
      else if (exchange.fault !== undefined) answerBadRequest(socket, exchange.fault)
      else if (request.url === '*' && request.method === 'OPTIONS' && request.httpVersion !== '1.0') answerStar(response)
      else if (request.url === '*') relayRequest(request, socket, { daemon, origins: origins() })
      else if (request.httpVersion === '1.0' && !/^(100-continue)?$/i.test(request.headers.expect ?? '')) socket.end(`HTTP/1.0 ${expectationFailed()}`) // node knows none before 1.1
      else answer(request, response, expects)
    })
    inFlight.set(socket, exchange)
    response.once('close', () => { if (inFlight.get(socket)?.response === response) inFlight.delete(socket) })
  }

  // A Kubo has no time limits, and a head of 1 MiB: uploads, pins and long queries depend on both.
  const server = createServer({ maxHeaderSize: headBytesMax, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, noDelay: true, requireHostHeader: false, insecureHTTPParser: false, joinDuplicateHeaders: false })
  server.maxHeadersCount = 0
  server.on('error', error => { if (server.listening) log.error('the door failed', { error }) }) // before that, who opens it tells why
  server.on('connection', (socket: Socket) => {
    lingerOnClose(socket, clock)
    socket.once('end', () => { if (inFlight.get(socket)?.request.complete === true) giveUpSoon(socket, clock) })
  })
  Object.assign(server, { httpAllowHalfOpen: true }) // what a client asked before it closed its side is answered, as by Go
  openFastLane(server, { daemon, log, isForDaemon }, isFast)
  server.on('request', (request, response) => take(request, response, false))
  server.on('checkContinue', (request, response) => take(request, response, true))
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => request.headers.expect === '' ? take(request, response, false) : refuseExpectation(response))
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    if (rules.refuses(request.url!)) closeWith('403 Forbidden', socket, accessDenied)
    else relayRequest(request, socket, { daemon, origins: origins() })
  })
  server.on('clientError', (error: ParseFailure, socket: Socket) => {
    const current = inFlight.get(socket)
    if (error.code === 'HPE_INVALID_EOF_STATE' && cutUpload(current)) return
    if (current?.request.complete === false) {
      refuseBody(current, error, socket)
      return
    }
    if (current !== undefined && broken.has(socket)) return
    if (current !== undefined) broken.add(socket)
    inTurn(socket, () => {
      const unknown = headOf(error.rawPacket)
      if (unknown !== undefined) relayUnknownMethod(unknown, socket, { daemon, rules })
      else if (!readAnew(error, socket, server)) answerBadRequest(socket, error)
    })
  })
  return server
}

/** The client has closed its side in the middle of its upload. The upload fails as in Go; the answer can still be sent. */
function cutUpload (exchange: Exchange | undefined): boolean {
  if (exchange === undefined || exchange.response.writableEnded) return false
  const { request, response } = exchange
  const { socket } = request
  response.once('close', () => { socket.destroySoon() }) // no further request will come
  Object.assign(request, { socket: null }) // or node would close the whole connection with it
  request.destroy(new Error('context canceled'))
  Object.assign(request, { socket }) // who is still to answer asks for it
  return true
}

/** What comes as the body of a request that is being answered is none. */
function refuseBody (exchange: Exchange, error: ParseFailure, socket: Socket): void {
  if (!exchange.isBegun) exchange.fault = error
  else if (exchange.response.headersSent) socket.destroy() // an answer that is cut must look like one
  else answerBadRequest(socket, error)
}

/** `OPTIONS *` is answered by Go's server itself. */
function answerStar (response: ServerResponse): void {
  writeRawHead(response, 200, 'OK', ['Content-Length', '0', 'Date', new Date().toUTCString()])
  response.end()
}

const expectationFailed = (): string => `417 Expectation Failed\r\nConnection: close\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: 0\r\n\r\n`

/** As Go's server answers an `Expect` that it does not know. */
function refuseExpectation (response: ServerResponse): void {
  response.writeHead(417, 'Expectation Failed', ['Connection', 'close', 'Date', new Date().toUTCString(), 'Content-Length', '0'])
  response.end()
}

/**
 * The first head of a packet, without what came behind it: that would be further requests, which nobody has looked at. One whose
 * method node knows is none: it was taken, and something behind it was not. Of HTTP/2 Go takes the first line, and refuses that as any method.
 */
function headOf (packet: Buffer | undefined): UnknownMethod | undefined {
  if (packet === undefined) return undefined
  const [, method = '', target] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/(?:1\.[01]|2\.0)\r\n/.exec(packet.toString('latin1', 0, headBytesMax)) ?? []
  const end = packet.indexOf('\r\n\r\n')
  return target === undefined || end < 0 || METHODS.includes(method) ? undefined : { target, head: packet.subarray(0, end + 4), hasMore: packet.length > end + 4 }
}

interface UnknownMethod { readonly target: string, readonly head: Buffer, readonly hasMore: boolean }

/** The daemon says that it does not know the method; a body that it would wait for is not sent. */
function relayUnknownMethod ({ target, head, hasMore }: UnknownMethod, socket: Socket, { daemon, rules }: Pick<DoorParts, 'daemon' | 'rules'>): void {
  if (rules.refuses(target)) {
    closeWith('403 Forbidden', socket, accessDenied)
    return
  }
  const upstream = relayBytes(head, socket, daemon)
  if (hasMore) upstream.end()
}
