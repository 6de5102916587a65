import type { Readable } from 'node:stream'
import type { AbortOptions } from '../cluster/ports.ts'
import { ClusterError, KuboRepliedError } from '../cluster/api/errors.ts'
import { toGoBytes } from '../cluster/api/kubo/go-text.ts'
import type { DaemonLink } from './daemon-link.ts'
import type { RawHeaders } from './headers.ts'

export type QueryPairs = readonly (readonly [name: string, value: string])[]

export interface DaemonCall extends AbortOptions {
  readonly query?: QueryPairs
  readonly headers?: RawHeaders
  readonly body?: Readable
  /** Whose credentials go along: the proxy's own, or only those among `headers`. */
  readonly as?: 'proxy' | 'caller'
}

export interface DaemonAnswer {
  readonly status: number
  readonly headers: RawHeaders
  readonly body: Readable
  /** Of the trailer `X-Stream-Error`, known once the body has ended. */
  streamError (): string | undefined
}

/** The proxy's own calls to its daemon. Not for what passes through. */
export interface DaemonCalls {
  /** Whatever it answers, also a refusal. @throws ClusterError ERR_IPFS_UNREACHABLE */
  send (command: string, call: DaemonCall): Promise<DaemonAnswer>
  /** The whole answer of a single-value command. @throws KuboRepliedError with the daemon's own text */
  value (command: string, call: DaemonCall): Promise<unknown>
  /** The values of a streamed answer, as they come. @throws KuboRepliedError, also in the middle */
  values (command: string, call: DaemonCall): AsyncGenerator<unknown, void, undefined>
}

export function createDaemonCalls ({ daemon }: { readonly daemon: DaemonLink }, { auth }: { readonly auth: string | undefined }): DaemonCalls {
  const own = auth === undefined ? [] : ['Authorization', authorizationOf(auth)]

  const send: DaemonCalls['send'] = async (command, { query = [], headers = [], body, as = 'proxy', signal }) => {
    signal.throwIfAborted()
    try {
      const answer = await daemon.pool.request({
        method: 'POST',
        path: `/api/v0/${command}${queryText(query)}`,
        headers: [...headers, ...as === 'proxy' ? own : []],
        body: body ?? null,
        signal,
        responseHeaders: 'raw'
      })
      return {
        status: answer.statusCode,
        headers: answer.headers as unknown as string[],
        body: answer.body,
        streamError: () => trailerText(answer.trailers as Readonly<Record<string, unknown>>)
      }
    } catch (err) {
      signal.throwIfAborted()
      throw new ClusterError('ERR_IPFS_UNREACHABLE', `the IPFS daemon at ${daemon.address} cannot be reached: ${(err as Error).message}`, { cause: err })
    }
  }

  async function * values (command: string, call: DaemonCall): AsyncGenerator<unknown, void, undefined> {
    const answer = await send(command, call)
    if (answer.status !== 200) throw await refusal(answer)
    yield * jsonLines(answer.body)
    const error = answer.streamError()
    if (error !== undefined) throw new KuboRepliedError(error, { status: 200, kuboCode: 0 })
  }

  return {
    send,
    values,
    async value (command, call) {
      const answer = await send(command, call)
      if (answer.status !== 200) throw await refusal(answer)
      return parseExact(await textOf(answer.body))
    }
  }
}

/** Every way the daemon says no, as one error with the text it gave. */
export async function refusal ({ status, body }: DaemonAnswer): Promise<KuboRepliedError> {
  const text = await textOf(body)
  try {
    const { Message, Code } = JSON.parse(text) as { Message: string, Code: number }
    if (typeof Message === 'string') return new KuboRepliedError(Message, { status, kuboCode: Number(Code) })
  } catch { /* the refusals of the layers before a command are plain text */ }
  return new KuboRepliedError(text.replace(/\n$/, ''), { status, kuboCode: 0 })
}

/** As Go's `json.Decoder` would read the stream, one value a line. A line cannot be longer than `lineBytesMax`. */
export async function * jsonLines (body: AsyncIterable<Buffer>): AsyncGenerator<unknown, void, undefined> {
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  for await (const chunk of body) {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10)) {
      if (at > 0) yield parseExact(data.toString('utf8', 0, at))
      data = data.subarray(at + 1)
    }
    if (data.length > lineBytesMax) throw new ClusterError('ERR_IPFS_REPLIED', `the IPFS daemon sent a line of more than ${lineBytesMax} bytes`)
    rest = data
  }
  if (rest.length > 0) yield parseExact(rest.toString('utf8'))
}

/** JSON with its integers whole: what does not fit a double comes as a `bigint`. */
export function parseExact (text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text) // most lines hold no such number, and asking for each value is slow
  return JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '') ? BigInt(context!.source!) : value)
}

export function queryText (pairs: QueryPairs): string {
  return pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${escapeQuery(name)}=${escapeQuery(value)}`).join('&')}`
}

export async function textOf (body: AsyncIterable<Buffer>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString('utf8')
}

/** `basic:user:password`, `basic:<base64>` or `bearer:token`, as in Kubo's `API.Authorizations`. */
export function authorizationOf (auth: string): string {
  if (auth.startsWith('bearer:')) return `Bearer ${auth.slice('bearer:'.length)}`
  const credentials = auth.slice('basic:'.length)
  return `Basic ${credentials.includes(':') ? Buffer.from(credentials).toString('base64') : credentials}`
}

const lineBytesMax = 16 << 20
const safe = /^[A-Za-z0-9_.~/-]*$/
const escapeQuery = (text: string): string => safe.test(text) ? text
  : Array.from(toGoBytes(text), byte => safe.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('')

function trailerText (trailers: Readonly<Record<string, unknown>>): string | undefined {
  const text = trailers['x-stream-error']
  return typeof text === 'string' && text !== '' ? Buffer.from(text, 'latin1').toString('utf8') : undefined
}
