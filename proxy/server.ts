import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { rm } from 'node:fs/promises'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import type { Adder } from '../adder/adder.ts'
import type { ClusterApi, Component } from '../cluster/ports.ts'
import type { Clock } from '../cluster/clock.ts'
import { urlOf } from '../cluster/config/endpoint.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'
import type { Logger } from '../cluster/log.ts'
import { answerBadRequest, closeWith, refusedByGo, retryEscaped } from './bad-request.ts'
import { relayBytes, relayRequest } from './byte-relay.ts'
import type { ProxyConfig } from './config.ts'
import { createDaemonCalls } from './daemon-calls.ts'
import { createDaemonLink, headBytesMax } from './daemon-link.ts'
import { passWithExpect } from './expect.ts'
import { watchGivenUp } from './given-up.ts'
import { createGuard, isUnreachable } from './guard.ts'
import { intercept } from './intercept.ts'
import { lingerOnClose } from './lingering-close.ts'
import { matchCommand } from './match-command.ts'
import { mapOrigins } from './origins.ts'
import type { OriginMap } from './origins.ts'
import { createPassthrough, writeRawHead } from './passthrough.ts'
import { ownAddressCheck } from './own-address.ts'
import type { OwnAddressCheck } from './own-address.ts'
import { createRoutes } from './routes.ts'
import { answerUnreachable } from './unreachable.ts'

export interface ProxyComponents { readonly cluster: ClusterApi, readonly adder: Adder, readonly clock: Clock, readonly log: Logger }

export interface Proxy extends Component {
  /** Where it listens, once started; port 0 in the configuration is a free port here. */
  readonly addresses: readonly string[]
}

/**
 * A Kubo /api/v0 whose pins are the cluster's. No web framework stands in the way: each request is looked up in one table and is
 * either run here or handed to the daemon raw.
 */
export function createProxy ({ cluster, adder, clock, log: parentLog }: ProxyComponents, config: ProxyConfig): Proxy {
  const log = parentLog.for('ipfsproxy')
  const daemon = createDaemonLink(config.nodeMultiaddress, { https: config.nodeHttps })
  const calls = createDaemonCalls({ daemon }, { auth: config.apiAuth })
  const stopping = new AbortController()
  const inFlight = new WeakMap<Socket, Exchange>()
  const servers: Server[] = []
  let origins: OriginMap = mapOrigins([], undefined)
  let check: OwnAddressCheck | undefined
  const guard = createGuard({ calls, daemon, clock, origins: () => origins }, { ttlMs: config.extractHeadersTtl })
  const parts = { daemon, origins: () => origins, log }
  const pass = createPassthrough(parts)
  const table = createRoutes({ cluster, adder, daemon: calls, clock, givenUp: watchGivenUp({ cluster }) }, config)

  const answer = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
    if (check?.caught(request, response) === true) return
    inFlight.set(request.socket, { request, response })
    const wrong = refusedByGo(request)
    if (wrong !== undefined) {
      closeWith(wrong, request.socket)
      return
    }
    if (request.url === '*') {
      answerStar(response)
      return
    }
    const handOn = (target?: string): void => {
      if (expects) passWithExpect(request, response, parts, target)
      else if (request.httpVersion === '1.0') relayRequest(request, request.socket, { daemon, origins })
      else pass(request, response, target)
    }
    const match = request.method === 'POST' ? matchCommand(table, request.url!) : undefined
    if (match === undefined) {
      handOn()
      return
    }
    intercept({ request, response, match, handOn, awaitsContinue: expects, signal: stopping.signal }, { guard, clock, log })
      .catch((err: unknown) => failed(response, err, { address: daemon.address, log }))
  }

  const createOne = (): Server => {
    // A Kubo has no time limits, and a head of 1 MiB: uploads, pins and long queries depend on both.
    const server = createServer({ maxHeaderSize: headBytesMax, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, noDelay: true, requireHostHeader: false, insecureHTTPParser: false, joinDuplicateHeaders: false })
    server.maxHeadersCount = 0
    server.on('connection', (socket: Socket) => lingerOnClose(socket, clock))
    server.on('request', (request, response) => answer(request, response, false))
    server.on('checkContinue', (request, response) => answer(request, response, true))
    server.on('checkExpectation', (_, response: ServerResponse) => refuseExpectation(response))
    server.on('connect', (request: IncomingMessage, socket: Socket) => relayRequest(request, socket, { daemon, origins }))
    server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Socket) => {
      if (error.code === 'HPE_INVALID_EOF_STATE' && cutUpload(inFlight.get(socket))) return
      if (error.code === 'HPE_INVALID_METHOD' && isWholeHead(error.rawPacket)) relayBytes(error.rawPacket!, socket, daemon)
      else if (error.code !== 'HPE_INVALID_URL' || error.rawPacket === undefined || !retryEscaped(error.rawPacket, socket, server)) answerBadRequest(socket, error)
    })
    return server
  }

  const stop = async (): Promise<void> => {
    stopping.abort(new Error('the proxy is closing'))
    await Promise.all(servers.splice(0).map(closeServer))
    await daemon.pool.destroy()
  }

  return {
    name: 'ipfsproxy',
    get addresses () { return servers.map(addressOf) },
    async start ({ signal }) {
      await using undo = new AsyncDisposableStack()
      undo.defer(stop)
      for (const endpoint of config.listenMultiaddress) servers.push(await listen(createOne(), endpoint))
      origins = mapOrigins(servers.map(portOf).filter(port => port !== undefined), daemon.port)
      check = ownAddressCheck()
      await check.run(calls, daemon.address, { signal })
      check = undefined
      undo.move()
      log.info('the IPFS proxy is open', { addresses: servers.map(addressOf), daemon: daemon.address })
    },
    [Symbol.asyncDispose]: stop
  }
}

