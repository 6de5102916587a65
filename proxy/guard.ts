import type { AbortOptions } from '../cluster/ports.ts'
import type { Clock } from '../cluster/clock.ts'
import { ClusterError } from '../cluster/api/errors.ts'
import { textOf } from './daemon-calls.ts'
import type { DaemonCalls } from './daemon-calls.ts'
import type { DaemonLink } from './daemon-link.ts'
import { headerOf, toClientHeaders } from './headers.ts'
import type { RawHeaders } from './headers.ts'
import type { OriginMap } from './origins.ts'

/** What the daemon thinks of a caller: its own headers for that caller, or that it would refuse. */
export type Verdict = { readonly admitted: true, readonly headers: RawHeaders } | { readonly admitted: false }

export interface Guard {
  /**
   * Asks the daemon whether it would let this call in, without running anything. Callers that no guard looks at cost nothing as
   * long as the daemon lets anybody in.
   *
   * @param path as it came, still escaped: what a token may call is decided by it
   * @throws ClusterError ERR_IPFS_UNREACHABLE
   */
  admit (caller: { readonly path: string, readonly rawHeaders: RawHeaders, readonly requiredArgs: number }, options: AbortOptions): Promise<Verdict>
}

interface GuardComponents { readonly calls: DaemonCalls, readonly daemon: DaemonLink, readonly clock: Clock, readonly origins: () => OriginMap }

/**
 * A request whose `encoding` is unknown is refused by Kubo after every check (method, Origin, Referer, User-Agent, token, path,
 * options) and before the command runs. So the daemon itself says who may come in, and with which headers it would answer.
 */
export function createGuard ({ calls, daemon, clock, origins }: GuardComponents, { ttlMs }: { readonly ttlMs: number }): Guard {
  let anybody: { readonly headers: RawHeaders | undefined, readonly untilMs: number } | undefined
  daemon.onDisconnect(() => { anybody = undefined })

  const probe = async (path: string, headers: RawHeaders, { signal }: AbortOptions): Promise<{ readonly text: string, readonly headers: RawHeaders }> => {
    const answer = await calls.send(path, { headers, as: 'caller', signal })
    return { text: `${answer.status} ${await textOf(answer.body)}`, headers: answer.headers }
  }

  const askForAnybody = async (options: AbortOptions): Promise<RawHeaders | undefined> => {
    const now = clock.now()
    if (anybody !== undefined && now < anybody.untilMs) return anybody.headers
    const { text, headers } = await probe(versionProbe, [], options)
    const found = text === passed ? ownHeaders(headers) : undefined
    anybody = { headers: found, untilMs: now + ttlMs }
    return found
  }

  return {
    async admit ({ path, rawHeaders, requiredArgs }, options) {
      const forAnybody = await askForAnybody(options)
      const shown = shownToGuards(rawHeaders, origins())
      if (forAnybody !== undefined && shown.length === 0) return { admitted: true, headers: forAnybody }

      const arguments_ = '&arg=x'.repeat(requiredArgs)
      const { text, headers } = await probe(`${path}?encoding=__probe__${arguments_}`, shown, options)
      const forCaller = (raw: RawHeaders): string[] => toClientHeaders(ownHeaders(raw), { closing: false, origin: headerOf(rawHeaders, 'origin'), origins: origins() })
      if (text === passed) return { admitted: true, headers: forCaller(headers) }
      if (!fileMissing.test(text)) return { admitted: false }
      // Commands that take files stop before the headers of the configuration are set; those depend on the caller's origin alone.
      const version = await probe(versionProbe, shown, options)
      return version.text === passed ? { admitted: true, headers: forCaller(version.headers) } : { admitted: false }
    }
  }
}

/** Whether an error is the daemon's absence, which no guard can answer for. */
export const isUnreachable = (err: unknown): err is ClusterError => err instanceof ClusterError && err.code === 'ERR_IPFS_UNREACHABLE'

const versionProbe = 'version?encoding=__probe__'
const passed = '400 invalid encoding: __probe__\n'
const fileMissing = /^400 file argument '[^']*' is required\n$/

/** The headers that Kubo's guards look at; a User-Agent only when it could matter. */
function shownToGuards (raw: RawHeaders, origins: OriginMap): string[] {
  const shown: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const value = raw[i + 1]!
    if (name === 'origin' || name === 'referer') shown.push(raw[i]!, origins.toDaemon(value))
    if (name === 'authorization') shown.push(raw[i]!, value)
  }
  const agent = headerOf(raw, 'user-agent')
  if (agent !== undefined && (shown.length > 0 || /^Mozilla|\/kubo\/|\/go-ipfs\//.test(agent))) shown.push('User-Agent', agent)
  return shown
}

const ofTheRefusal = new Set(['content-type', 'x-content-type-options', 'content-length', 'date', 'connection', 'transfer-encoding', 'trailer'])

/** Vary, Access-Control-*, Server and what `API.HTTPHeaders` adds, without what belongs to the text of the refusal. */
function ownHeaders (raw: RawHeaders): string[] {
  return raw.filter((_, i) => !ofTheRefusal.has(raw[i - i % 2]!.toLowerCase()))
}
