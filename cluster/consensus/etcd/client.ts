import { readFile } from 'node:fs/promises'
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { ClusterError } from '../../api/errors.ts'
import { abortable } from '../../async/abortable.ts'
import { deadline } from '../../async/deadline.ts'
import { pause } from '../../async/pause.ts'
import type { Clock } from '../../clock.ts'
import type { AbortOptions } from '../../ports.ts'
import type { EtcdConfig } from './config.ts'
import { EtcdAwayError, EtcdRefusedError, isPassing, isTokenGone } from './errors.ts'
import type { Range, RangeAnswer, Txn, TxnAnswer, WatchAnswer } from './wire.ts'

/** Once all members were asked in vain. */
const roundPauseMs = 100
/** A line of a watch is the events of some revisions, a page a thousand pins. */
const answerBytesMax = 256 << 20
const connectTimeoutMs = 2_000
/** Of requests that no member has got. */
const neverLeft: readonly unknown[] = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']

/** etcd's JSON gateway, whichever of its members answers. All that is asked here may be asked twice: who writes makes sure of that. */
export interface Etcd extends AsyncDisposable {
  /** @throws EtcdRefusedError, EtcdAwayError; ClusterError ERR_INVALID_ARGUMENT when user or password are wrong; the signal's reason */
  call<T> (path: string, body: object, options: AbortOptions): Promise<T>
  range (request: Range, options: AbortOptions): Promise<RangeAnswer>
  txn (request: Txn, options: AbortOptions): Promise<TxnAnswer>
  /** What one member tells, as many answers at a time as have arrived. Each watch asks the member after the one before it. Ends when the member ends it. */
  watch (request: object, options: AbortOptions): AsyncIterable<readonly WatchAnswer[]>
}

export type EtcdClientConfig = Pick<EtcdConfig, 'endpoints' | 'username' | 'password' | 'caFile' | 'certFile' | 'keyFile' | 'requestTimeout' | 'commitTimeout'>

/** @throws ClusterError ERR_INVALID_ARGUMENT when a certificate cannot be read */
export async function createEtcd ({ clock }: { readonly clock: Clock }, config: EtcdClientConfig): Promise<Etcd> {
  const { username, password, requestTimeout, commitTimeout } = config
  const endpoints = config.endpoints.map(endpoint => endpoint.replace(/\/$/, ''))
  const agent = new Agent({ connect: { timeout: connectTimeoutMs, ...await certificates(config) }, headersTimeout: 0, bodyTimeout: 0 })
  let current = 0
  let watched = 0
  let token: Promise<string> | undefined

  async function post (endpoint: string, path: string, body: object, authorization: string | undefined, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const headers = { 'content-type': 'application/json', ...authorization !== undefined && { authorization } }
    const response = await abortable(agent.request({ origin: endpoint, path: `/v3/${path}`, method: 'POST', headers, body: JSON.stringify(body), signal }), signal)
    if (response.statusCode === 200) return response
    throw refusalIn(await response.body.text(), response.statusCode)
  }

  /** One question to one member, and its whole answer. */
  async function ask<T> (endpoint: string, path: string, body: object, authorization: string | undefined, signal: AbortSignal): Promise<T> {
    using limit = deadline(clock, requestTimeout, `etcd at ${endpoint}`, signal)
    const { body: answer } = await post(endpoint, path, body, authorization, limit.signal)
    return JSON.parse(await abortable(textOf(answer), limit.signal)) as T
  }

  async function authenticate (endpoint: string, signal: AbortSignal): Promise<string> {
    try {
      return (await ask<{ readonly token: string }>(endpoint, 'auth/authenticate', { name: username, password }, undefined, signal)).token
    } catch (err) {
      if (!(err instanceof EtcdRefusedError) || isPassing(err)) throw err
      throw new ClusterError('ERR_INVALID_ARGUMENT', `etcd does not know the user ${JSON.stringify(username)} with this password (consensus.etcd.username, password): ${err.message}`, { cause: err })
    }
  }

  async function authorizationFor (endpoint: string, signal: AbortSignal): Promise<string | undefined> {
    if (username === undefined) return undefined
    const asked = token ??= authenticate(endpoint, signal)
    return await asked.catch((err: unknown) => {
      if (token === asked) token = undefined
      throw err
    })
  }

  /** Goes on to the next member until one answers, within the time for all. */
  async function fromAny<T> (path: string, attempt: (endpoint: string, authorization: string | undefined) => Promise<T>, signal: AbortSignal): Promise<T> {
    const untilMs = clock.now() + commitTimeout
    let tokensLost = 0
    let mayHaveReached = false
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted()
      const at = current
      const endpoint = endpoints[at]!
      let used: Promise<string> | undefined
      try {
        const authorization = await authorizationFor(endpoint, signal)
        used = token
        return await attempt(endpoint, authorization)
      } catch (err) {
        signal.throwIfAborted()
        if (err instanceof ClusterError && err.code !== 'ERR_TIMEOUT') throw err
        if (isTokenGone(err) && username !== undefined && tokensLost++ < endpoints.length + 1) {
          if (token === used) token = undefined
          continue
        }
        if (!isPassing(err)) throw withoutUser(err, username)
        mayHaveReached ||= !neverLeft.includes(codeOf(err))
        if (current === at) current = (at + 1) % endpoints.length
        if (clock.now() >= untilMs) throw new EtcdAwayError(`no member of etcd (${endpoints.join(', ')}) answers ${path} in time: ${messageOf(err)}`, { cause: err, mayHaveReached })
        if (tries % endpoints.length === 0) await pause(clock, roundPauseMs, signal)
      }
    }
  }

  async function call<T> (path: string, body: object, { signal }: AbortOptions): Promise<T> {
    return await fromAny(path, async (endpoint, authorization) => await ask<T>(endpoint, path, body, authorization, signal), signal)
  }

  return {
    call,
    range: async (request, options) => await call('kv/range', request, options),
    txn: async (request, options) => await call('kv/txn', request, options),
    async * watch (request, { signal }) {
      const endpoint = endpoints[watched++ % endpoints.length]!
      const { body } = await post(endpoint, 'watch', { create_request: request }, await authorizationFor(endpoint, signal).catch(forgetful), signal)
      yield * answersIn(body)
    },
    async [Symbol.asyncDispose] () { await agent.destroy(new EtcdAwayError('the connection to etcd was closed')) }
  }

  function forgetful (err: unknown): never {
    token = undefined
    throw err
  }
}