interface Exchange { readonly request: IncomingMessage, readonly response: ServerResponse }

/** The client has closed its side in the middle of its upload. The upload fails as in Go; the answer can still be sent. */
function cutUpload (exchange: Exchange | undefined): boolean {
  if (exchange === undefined || exchange.response.writableEnded) return false
  const { request } = exchange
  Object.assign(request, { socket: null }) // or node would close the whole connection with it
  request.destroy(new Error('context canceled'))
  return true
}

function failed (response: ServerResponse, err: unknown, { address, log }: { readonly address: string, readonly log: Logger }): void {
  if (response.destroyed) return
  if (isUnreachable(err) && !response.headersSent) {
    answerUnreachable(response, address, err.cause instanceof Error ? err.cause : err)
    return
  }
  log.error('an answer failed', { error: err })
  response.destroy()
}

/** `OPTIONS *` is answered by Go's server itself. */
function answerStar (response: ServerResponse): void {
  writeRawHead(response, 200, 'OK', ['Content-Length', '0', 'Date', new Date().toUTCString()])
  response.end()
}

/** As Go's server answers an `Expect` that it does not know. */
function refuseExpectation (response: ServerResponse): void {
  response.writeHead(417, 'Expectation Failed', ['Connection', 'close', 'Date', new Date().toUTCString(), 'Content-Length', '0'])
  response.end()
}

const isWholeHead = (packet: Buffer | undefined): boolean => packet !== undefined && /^[A-Z]+ \S+ HTTP\/1\.[01]\r\n/.test(packet.toString('latin1', 0, 4096)) && packet.includes('\r\n\r\n')

async function listen (server: Server, endpoint: Endpoint): Promise<Server> {
  if (endpoint.kind === 'unix') {
    await rm(endpoint.path, { force: true }) // what a killed process left behind
    server.listen(endpoint.path)
  } else {
    server.listen(endpoint.port, endpoint.host)
  }
  await Promise.race([once(server, 'listening'), once(server, 'error').then(([error]) => { throw error as Error })])
  return server
}

async function closeServer (server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}

function portOf (server: Server): number | undefined {
  const address = server.address() as AddressInfo | string | null
  return typeof address === 'object' && address !== null ? address.port : undefined
}

function addressOf (server: Server): string {
  const address = server.address() as AddressInfo | string | null
  if (address === null) return 'closed'
  return typeof address === 'string' ? `unix:${address}` : urlOf({ multiaddr: '', kind: 'tcp', host: address.address, port: address.port, secure: false })
}
