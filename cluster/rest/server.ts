import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import { fastify } from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { ClusterError } from '../api/errors.ts'
import { urlOf } from '../config/endpoint.ts'
import type { Endpoint } from '../config/endpoint.ts'
import type { Component } from '../ports.ts'
import { sendAnswer, sendError } from './answer.ts'
import type { RestConfig } from './config.ts'
import { createGuard } from './guard.ts'
import { createPeerDirectory } from './peer-details.ts'
import { listening } from './listening.ts'
import { RefusedError } from './rest-error.ts'
import type { RestParts } from './route.ts'
import { routes } from './routes.ts'
import { createUsers, UnauthorizedError } from './users.ts'
import type { Users } from './users.ts'

/** How long requests in flight may take to end when the door closes, before their signals abort. */
const graceMs = 2_000
/** For what is then still to be said; after it connections are closed, whatever they are at. */
const lastWordMs = 500
/** Go's servers allow so much above the configured limit. */
const headerSlackBytes = 4_096

export interface Rest extends Component {
  /** Where it listens, once started. */
  readonly addresses: readonly Endpoint[]
}

/**
 * ipfs-cluster's REST API on each of the configured addresses.
 *
 * @param folder what `ssl_cert_file` and `ssl_key_file` are relative to
 */
export function createRest (parts: RestParts, config: RestConfig, folder: string): Rest {
  const addresses: Endpoint[] = []
  const closing = new AbortController()
  const doors = new AsyncDisposableStack()
  const { details } = createPeerDirectory(parts)
  const users = config.basicAuthCredentials === undefined ? undefined : createUsers(config.basicAuthCredentials, parts.clock)
  let inFlight = 0
  const apps: FastifyInstance[] = []
  let onIdle = (): void => {}

  const serve = (app: FastifyInstance, endpoint: Endpoint): void => {
    const guard = createGuard(config, users, endpoint)
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => { done(null) }) // bodies are for handlers to pull
    app.addHook('onRequest', async (request, reply) => {
      inFlight++
      parts.log.debug('a request', { method: request.method, path: request.url.split('?')[0] })
      reply.raw.once('close', () => {
        if (--inFlight === 0) onIdle()
      })
      if (config.writeTimeout > 0) limitTime(parts, reply, config.writeTimeout)
      reply.headers(guard.headersFor(request.raw))
      guard.admit(request.raw)
    })
    app.options('*', async (request, reply) => await reply.code(204).headers(guard.preflight(request.raw)).send())
    for (const { method, path, serve } of routes) {
      app.route({
        method,
        url: path,
        handler: async (request, reply) => {
          const signal = AbortSignal.any([goneSignal(reply), closing.signal])
          const path = request.params as Record<string, string>
          await sendAnswer(reply, await serve({ ...parts, details, token: () => tokenOf(users, request.raw), path, search: request.query as URLSearchParams, request: request.raw, signal }), signal)
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

  return {
    name: 'rest',
    addresses,
    async start () {
      const tls = await certificateOf(config, folder)
      await using opened = new AsyncDisposableStack()
      for (const endpoint of config.httpListenMultiaddress) {
        const app = createApp(config, tls)
        serve(app, endpoint)
        opened.defer(() => app.close())
        apps.push(app)
        addresses.push(await listening(app, endpoint, 'api.restapi.http_listen_multiaddress'))
      }
      doors.use(opened.move())
      parts.log.info('the REST API is open', { addresses: addresses.map(urlOf) })
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
      using _cut = parts.clock.after(lastWordMs, () => { for (const { server } of apps) server.closeAllConnections() })
      await closed
    }
  }
}

function createApp (config: RestConfig, tls: Certificate | undefined): FastifyInstance {
  const limits = {
    maxHeaderSize: config.maxHeaderBytes + headerSlackBytes,
    requestTimeout: config.readTimeout,
    headersTimeout: config.readHeaderTimeout,
    keepAliveTimeout: config.idleTimeout
  }
  const options = {
    exposeHeadRoutes: false,
    clientErrorHandler: (err: NodeJS.ErrnoException, socket: Duplex) => { answerUnreadable(err, socket, config) },
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false,
    requestTimeout: config.readTimeout,
    keepAliveTimeout: config.idleTimeout,
    routerOptions: { querystringParser: (text: string) => new URLSearchParams(text) as unknown as Record<string, unknown> }
  }
  return (tls === undefined ? fastify({ ...options, http: limits }) : fastify({ ...options, https: { ...limits, ...tls } })) as unknown as FastifyInstance
}

function tokenOf (users: Users | undefined, request: IncomingMessage): string {
  if (users === undefined) throw new UnauthorizedError('unauthorized', [])
  return users.token(users.authorize(request))
}

/** What could not be read as a request. */
function answerUnreadable ({ code }: NodeJS.ErrnoException, socket: Duplex, { maxHeaderBytes }: RestConfig): void {
  if (code === 'ECONNRESET' || socket.destroyed) return
  const [status, message] = code === 'HPE_HEADER_OVERFLOW'
    ? ['431 Request Header Fields Too Large', `the request's address and headers are longer than ${maxHeaderBytes + headerSlackBytes} bytes; see api.restapi.max_header_bytes`]
    : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? ['408 Request Timeout', 'the request did not arrive in time'] : ['400 Bad Request', 'not an HTTP request']
  const body = `${JSON.stringify({ code: Number(status!.slice(0, 3)), message })}\n`
  if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
  socket.end()
}

/** Aborts when the client goes away before it has its whole answer. Fastify's own signal fires once an upload has been read. */
function goneSignal ({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort(new Error('client went away'))
  })
  return controller.signal
}

function limitTime ({ clock }: RestParts, { raw }: FastifyReply, timeoutMs: number): void {
  const timer = clock.after(timeoutMs, () => raw.destroy())
  raw.once('close', () => timer[Symbol.dispose]())
}

/** A path that ends in "/" is sent on to the one without, as in ipfs-cluster; so is 405 for one that is there with another method. */
async function notFound ({ method = '', url = '/' }: IncomingMessage, reply: FastifyReply): Promise<void> {
  const [path = '/', query] = url.split('?', 2)
  const bare = `/${path.replace(/^\/+/, '').replace(/\/+$/, '')}`
  if (path.endsWith('/') && path !== '/') return await reply.redirect(query === undefined ? bare : `${bare}?${query}`, 307)
  const allowed = methodsOf(path)
  if (allowed.length === 0) return await sendError(reply, new RefusedError(404, 'not found'))
  await sendError(reply.header('allow', allowed.join(', ')), new RefusedError(405, `${method} is not a method of this path: expected ${allowed.join(' or ')}`))
}

const patterns = routes.map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`) }))

function methodsOf (path: string): readonly string[] {
  return [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))]
}

interface Certificate { readonly cert: Buffer, readonly key: Buffer, readonly minVersion: 'TLSv1.2' }

/** @throws ClusterError ERR_INVALID_ARGUMENT when the files cannot be read, or are no certificate and its key */
async function certificateOf ({ sslCertFile, sslKeyFile }: RestConfig, folder: string): Promise<Certificate | undefined> {
  if (sslCertFile === undefined || sslKeyFile === undefined) return undefined
  const certificate = { cert: await pem(folder, sslCertFile), key: await pem(folder, sslKeyFile), minVersion: 'TLSv1.2' } as const
  try {
    createSecureContext(certificate)
    return certificate
  } catch (err) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `api.restapi: ssl_cert_file, ssl_key_file: expected a certificate and its key: ${(err as Error).message}`, { cause: err })
  }
}

async function pem (folder: string, file: string): Promise<Buffer> {
  try {
    return await readFile(resolve(folder, file))
  } catch (err) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `api.restapi: cannot read ${file}: ${(err as Error).message}`, { cause: err })
  }
}
