import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { ClusterError } from '../api/errors.ts'
import { CallerLeftError } from '../async/caller-left.ts'
import { joinSignals } from '../async/join-signals.ts'
import { urlOf } from '../config/endpoint.ts'
import type { Endpoint } from '../config/endpoint.ts'
import type { HttpDoor } from '../peer-ports.ts'
import type { Component } from '../ports.ts'
import { sendAnswer, sendError } from './answer.ts'
import { createApp } from './app.ts'
import { certificateOf } from './certificate.ts'
import type { RestConfig } from './config.ts'
import { connectionsOf } from './connections.ts'
import type { Connections } from './connections.ts'
import { createGuard } from './guard.ts'
import { createPeerDirectory } from './peer-details.ts'
import { listening } from './listening.ts'
import { isHttp2 } from './http-version.ts'
import { notFound, withoutSlash } from './not-found.ts'
import { RefusedError } from './rest-error.ts'
import type { RestParts } from './route.ts'
import { routes } from './routes.ts'
import { createUsers, UnauthorizedError } from './users.ts'
import type { Users } from './users.ts'

/** How long requests in flight may take to end when the door closes, before their signals abort. */
const graceMs = 2_000
/** For what is then still to be said; after it connections are closed, whatever they are at. */
const lastWordMs = 500

export interface Rest extends Component {
  /** Where it listens, once started. */
  readonly addresses: readonly Endpoint[]
}

/** Listens for HTTP over libp2p, and hands each connection over. */
export type ListenOverLibp2p = (serve: (connection: Duplex) => void) => Promise<HttpDoor>

/**
 * ipfs-cluster's REST API on each of the configured addresses.
 *
 * @param overLibp2p how it listens there besides, where that is configured
 * @param folder what `ssl_cert_file` and `ssl_key_file` are relative to
 */
export function createRest ({ overLibp2p, ...parts }: RestParts & { readonly overLibp2p?: ListenOverLibp2p | undefined }, config: RestConfig, folder: string): Rest {
  const addresses: Endpoint[] = []
  const closing = new AbortController()
  const doors = new AsyncDisposableStack()
  const { details } = createPeerDirectory(parts)
  const users = config.basicAuthCredentials === undefined ? undefined : createUsers(config.basicAuthCredentials, parts.clock)
  let inFlight = 0
  const connections: Connections[] = []
  let onIdle = (): void => {}

  const serve = (app: FastifyInstance, endpoint: Endpoint | undefined): void => {
    const guard = createGuard(config, users, endpoint)
    connections.push(connectionsOf(app.server))
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => { done(null) }) // bodies are for handlers to pull
    app.addHook('onRequest', async (request, reply) => {
      inFlight++
      parts.log.debug('a request', { method: request.method, path: request.url.split('?')[0] })
      reply.raw.once('close', () => {
        if (--inFlight === 0) onIdle()
      })
      if (config.writeTimeout > 0) limitTime(parts, reply, config.writeTimeout)
      if (config.readTimeout > 0 && isHttp2(request.raw)) limitReading(parts, request.raw, config.readTimeout)
      reply.headers(guard.headersFor(request.raw))
      guard.admit(request.raw)
      const elsewhere = withoutSlash(request.raw)
      if (elsewhere !== undefined) await reply.redirect(elsewhere, 307)
      else if (request.method === 'QUERY') await notFound(request.raw, reply) // Fastify would ask for its Content-Type first
    })
    app.options('*', async (request, reply) => await reply.code(204).headers(guard.preflight(request.raw)).send())
    for (const { method, path, serve } of routes) {
      app.route({
        method,
        url: path,
        handler: async (request, reply) => {
          using wanted = joinSignals(goneSignal(reply), closing.signal)
          const { signal } = wanted
          const path = request.params as Record<string, string>
          await sendAnswer(reply, await serve({ ...parts, details, token: () => tokenOf(users, request.raw), path, search: request.query as URLSearchParams, request: request.raw, signal }), { signal, clock: parts.clock })
          return reply
        }
      })
    }
    app.setNotFoundHandler(async (request, reply) => await notFound(request.raw, reply))
    app.setErrorHandler(async (err, request, reply) => {
      if (err instanceof UnauthorizedError) reply.header('www-authenticate', err.challenges)
      if (!(err instanceof RefusedError)) parts.log.debug('a request failed', { method: request.method, path: request.url.split('?')[0], error: err })
      await sendError(reply, err)
    })
  }

  async function openOverLibp2p (listen: ListenOverLibp2p, opened: AsyncDisposableStack): Promise<readonly string[]> {
    const app = createApp(config, undefined, parts.clock) // libp2p encrypts
    serve(app, undefined)
    opened.defer(() => app.close())
    await app.ready()
    const door = opened.use(await listen(connection => { app.server.emit('connection', connection) }))
    if (users === undefined) parts.log.warn('whoever reaches the REST API over libp2p may do everything: set api.restapi.basic_auth_credentials', { addresses: door.addresses })
    return door.addresses
  }

  return {
    name: 'rest',
    addresses,
    async start () {
      const tls = await certificateOf(config, folder)
      await using opened = new AsyncDisposableStack()
      for (const endpoint of config.httpListenMultiaddress) {
        const app = createApp(config, tls, parts.clock)
        serve(app, endpoint)
        opened.defer(() => app.close())
        addresses.push(await listening(app, endpoint, { setting: 'api.restapi.http_listen_multiaddress', isSecure: tls !== undefined }))
      }
      const libp2pAddresses = overLibp2p === undefined ? [] : await openOverLibp2p(overLibp2p, opened)
      doors.use(opened.move())
      parts.log.info('the REST API is open', { addresses: [...addresses.map(urlOf), ...libp2pAddresses] })
    },
    async [Symbol.asyncDispose] () {
      if (doors.disposed) return
      const closed = doors.disposeAsync()
      if (inFlight > 0) {
        const { promise: idle, resolve: done } = Promise.withResolvers<void>()
        onIdle = done
        using _limit = parts.clock.after(graceMs, done)
        await idle
      }
      closing.abort(new ClusterError('ERR_PEER_FAILED', 'this peer is shutting down'))
      // Who has sent but half of a body keeps its connection, and would keep the peer.
      using _cut = parts.clock.after(lastWordMs, () => { for (const open of connections) open.cut() })
      await closed
    }
  }
}

function tokenOf (users: Users | undefined, request: IncomingMessage): string {
  if (users === undefined) throw new UnauthorizedError('unauthorized', [])
  return users.token(users.authorize(request))
}

/** Aborts when the client goes away before it has its whole answer. Fastify's own signal fires once an upload has been read. */
function goneSignal ({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort(new CallerLeftError('client went away'))
  })
  return controller.signal
}

/** Of HTTP/1.1 Node itself sees to it. */
function limitReading ({ clock }: RestParts, request: IncomingMessage, timeoutMs: number): void {
  const timer = clock.after(timeoutMs, () => request.destroy())
  for (const end of ['end', 'close']) request.once(end, () => timer[Symbol.dispose]())
}

function limitTime ({ clock }: RestParts, { raw }: FastifyReply, timeoutMs: number): void {
  const timer = clock.after(timeoutMs, () => raw.destroy())
  raw.once('close', () => timer[Symbol.dispose]())
}
