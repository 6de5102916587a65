import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { Agent, request as requestHttp } from 'node:http'
import type { ClientRequest, RequestOptions } from 'node:http'
import { Agent as SecureAgent, request as requestHttps } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { Pool } from 'undici'
import { urlOf } from '../cluster/config/endpoint.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'

/** Go's default limit for a request head, and the slop it allows. The client side needs it too: answers can carry long trailers. */
export const headBytesMax = (1 << 20) + 4096

/** The ways to the daemon: kept connections for nearly everything, and bare ones for what no HTTP client can say. */
export interface DaemonLink {
  readonly pool: Pool
  /** For messages. */
  readonly address: string
  /** For the `Host` header. */
  readonly host: string
  /** The port the daemon most likely listens on, by which it knows its own origins; `undefined` behind a unix socket. */
  readonly port: number | undefined
  /** A request over node:http, for uploads. */
  request (options: RequestOptions): ClientRequest
  /** A bare connection, for requests that are relayed byte by byte. */
  connect (): Socket
  /**
   * The same, reading into one buffer again and again: `read` is handed what came and answers whether to go on at once; if not,
   * `resume` does. `undefined` where that cannot be had (TLS).
   */
  connectReading (buffer: Buffer, read: (bytes: Buffer) => boolean): Socket | undefined
  /** Calls `listener` whenever a connection to the daemon ends: it may have been restarted with another configuration. */
  onDisconnect (listener: () => void): void
  close (): Promise<void>
}

export function createDaemonLink (node: Endpoint, { https = false }: { https?: boolean } = {}): DaemonLink {
  const endpoint = node.kind === 'tcp' && https ? { ...node, secure: true } : node
  const origin = endpoint.kind === 'unix' ? 'http://localhost' : urlOf(endpoint)
  const secure = endpoint.kind === 'tcp' && endpoint.secure
  const where = endpoint.kind === 'unix' ? { socketPath: endpoint.path } : { host: endpoint.host, port: endpoint.port }
  const pool = new Pool(origin, {
    connections: null,
    pipelining: 1,
    allowH2: false,
    // Kubo has no timeouts of its own: uploads, pins and endless answers last as long as they last.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keptMs,
    keepAliveMaxTimeout: keptMs,
    maxHeaderSize: headBytesMax,
    connect: { timeout: connectTimeoutMs, ...endpoint.kind === 'unix' ? { socketPath: endpoint.path } : {} }
  })
  const agent = new (secure ? SecureAgent : Agent)({ keepAlive: true })
  return {
    pool,
    address: urlOf(endpoint),
    host: new URL(origin).host,
    port: endpoint.kind === 'tcp' ? endpoint.port : undefined,
    request (options) {
      const request = (secure ? requestHttps : requestHttp)({ ...where, ...options, agent, maxHeaderSize: headBytesMax })
      return request.once('socket', socket => {
        if (!socket.connecting) return
        socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('connect timed out')))
        socket.once('connect', () => socket.setTimeout(0))
      })
    },
    connect () {
      if (endpoint.kind === 'unix') return connectTcp(endpoint.path)
      const { host, port } = endpoint
      return secure ? connectTls({ host, port, ALPNProtocols: ['http/1.1'], ...isName(host) ? { servername: host } : {} }) : connectTcp({ host, port })
    },
    connectReading (buffer, read) {
      if (secure) return undefined
      const onread = { buffer, callback: (length: number): boolean => read(buffer.subarray(0, length)) }
      return connectTcp(endpoint.kind === 'unix' ? { path: endpoint.path, onread } : { host: endpoint.host, port: endpoint.port, onread })
    },
    onDisconnect (listener) {
      pool.on('disconnect', listener)
      pool.on('connectionError', listener)
    },
    async close () {
      agent.destroy()
      await pool.destroy()
    }
  }
}

const keptMs = 600_000
const connectTimeoutMs = 10_000
const isName = (host: string): boolean => !host.includes(':') && !/^[\d.]+$/.test(host)