/** JSON, a line each; those that came together are given together. */
async function * answersIn (body: AsyncIterable<Uint8Array>): AsyncGenerator<readonly WatchAnswer[], void, undefined> {
  let held: Buffer[] = []
  let heldBytes = 0
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const end = bytes.lastIndexOf('\n')
    if (end === -1) {
      held.push(bytes)
      heldBytes += bytes.length
      if (heldBytes > answerBytesMax) throw new EtcdAwayError(`etcd tells more than ${answerBytesMax} bytes at once`)
      continue
    }
    const lines = Buffer.concat([...held, bytes.subarray(0, end)]).toString('utf8').split('\n')
    held = [bytes.subarray(end + 1)]
    heldBytes = bytes.length - end - 1
    yield lines.filter(line => line !== '').map(answerIn)
  }
}

function answerIn (line: string): WatchAnswer {
  const { result, error } = JSON.parse(line) as { readonly result?: WatchAnswer, readonly error?: { readonly grpc_code?: number, readonly code?: number, readonly message?: string } }
  if (result !== undefined) return result
  throw new EtcdRefusedError(error?.grpc_code ?? error?.code ?? 0, error?.message ?? 'the watch ended')
}

function refusalIn (text: string, status: number): Error {
  try {
    const { code, error, message } = JSON.parse(text) as { readonly code?: number, readonly error?: string, readonly message?: string }
    if (typeof code === 'number') return new EtcdRefusedError(code, message ?? error ?? `status ${status}`)
  } catch {} // no JSON: not etcd, or something before it
  return new EtcdAwayError(`status ${status}: ${text.slice(0, 200)}`)
}

async function textOf (body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > answerBytesMax) throw new EtcdAwayError(`etcd answers with more than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function certificates ({ caFile, certFile, keyFile }: EtcdClientConfig): Promise<{ readonly ca?: Buffer, readonly cert?: Buffer, readonly key?: Buffer }> {
  const given = Object.entries({ ca: caFile, cert: certFile, key: keyFile }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(await Promise.all(given.map(async ([name, path]) => {
    try {
      return [name, await readFile(path)] as const
    } catch (err) {
      throw new ClusterError('ERR_INVALID_ARGUMENT', `consensus.etcd.${name}_file: cannot be read: ${(err as Error).message}`, { cause: err })
    }
  })))
}

function withoutUser (err: unknown, username: string | undefined): unknown {
  if (username !== undefined || !isTokenGone(err)) return err
  return new ClusterError('ERR_INVALID_ARGUMENT', `etcd asks for a user and a password: set consensus.etcd.username and password (${messageOf(err)})`, { cause: err })
}

const codeOf = (err: unknown): unknown => err instanceof AggregateError ? codeOf(err.errors[0]) : (err as { readonly code?: unknown }).code

/** Node gathers the tries of both address families in one error without a text of its own. */
function messageOf (err: unknown): string {
  if (err instanceof AggregateError && err.message === '') return err.errors.map(messageOf).join(', ')
  return err instanceof Error ? err.message : String(err)
}
