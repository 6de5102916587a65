import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { fastify } from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { sendError } from './answer.ts'
import type { Certificate } from './certificate.ts'
import type { RestConfig } from './config.ts'
import { answerPlainHttp } from './plain-http.ts'
import { refusalText } from './refusal-text.ts'
import { RefusedError } from './rest-error.ts'

/** Go's servers allow so much above the configured limit. */
const headerSlackBytes = 4_096

/** As Go's server allows. */
const streamsPerConnectionMax = 250
/** How far an upload over HTTP/2 may be ahead of who reads it. */
const http2WindowBytes = 1024 * 1024

/** An HTTP server that listens nowhere yet and has no routes: its limits are the configuration's. With a certificate it speaks HTTP/2 too. */
export function createApp (config: RestConfig, tls: Certificate | undefined, clock: Clock): FastifyInstance {
  const limits = {
    maxHeaderSize: config.maxHeaderBytes + headerSlackBytes,
    requestTimeout: config.readTimeout,
    headersTimeout: config.readHeaderTimeout,
    keepAliveTimeout: config.idleTimeout
  }
  const options = {
    exposeHeadRoutes: false,
    frameworkErrors: (err: Error, _request: FastifyRequest, reply: FastifyReply) => { void sendError(reply, new RefusedError(400, `not a path: ${err.message}`)) },
    clientErrorHandler: (err: NodeJS.ErrnoException, socket: Duplex) => { answerUnreadable(err, socket, config) },
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false,
    requestTimeout: config.readTimeout,
    keepAliveTimeout: config.idleTimeout,
    routerOptions: { maxParamLength: limits.maxHeaderSize, querystringParser: (text: string) => new URLSearchParams(text) as unknown as Record<string, unknown> }
  }
  if (tls === undefined) return fastify({ ...options, http: limits }) as unknown as FastifyInstance

  const settings = { maxConcurrentStreams: streamsPerConnectionMax, maxHeaderListSize: limits.maxHeaderSize, initialWindowSize: http2WindowBytes }
  const app = fastify({ ...options as object, http2: true, http2SessionTimeout: config.idleTimeout, https: { ...tls, allowHTTP1: true, settings } })
  answerPlainHttp(app.server, clock)
  Object.assign(app.server, limits) // of those who speak HTTP/1.1 with it: it takes none of them as an option
  app.server.on('session', session => { session.setLocalWindowSize(http2WindowBytes) })
  return app as unknown as FastifyInstance
}

/** What could not be read as a request. */
function answerUnreadable ({ code }: NodeJS.ErrnoException, socket: Duplex, { maxHeaderBytes }: RestConfig): void {
  const isAnswered = (socket as { _httpMessage?: ServerResponse })._httpMessage?.headersSent ?? false // what Node's own handler looks at
  if (code === 'ECONNRESET' || isAnswered || !socket.writable) return void socket.destroy()
  const [status, message] = code === 'HPE_HEADER_OVERFLOW'
    ? ['431 Request Header Fields Too Large', `the request's address and headers are longer than ${maxHeaderBytes + headerSlackBytes} bytes; see api.restapi.max_header_bytes`]
    : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? ['408 Request Timeout', 'the request did not arrive in time'] : ['400 Bad Request', 'not an HTTP request']
  socket.end(refusalText(status!, message!))
}
