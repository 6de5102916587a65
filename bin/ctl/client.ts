import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Duplex } from 'node:stream'
import { UsageError } from '../args.ts'
import type { HttpDialer } from '../../cluster/peers/http-dial.ts'
import type { Host } from './hosts.ts'
import { parseJson } from './json.ts'

/** What the API answered with, or, with code 0, why there was no answer: then another host may be tried. */
export class ApiError extends Error {
  readonly code: number

  constructor (code: number, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

/** What was asked for took longer than it may. */
export class TimeoutError extends Error {}

export interface ClientOptions {
  /** Tried in this order until one answers. */
  readonly hosts: readonly Host[]
  readonly isSecure: boolean
  readonly isCertificateChecked: boolean
  readonly credentials: string | undefined
  /** For one request, from its first byte to its answer's last; 0 is without end. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** How a host is reached over libp2p; made when the first such is asked. */
  readonly dialer: () => Promise<HttpDialer>
  /** Told of each request, for `--debug`. */
  readonly trace: (line: string) => void
}

export interface Upload { readonly contentType: string, readonly body: () => AsyncIterable<Uint8Array> }

export interface Client {
  one (method: string, path: string, upload?: Upload): Promise<unknown>
  /** Objects as they arrive; an error in the trailer is thrown after the last. */
  lines (method: string, path: string, upload?: Upload): AsyncIterable<unknown>
}

/** Not imported: an import reads every export of node:http, among them its WebSocket, which loads a whole client that is not needed. */
const { request: httpRequest } = process.getBuiltinModule('node:http')

interface Reply { readonly response: IncomingMessage, readonly deadline: AbortSignal | undefined }

export function createClient (options: ClientOptions): Client {
  const { hosts, trace, timeoutMs } = options

  const answer = async (method: string, path: string, upload?: Upload): Promise<Reply> => {
    let failure: Error | undefined
    for (const host of hosts) {
      trace(`${method} ${host.multiaddr} ${path}`)
      const deadline = timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined
      try {
        const response = await send(options, host, deadline, { method, path, upload })
        trace(`answered with ${response.statusCode}`)
        if (response.statusCode! >= 400) throw await apiError(response)
        return { response, deadline }
      } catch (err) {
        options.signal.throwIfAborted()
        if (err instanceof ApiError || err instanceof UsageError) throw err
        failure = deadline?.aborted === true ? tooLate(timeoutMs) : new ApiError(0, whyNot(err as NodeJS.ErrnoException, host))
      }
    }
    throw failure!
  }

  /** What ends an answer early is told as what it is. */
  const reading = async function * ({ response, deadline }: Reply): AsyncGenerator<string> {
    response.setEncoding('utf8')
    try {
      yield * response as AsyncIterable<string>
    } catch (err) {
      options.signal.throwIfAborted()
      throw deadline?.aborted === true ? tooLate(timeoutMs) : new Error(`the answer was cut short: ${(err as Error).message}`)
    }
  }

  return {
    async one (method, path, upload) {
      const text = (await Array.fromAsync(reading(await answer(method, path, upload)))).join('')
      return text === '' ? undefined : parseJson(text)
    },
    async * lines (method, path, upload) {
      const reply = await answer(method, path, upload)
      let rest = ''
      for await (const chunk of reading(reply)) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop()!
        for (const line of lines) if (line !== '') yield parseJson(line)
      }
      if (rest !== '') yield parseJson(rest)
      const message = reply.response.trailers['x-stream-error']
      if (message) throw new ApiError(500, message)
    }
  }
}

interface Question { readonly method: string, readonly path: string, readonly upload: Upload | undefined }

async function send (options: ClientOptions, host: Host, deadline: AbortSignal | undefined, { method, path, upload }: Question): Promise<IncomingMessage> {
  const { credentials, isCertificateChecked } = options
  const signal = deadline === undefined ? options.signal : AbortSignal.any([options.signal, deadline])
  const isTls = host.kind !== 'libp2p' && host.kind !== 'unix' && (options.isSecure || host.secure)
  const headers = { ...credentials !== undefined && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }, ...upload && { 'content-type': upload.contentType } }
  const where = await wayTo(host, options, signal)
  const request = (isTls ? process.getBuiltinModule('node:https').request : httpRequest)({ ...where, method, path, headers, signal, ...isTls && { rejectUnauthorized: isCertificateChecked } } as RequestOptions)

  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request.once('response', resolve).on('error', reject)
  if (upload === undefined) request.end()
  else pour(upload.body(), request).catch(err => { request.destroy(err as Error) })
  return await promise
}

async function wayTo (host: Host, { dialer }: ClientOptions, signal: AbortSignal): Promise<RequestOptions> {
  if (host.kind === 'unix') return { socketPath: host.path, host: 'localhost' }
  if (host.kind === 'tcp') return { host: host.host, port: host.port, ...familyOf(host.multiaddr) }
  const { connect } = await dialer()
  const { connection, peer } = await connect(host.multiaddr, { signal })
  return { host: peer, createConnection: () => connection as Duplex as never }
}

/** `/dns4/` and `/dns6/` say which addresses of a name are meant. */
function familyOf (multiaddr: string): { readonly family?: 4 | 6 } {
  return multiaddr.startsWith('/dns4/') ? { family: 4 } : multiaddr.startsWith('/dns6/') ? { family: 6 } : {}
}

async function pour (body: AsyncIterable<Uint8Array>, request: ClientRequest): Promise<void> {
  for await (const bytes of body) {
    if (request.destroyed) return
    if (!request.write(bytes)) await drained(request)
  }
  request.end()
}

/** Room for more, or nobody there who would take it. */
async function drained (request: ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  request.once('drain', resolve).once('close', resolve)
  await promise
  request.off('drain', resolve).off('close', resolve)
}

async function apiError (response: IncomingMessage): Promise<ApiError> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const { code, message } = errorIn(text)
  return typeof code === 'number' && typeof message === 'string' ? new ApiError(code, message) : new ApiError(response.statusCode!, text.trim() || response.statusMessage || 'no reason given')
}

function errorIn (text: string): { readonly code?: unknown, readonly message?: unknown } {
  try {
    return Object(JSON.parse(text)) as object
  } catch {
    return {}
  }
}

/** With what helps, where it is known. */
function whyNot ({ message, code = '' }: NodeJS.ErrnoException, { multiaddr, kind }: Host): string {
  const why = message || code
  if (kind === 'libp2p') return `${why}; a Go cluster serves its API behind --secret, this one without, on its own libp2p_listen_multiaddress`
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return `${why}; --no-check-certificate takes any certificate`
  if (/wrong version number|packet length too long/i.test(why)) return `${multiaddr} speaks no TLS; with --basic-auth, --force-http goes without`
  return why
}

const tooLate = (timeoutMs: number): TimeoutError => new TimeoutError(`no answer within ${timeoutMs / 1_000} s`)
