import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AbortOptions } from '../cluster/ports.ts'
import type { Clock } from '../cluster/clock.ts'
import { readMediaType } from '../cluster/api/kubo/media-type.ts'
import { parseGoDurationMs } from '../cluster/api/kubo/go-values.ts'
import { KuboParseError, parseKuboRequest } from '../cluster/api/kubo/request.ts'
import type { ParsedRequest } from '../cluster/api/kubo/request.ts'
import type { Logger } from '../cluster/log.ts'
import { isEncoding } from './encodings.ts'
import type { Guard } from './guard.ts'
import type { CommandMatch } from './match-command.ts'
import { runCommand } from './run-command.ts'

interface InterceptComponents { readonly guard: Guard, readonly clock: Clock, readonly log: Logger }

export interface InterceptedRequest extends AbortOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly match: CommandMatch
  readonly awaitsContinue: boolean
  /** Lets the daemon answer it, as it is or under another target. */
  handOn (target?: string): void
}

/**
 * A request for a command of ours. Whatever the daemon would refuse before running it (method, guard, options, encoding, a missing
 * argument or file) it is asked to refuse itself, so those answers are Kubo's own; only what would run is run here.
 */
export async function intercept ({ request, response, match, signal, awaitsContinue, handOn }: InterceptedRequest, { guard, clock, log }: InterceptComponents): Promise<void> {
  const { command, path, rawQuery } = match
  const parsed = parse(match, request)
  if (parsed === undefined || !isForUs(match, parsed)) {
    handOn(parsed === undefined ? unrunnable(request.url!) : undefined)
    return
  }
  const requiredArgs = command.args.filter(({ kind, required }) => kind === 'string' && required).length
  const verdict = await guard.admit({ path, rawHeaders: request.rawHeaders, requiredArgs }, { signal })
  if (!verdict.admitted) {
    handOn()
    return
  }
  await runCommand({ request, response, command, parsed, path, rawQuery, own: verdict.headers, awaitsContinue, signal }, { clock, log })
}

function parse ({ command, pathArgument, rawQuery }: CommandMatch, { headers }: IncomingMessage): ParsedRequest | undefined {
  try {
    const contentType = headers['content-type'] ?? ''
    const media = readMediaType(contentType)
    // Of a type with a parameter that is none Go knows the type all the same, and then refuses it.
    if (media === 'mime: invalid media parameter' && /^\s*multipart\/form-data\s*;/i.test(contentType)) return undefined
    const isMultipart = typeof media !== 'string' && media.type === 'multipart/form-data'
    if (isMultipart && !media.params.has('boundary')) return undefined
    return parseKuboRequest(command, { pathArgument, rawQuery, body: isMultipart ? 'multipart' : 'none' })
  } catch (err) {
    if (err instanceof KuboParseError) return undefined
    throw err
  }
}

/** Kubo answers a bad `timeout` with nothing and a strange `encoding` with a refusal; neither runs anything. */
function isForUs ({ command }: CommandMatch, { options }: ParsedRequest): boolean {
  if (options.timeout !== undefined && parseGoDurationMs(options.timeout) === undefined) return false
  if (!isEncoding(options.encoding)) return false
  return command.isOurs === undefined || command.isOurs(options as never)
}

/**
 * The same request with an encoding that does not exist, for requests that do not parse: should the daemon see less wrong with it
 * than we do, it still runs nothing.
 */
function unrunnable (target: string): string {
  const [path, query] = splitOnce(target, '?')
  const pairs = (query ?? '').split('&')
  const encodings = pairs.filter(pair => /^enc(oding)?=/.test(pair))
  // Two encodings are themselves what is wrong.
  if (encodings.length > 1) return target
  return `${path}?${[...pairs.filter(pair => !encodings.includes(pair) && pair !== ''), 'encoding=__probe__'].join('&')}`
}

function splitOnce (text: string, at: string): [string, string | undefined] {
  const found = text.indexOf(at)
  return found < 0 ? [text, undefined] : [text.slice(0, found), text.slice(found + 1)]
}
