import { ClusterClientError } from './errors.ts'
import { jsonLines } from './lines.ts'
import { shapes } from './shapes.ts'
import type { Upload } from './multipart.ts'
import type { Operations } from './operations.ts'

export type OperationName = keyof Operations
export type QueryOf<K extends OperationName> = Operations[K]['query']
export type AnswerOf<K extends OperationName> = Operations[K]['answer']

export interface CallOptions {
  /** Gives the call up: it fails with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface ClientOptions {
  /** Where the REST API is: `http://127.0.0.1:9094`. A user and a password in it are sent as Basic Authorization. */
  readonly url?: string | URL
  readonly credentials?: { readonly user: string, readonly password: string } | { readonly token: string }
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>
  /** In place of the global one: say, with another dispatcher, as Node's gives an answer up that takes five minutes to begin. */
  readonly fetch?: typeof fetch
}

/** What goes into one call besides its name. */
export interface Call extends CallOptions {
  /** What stands for the names in the path; slashes stay what they are. */
  readonly path?: Readonly<Record<string, string>>
  /** In camel case, or as the API spells it. */
  readonly query?: object
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** What to send, and for how long. */
  readonly upload?: (signal: AbortSignal) => Upload
}

/** Calls the API by its own table of operations. */
export interface Caller {
  /** @throws ClusterClientError */
  value<K extends OperationName> (name: K, call: Call): Promise<AnswerOf<K>>
  /** Asks once somebody iterates. @throws ClusterClientError */
  lines<K extends OperationName> (name: K, call: Call): AsyncGenerator<AnswerOf<K>, void, undefined>
}

export function createCaller ({ url = 'http://127.0.0.1:9094', credentials, headers = {}, fetch: send = fetch }: ClientOptions): Caller {
  const base = new URL(url)
  const authorization = authorizationOf(credentials ?? credentialsIn(base))
  base.username = base.password = ''
  const root = base.href.replace(/\/*(\?.*)?$/, '')

  /** @param signal also ends what of the answer is still to come */
  async function answered (name: OperationName, { path = {}, query = {}, metadata = {}, upload }: Call, signal: AbortSignal): Promise<Response> {
    const [method = '', template = ''] = name.split(' ')
    const target = template.replace(/\{(\w+)\}/g, (_, step: string) => encodeURIComponent(path[step]!).replaceAll('%2F', '/'))
    const search = searchOf({ ...query, ...shapes[name] === 'lines' && { 'stream-error': 'line' } }, metadata)
    signal.throwIfAborted()
    const sent = upload?.(signal)
    const response = await send(`${root}${target}${search}`, {
      method,
      headers: { ...authorization !== undefined && { authorization }, ...sent !== undefined && { 'content-type': sent.type }, ...headers },
      ...sent !== undefined && { body: sent.body, duplex: 'half' },
      signal
    } as RequestInit)
    if (!response.ok) throw await refusal(response)
    return response
  }

  return {
    async value<K extends OperationName> (name: K, call: Call) {
      try {
        const text = await (await answered(name, call, call.signal ?? never)).text()
        return (shapes[name] === 'nothing' || text === '' ? undefined : JSON.parse(text)) as AnswerOf<K>
      } catch (err) {
        throw failure(err, call.signal)
      }
    },
    async * lines<K extends OperationName> (name: K, call: Call) {
      const leaving = new AbortController()
      try {
        const { body } = await answered(name, call, AbortSignal.any([leaving.signal, call.signal ?? never]))
        if (body !== null) yield * jsonLines(body) as AsyncGenerator<AnswerOf<K>, void, undefined>
      } catch (err) {
        throw failure(err, call.signal)
      } finally {
        leaving.abort() // an upload is not sent on when its answer has ended
      }
    }
  }
}

const never = new AbortController().signal

function credentialsIn ({ username, password }: URL): ClientOptions['credentials'] {
  return username === '' ? undefined : { user: decodeURIComponent(username), password: decodeURIComponent(password) }
}

function authorizationOf (credentials: ClientOptions['credentials']): string | undefined {
  if (credentials === undefined) return undefined
  if ('token' in credentials) return `Bearer ${credentials.token}`
  const bytes = new TextEncoder().encode(`${credentials.user}:${credentials.password}`)
  return `Basic ${btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))}`
}

/** Lists have commas between, times are RFC 3339; what is undefined is not asked for. */
function searchOf (query: object, metadata: Readonly<Record<string, string>>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query) as [string, unknown][]) {
    if (value === undefined) continue
    const name = key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    search.set(name, value instanceof Date ? value.toISOString() : String(value))
  }
  for (const [key, value] of Object.entries(metadata)) search.set(`meta-${key}`, value)
  return search.size === 0 ? '' : `?${search}`
}

async function refusal (response: Response): Promise<ClusterClientError> {
  const text = await response.text()
  try {
    return new ClusterClientError(response.status, String((JSON.parse(text) as { message: string }).message))
  } catch {
    return new ClusterClientError(response.status, text.trim() || response.statusText) // whoever answers in front of the peer has a form of its own
  }
}

/** `fetch` hides what has happened behind "fetch failed". */
function failure (err: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason
  if (err instanceof ClusterClientError) return err
  const { message, cause } = err as Error
  return new ClusterClientError(0, cause instanceof Error && cause.message !== '' ? cause.message : message, { cause: err })
}
