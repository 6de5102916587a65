import { lines, withoutTicks } from '../harness/recordings/compare.ts'
import type { RecordedRequest } from '../harness/recordings/recording.ts'
import { requestBody } from '../harness/recordings/request-bytes.ts'
import type { Values } from '../harness/recordings/request-bytes.ts'
import type { RawResponse } from '../harness/recordings/response-parser.ts'
import type { State } from './state.ts'

/** What came of one request on one side. */
export interface Observed {
  readonly answer: RawResponse | { readonly failure: string }
  readonly state: State | undefined
  readonly values: Values
}

/** What Go reads at once. */
const inFlightBytes = 4_000
const shownCharsMax = 700
/** An answer that begins at once and one that waits for something differ by more than this; a busy machine does not. */
const firstByteGapMs = 1_000

/** What is not alike between a bare daemon and the proxy before an equal one; nothing when they cannot be told apart. */
export function differencesOf (request: RecordedRequest, bare: Observed, proxied: Observed): readonly string[] {
  return [...answerDifferences(request, bare, proxied), ...stateDifferences(request, bare, proxied)]
}

function answerDifferences (request: RecordedRequest, bare: Observed, proxied: Observed): readonly string[] {
  const [a, b] = [bare.answer, proxied.answer]
  if ('failure' in a || 'failure' in b) return unequal('answer', 'failure' in a ? a.failure : 'HTTP', 'failure' in b ? b.failure : 'HTTP')
  const isLong = request.chunked === true || requestBody(request.body, {}).length > inFlightBytes
  // Whether the end of an upload has been read when the answer begins depends on how it is cut into reads.
  const head = (of: RawResponse, values: Values): string => of.headers.filter(([name]) => !isLong || name !== 'Connection').map(([name, value]) => `${name}: ${name === 'Date' ? 'now' : neutral(value, values)}`).join('\n')
  return [
    ...unequal('status line', statusLine(a), statusLine(b)),
    ...unequal('informational', a.informational, b.informational),
    ...unequal('headers', head(a, bare.values), head(b, proxied.values)),
    ...unequal('body', bodyOf(request, a, bare.values), bodyOf(request, b, proxied.values)),
    ...unequal('trailers', neutral(JSON.stringify(a.trailers), bare.values), neutral(JSON.stringify(b.trailers), proxied.values)),
    ...unequal('end', endOf(a), endOf(b)),
    ...unequal('head before the rest of the upload', a.beforeRest?.head, b.beforeRest?.head),
    ...Math.abs((a.firstByteMs ?? 0) - (b.firstByteMs ?? 0)) > firstByteGapMs ? [`first byte: bare after ${Math.round(a.firstByteMs ?? 0)} ms, proxied after ${Math.round(b.firstByteMs ?? 0)} ms`] : []
  ]
}

const statusLine = ({ version, status, reason }: RawResponse): string => `HTTP/${version} ${status} ${reason}`
const endOf = ({ truncated, endless, timedOut }: RawResponse): string => timedOut ? 'none' : endless ? 'endless' : truncated ? 'truncated' : 'whole'

/** Lists that no order is promised for, and those that Go gives out of a map. */
const unordered = /^\/api\/v0\/(refs\/local|repo\/ls|repo\/gc|repo\/verify|dag\/import|bitswap|swarm)\b|^\/api\/v0\/pin\/ls.*enc(oding)?=text/

function bodyOf ({ path }: RecordedRequest, { body }: RawResponse, values: Values): string {
  const text = masked(neutral(body.toString('latin1'), values))
  if (unordered.test(path)) return lines(text).sort().join('\n')
  if (/^\/api\/v0\/pin\/ls/.test(path)) return withIndirectSorted(text)
  // The number of lines about progress is a matter of time.
  return /progress|(add|pin%2Fadd|stat).*[?&]p\b/.test(path) ? withoutTicks(text).replace(/&\{\[\] %!s\(int=\d+\) %!s\(uint64=\d+\)\}\n?/g, '') : text
}

/** What is pinned through something else comes as the walks find it. */
function withIndirectSorted (text: string): string {
  const isIndirect = (line: string): boolean => /indirect/.test(line)
  return [...lines(text).filter(line => !isIndirect(line)), ...lines(text).filter(isIndirect).sort()].join('\n')
}

/** What a store takes on disk depends on more than what is in it. */
function masked (text: string): string {
  return text.replace(/("RepoSize":|<RepoSize>|RepoSize: +|^&\{\{%!s\(uint64=)\d+( \w?B)?/g, '$1N')
}

/** Text without what is a daemon's own. */
function neutral (text: string, values: Values): string {
  const own = ['REPO_PATH', 'PEER_ID_B36', 'PEER_ID', 'PUBLIC_KEY', 'API_PORT', 'SWARM_PORT'].map(name => [name, values[name] ?? ''] as const)
  return own.filter(([, value]) => value.length > 1).reduce((neutral, [name, value]) => neutral.replaceAll(value, `{{${name}}}`), text)
}

/** Kubo leaves nodes behind that it made on the way of an add (empty directories, what wrapped a file), and some of a CAR that was refused. */
const leavesMore = /^\/api\/v0\/(add|%61dd|dag(\/|%2F)import)\b/i

function stateDifferences ({ path }: RecordedRequest, { answer, state: bare }: Observed, { state: proxied }: Observed): readonly string[] {
  if (bare === undefined || proxied === undefined) return unequal('state', bare === undefined ? 'not told' : 'told', proxied === undefined ? 'not told' : 'told')
  return [
    ...listDifference('timedOut' in answer && answer.timedOut ? 'pins after the client had left' : 'pins afterwards', bare.pins, proxied.pins),
    ...listDifference('pins of the daemon afterwards', bare.daemonPins, proxied.daemonPins),
    ...listDifference('blocks afterwards', leavesMore.test(path) ? [] : bare.blocks, leavesMore.test(path) ? proxied.blocks.filter(cid => !bare.blocks.includes(cid)) : proxied.blocks),
    ...unequal('files afterwards', bare.files, proxied.files)
  ]
}

function listDifference (what: string, bare: readonly string[], proxied: readonly string[]): readonly string[] {
  const missing = bare.filter(line => !proxied.includes(line))
  const more = proxied.filter(line => !bare.includes(line))
  return missing.length === 0 && more.length === 0 ? [] : [`${what}: missing ${shown(missing)}, too many ${shown(more)}`]
}

function unequal (what: string, bare: unknown, proxied: unknown): readonly string[] {
  return JSON.stringify(bare) === JSON.stringify(proxied) ? [] : [`${what}\n      bare    ${shown(bare)}\n      proxied ${shown(proxied)}`]
}

function shown (value: unknown): string {
  return (JSON.stringify(value) ?? 'none').slice(0, shownCharsMax)
}
