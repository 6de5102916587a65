import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { finished } from 'node:stream/promises'
import { parseEndpoint } from '../../cluster/config/endpoint.ts'
import type { Endpoint } from '../../cluster/config/endpoint.ts'

/** What the API answered with, or, with code 0, why there was no answer: then another host may be tried. */
export class ApiError extends Error {
  readonly code: number

  constructor (code: number, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

export interface ClientOptions {
  /** Tried in this order until one answers. */
  readonly hosts: readonly Endpoint[]
  readonly isSecure: boolean
  readonly isCertificateChecked: boolean
  readonly credentials: string | undefined
  readonly signal: AbortSignal
  /** Told of each request, for `--debug`. */
  readonly trace: (line: string) => void
}

/** Not imported: an import reads every export of node:http, among them its WebSocket, which loads a whole client that is not needed. */
const { request: httpRequest } = process.getBuiltinModule('node:http')

export interface Upload { readonly contentType: string, readonly body: () => AsyncIterable<Uint8Array> }

export interface Client {
  one (method: string, path: string): Promise<unknown>
  /** Objects as they arrive; an error in the trailer is thrown after the last. */
  lines (method: string, path: string, upload?: Upload): AsyncIterable<unknown>
}

/** @throws Error for an address that is not spoken to over HTTP */
export function parseHosts (text: string): readonly Endpoint[] {
  return text.split(',').map(address => {
    if (address.includes('/p2p/') || address.startsWith('/dnsaddr/')) throw new Error(`${address}: HTTP over libp2p is not supported; name the peer's HTTP address`)
    return parseEndpoint(/^\/(ip4|ip6|dns4?|dns6)\/[^/]+$/.test(address) ? `${address}/tcp/9094` : address)
  })
}

export function createClient (options: ClientOptions): Client {
  const { hosts, trace } = options

  const answer = async (method: string, path: string, upload?: Upload): Promise<IncomingMessage> => {
    let failure: unknown
    for (const host of hosts) {
      trace(`${method} ${host.multiaddr} ${path}`)
      try {
        const response = await send(options, host, method, path, upload)
        if (response.statusCode! >= 400) throw await apiError(response)
        return response
      } catch (err) {
        options.signal.throwIfAborted()
        if (err instanceof ApiError) throw err
        failure = err
      }
    }
    throw new ApiError(0, (failure as Error).message || String((failure as NodeJS.ErrnoException).code))
  }

  return {
    async one (method, path) {
      const text = await textOf(await answer(method, path))
      return text === '' ? undefined : JSON.parse(text)
    },
    async * lines (method, path, upload) {
      const response = await answer(method, path, upload)
      let rest = ''
      response.setEncoding('utf8')
      for await (const chunk of response) {
        const lines = (rest + chunk as string).split('\n')
        rest = lines.pop()!
        for (const line of lines) if (line !== '') yield JSON.parse(line)
      }
      if (rest !== '') yield JSON.parse(rest)
      const message = response.trailers['x-stream-error']
      if (message) throw new ApiError(500, message)
    }
  }
}

async function send ({ isSecure, isCertificateChecked, credentials, signal }: ClientOptions, host: Endpoint, method: string, path: string, upload?: Upload): Promise<IncomingMessage> {
  const isTls = isSecure || (host.kind === 'tcp' && host.secure)
  const headers = { ...credentials !== undefined && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }, ...upload && { 'content-type': upload.contentType } }
  const where: RequestOptions = host.kind === 'unix' ? { socketPath: host.path, host: 'localhost' } : { host: host.host, port: host.port }
  const request = (isTls ? process.getBuiltinModule('node:https').request : httpRequest)({ ...where, method, path, headers, signal, ...isTls && { rejectUnauthorized: isCertificateChecked } } as RequestOptions)

  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request.once('response', resolve).on('error', reject)
  if (upload === undefined) request.end()
  else pour(upload.body(), request).catch(reject)
  return await promise
}

async function pour (body: AsyncIterable<Uint8Array>, request: ClientRequest): Promise<void> {
  for await (const bytes of body) {
    if (request.destroyed) return
    if (!request.write(bytes)) await Promise.race([new Promise(resolve => request.once('drain', resolve)), finished(request).catch(() => {})])
  }
  request.end()
}

async function apiError (response: IncomingMessage): Promise<ApiError> {
  const text = await textOf(response)
  try {
    const { code, message } = JSON.parse(text) as { code: number, message: string }
    return new ApiError(code, message)
  } catch {
    return new ApiError(response.statusCode!, text.trim() || response.statusMessage || 'no reason given')
  }
}

async function textOf (response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
