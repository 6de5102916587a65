import { ClusterError } from '../../cluster/api/errors.ts'
import { textOf, writePrivately } from './files.ts'

const bytesMax = 1 << 20
const timeoutMs = 15_000

export interface FetchedConfig {
  readonly text: string
  /** What was in the way, when this is what was fetched before. */
  readonly warning?: string
}

/** What the file beside `service.json` holds: the last configuration that was fetched, and where from. */
interface Kept { readonly source: string, readonly config: string }

/**
 * The configuration that stands at an address, as of now or, when it cannot be had, as it was fetched last: a web server that is down does not keep a peer from
 * starting. What arrives is not yet checked; `keepFetched` is for what was.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT naming address and reason
 */
export async function fetchConfig (source: URL, keptAt: string): Promise<FetchedConfig> {
  try {
    return { text: await fetched(source) }
  } catch (err) {
    const why = `the configuration at ${shown(source)} cannot be fetched: ${reasonOf(err)}`
    const kept = await keptConfig(source, keptAt)
    if (kept === undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', why, { cause: err })
    return { text: kept, warning: `${why}; used is what was fetched before` }
  }
}

/** Keeps it for a start at which it cannot be fetched. */
export async function keepFetched (source: URL, keptAt: string, config: string): Promise<void> {
  const text = `${JSON.stringify({ source: source.href, config } satisfies Kept, null, 2)}\n`
  if (await textOf(keptAt) !== text) await writePrivately(keptAt, text)
}

async function keptConfig (source: URL, keptAt: string): Promise<string | undefined> {
  const text = await textOf(keptAt)
  if (text === undefined) return undefined
  const kept = JSON.parse(text) as Partial<Kept>
  return kept.source === source.href && typeof kept.config === 'string' ? kept.config : undefined
}

async function fetched (source: URL): Promise<string> {
  const response = await fetch(withoutPassword(source), { signal: AbortSignal.timeout(timeoutMs), headers: { accept: 'application/json', ...authorizationOf(source) } })
  if (source.protocol === 'https:' && !response.url.startsWith('https:')) throw new ClusterError('ERR_INVALID_ARGUMENT', 'it is handed on to an address without TLS')
  if (!response.ok) throw new ClusterError('ERR_INVALID_ARGUMENT', `status ${response.status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new ClusterError('ERR_INVALID_ARGUMENT', `it is longer than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `fetch` takes no address with a password in it. */
function withoutPassword (source: URL): URL {
  const bare = new URL(source)
  bare.username = bare.password = ''
  return bare
}

function authorizationOf ({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  return { authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}` }
}

const shown = (source: URL): string => withoutPassword(source).href.replace(/\?.*/, '')
const reasonOf = (err: unknown): string => ((err as Error).cause as Error | undefined)?.message ?? (err as Error).message
