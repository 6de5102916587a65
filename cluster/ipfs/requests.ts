import { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import { ClusterError } from '../api/errors.ts'
import { abortable } from '../async/abortable.ts'
import { deadline } from '../async/deadline.ts'
import { urlOf } from '../config/endpoint.ts'
import type { Endpoint } from '../config/endpoint.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions } from '../ports.ts'
import { createAwayGate } from './away-gate.ts'
import { kuboErrorOf, readText, throwStreamError } from './kubo-reply.ts'

/** More requests than this wait for one that ends; long pins are few, see `concurrent_pins`. */
const connectionsMax = 256
const connectTimeoutMs = 10_000
const headerBytesMax = 1 << 20
const answerBytesMax = 16 << 20

export interface DaemonRequest extends AbortOptions {
  /** In this order; a repeated name is several arguments. */
  readonly query?: Iterable<readonly [string, string]>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is pulled, at the daemon's pace. */
  readonly body?: AsyncIterable<Uint8Array> | Uint8Array
  /** For the answer as a whole; 0 or absent is no limit. */
  readonly timeoutMs?: number
}

export interface DaemonReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /**
   * To be read to its end or left early, never forgotten: until then it holds a connection. Reading it to the end throws what the
   * daemon said in the trailer `X-Stream-Error`, so nobody takes half an answer for a whole one.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** As they came; empty until the body has been read. */
  trailers (): Readonly<Record<string, string | string[] | undefined>>
}

/** HTTP to one daemon's `/api/v0`. */
export interface Requests extends AsyncDisposable {
  /**
   * Resolves with the first bytes of a 200. `path` is the command: `pin/add`.
   *
   * @throws KuboRepliedError for every other status; ClusterError ERR_IPFS_UNREACHABLE, ERR_TIMEOUT; the signal's reason
   */
  post (path: string, request: DaemonRequest): Promise<DaemonReply>
  /** The same for answers that are one JSON value. */
  json<T> (path: string, request: DaemonRequest): Promise<T>
}

export interface RequestsConfig {
  readonly endpoint: Endpoint
  /** `basic:user:password` or `bearer:token`. */
  readonly apiAuth: string | undefined
}

export function createRequests ({ clock }: { readonly clock: Clock }, { endpoint, apiAuth }: RequestsConfig): Requests {
  const pool = new Pool(endpoint.kind === 'unix' ? 'http://localhost' : urlOf(endpoint), {
    connections: connectionsMax,
    pipelining: 1,
    allowH2: false, // Kubo's trailers and full duplex are HTTP/1.1's
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: headerBytesMax,
    connect: { timeout: connectTimeoutMs, ...endpoint.kind === 'unix' && { socketPath: endpoint.path } }
  })
  const authorization = authorizationOf(apiAuth)
  const gate = createAwayGate(clock, async signal => {
    const { body } = await exchange('version', { signal })
    await body.dump()
  })

  async function exchange (path: string, { query, headers, body, signal }: DaemonRequest): Promise<Dispatcher.ResponseData> {
    const search = query === undefined ? '' : `?${new URLSearchParams([...query].map(([name, value]): [string, string] => [name, value]))}`
    // undici takes async iterables, its types only Node's streams
    const options = { method: 'POST', path: `/api/v0/${path}${search}`, headers: { ...authorization, ...headers }, body: (body ?? null) as Buffer | null, signal } as const
    try {
      const response = await abortable(pool.request(options), signal) // undici itself notices an abort only once the request has a connection
      gate.reached()
      return response
    } catch (err) {
      signal.throwIfAborted()
      gate.missed()
      throw new ClusterError('ERR_IPFS_UNREACHABLE', `cannot reach the IPFS daemon at ${endpoint.multiaddr}: ${textOf(err)}`, { cause: err })
    }
  }

  async function post (path: string, request: DaemonRequest): Promise<DaemonReply> {
    request.signal.throwIfAborted()
    using stack = new DisposableStack()
    const limit = stack.use(deadline(clock, request.timeoutMs ?? 0, path, request.signal))
    await gate.opened(limit.signal)
    const { statusCode: status, headers, trailers, body } = await exchange(path, { ...request, signal: limit.signal })
    const held = stack.move()
    const wholeBody = readWhole(body, limit.signal, () => trailers, held)
    if (status !== 200) throw await kuboErrorOf(status, wholeBody)
    return { status, headers, body: wholeBody, trailers: () => trailers }
  }

  return {
    post,
    async json<T> (path: string, request: DaemonRequest) {
      const { body } = await post(path, request)
      return JSON.parse(await readText(body, answerBytesMax)) as T
    },
    async [Symbol.asyncDispose] () {
      gate[Symbol.dispose]()
      await pool.destroy(new ClusterError('ERR_IPFS_UNREACHABLE', 'the connection to the IPFS daemon was closed'))
    }
  }
}

async function * readWhole (body: AsyncIterable<Uint8Array>, signal: AbortSignal, trailers: () => Record<string, string | string[] | undefined>, held: Disposable): AsyncGenerator<Uint8Array, void, undefined> {
  using _held = held
  try {
    yield * body
  } catch (err) {
    signal.throwIfAborted()
    throw new ClusterError('ERR_IPFS_UNREACHABLE', `the IPFS daemon broke off its answer: ${textOf(err)}`, { cause: err })
  }
  throwStreamError(trailers())
}

function authorizationOf (apiAuth: string | undefined): Record<string, string> {
  if (apiAuth === undefined) return {}
  const [, kind, secret = ''] = /^(basic|bearer):(.*)$/s.exec(apiAuth) ?? []
  return { authorization: kind === 'basic' ? `Basic ${Buffer.from(secret).toString('base64')}` : `Bearer ${secret}` }
}

/** Node gathers the tries of both address families in one error without a text of its own. */
function textOf (err: unknown): string {
  if (err instanceof AggregateError && err.message === '') return err.errors.map(textOf).join(', ')
  return err instanceof Error ? err.message : String(err)
}
