import { createHash } from 'node:crypto'
import type { HeaderPairs, RecordedBody, RecordedResponse } from './recording.ts'
import type { Values } from './request-bytes.ts'
import type { RawResponse } from './response-parser.ts'

const shownCharsMax = 600
const wild: Values = {
  DATE: '[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT',
  INT: '-?\\d+',
  NUMBER: '-?\\d+(?:\\.\\d+)?',
  STR: '[^"\\n]*',
  ANY: '[\\s\\S]*',
  LINE: '[^\\n]*'
}

/** One thing that is not as recorded. Headers apart: an answer that differs in nothing else means the same. */
export interface Difference { readonly where: 'headers' | 'meaning', readonly text: string }

/** Every difference between what was recorded and what came; none means equal to the byte. */
export function compare (want: RecordedResponse, got: RawResponse, values: Values): readonly Difference[] {
  const skipped = new Set((want.volatile ?? []).map(name => name.replace(/^headers\./, '').toLowerCase()))
  const kept = (pairs: HeaderPairs): HeaderPairs => pairs.filter(([key]) => !skipped.has(key.toLowerCase()))
  const meaning = [
    ...unequal('informational', got.informational, want.informational ?? []),
    ...unequal('status', got.status, want.status),
    ...unequal('reason', got.reason, want.reason),
    ...unequal('version', got.version, want.version ?? '1.1'),
    ...comparePairs('trailers', kept(got.trailers), kept(want.trailers), values),
    ...compareBody('body', want.body, got.body, values, want.compare),
    ...compareBeforeRest(want, got, values),
    ...unequal('truncated', got.truncated, want.truncated ?? false),
    ...unequal('endless', got.endless, want.endless ?? false),
    ...unequal('noAnswer', got.timedOut, want.noAnswer ?? false)
  ]
  const headers = comparePairs('headers', kept(got.headers), kept(want.headers), values)
  return [...headers.map(text => ({ where: 'headers', text }) as const), ...meaning.map(text => ({ where: 'meaning', text }) as const)]
}

function unequal (what: string, got: unknown, want: unknown): string[] {
  return JSON.stringify(got) === JSON.stringify(want) ? [] : [`${what} ${JSON.stringify(got)}, want ${JSON.stringify(want)}`]
}

function comparePairs (what: string, got: HeaderPairs, want: HeaderPairs, values: Values): string[] {
  const names = unequal(`${what} names`, got.map(([key]) => key), want.map(([key]) => key))
  const strays = got.flatMap(([key, value], i) => {
    const expected = want[i]?.[1]
    return expected === undefined || pattern(expected, values).test(value) ? [] : [`${what} ${key}: ${value}, want ${expected}`]
  })
  return [...names, ...strays]
}

function compareBeforeRest (want: RecordedResponse, got: RawResponse, values: Values): string[] {
  if (want.beforeRest === undefined) return []
  return [
    ...unequal('before the rest: head', got.beforeRest?.head, want.beforeRest.head),
    ...unequal('before the rest: complete', got.beforeRest?.complete ?? false, want.beforeRest.complete ?? false),
    ...compareBody('before the rest: body', want.beforeRest.body, got.beforeRest?.body ?? Buffer.alloc(0), values, want.compare)
  ]
}

function compareBody (what: string, want: RecordedBody, got: Buffer, values: Values, how: RecordedResponse['compare']): string[] {
  if (typeof want !== 'string') return compareBytes(what, want, got)
  const text = got.toString('utf8')
  if (how === 'unordered-lines') return compareUnordered(what, lines(want), lines(text), values)
  const [wanted, came] = how === 'ignore-ticks' ? [withoutTicks(want), withoutTicks(text)] : [want, text]
  return pattern(wanted, values).test(came) ? [] : [`${what} ${shown(came)}, want ${shown(wanted)}`]
}

function compareBytes (what: string, want: Exclude<RecordedBody, string>, got: Buffer): string[] {
  if ('any' in want) return []
  if ('base64' in want) return unequal(what, got.toString('base64').slice(0, shownCharsMax), want.base64.slice(0, shownCharsMax))
  if ('sha256' in want) return unequal(`${what} sha256, length`, [createHash('sha256').update(got).digest('hex'), got.length], [want.sha256, want.length])
  return unequal(`${what} length`, got.length, want.length)
}

function compareUnordered (what: string, want: readonly string[], got: readonly string[], values: Values): string[] {
  const rest = [...got]
  const missing = want.filter(line => {
    const at = rest.findIndex(candidate => pattern(line, values).test(candidate))
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
  return [...missing.map(line => `${what}: no line ${line}`), ...rest.map(line => `${what}: a line too many ${line}`)]
}

export function lines (text: string): string[] {
  return text.split('\n').filter(line => line !== '')
}

/** Progress lines are a matter of time, so their number is not compared. */
export function withoutTicks (text: string): string {
  return lines(text).filter(line => !isTick(line)).join('\n')
}

function isTick (line: string): boolean {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && Object.keys(value).every(key => ['Name', 'Bytes', 'Progress'].includes(key))
  } catch {
    return false
  }
}

/** Text with placeholders → what it matches: values of this daemon as they are, the rest by kind. */
function pattern (template: string, values: Values): RegExp {
  const pieces = template.split(/(\{\{[A-Z0-9_]+\}\})/).map(piece => {
    const name = /^\{\{([A-Z0-9_]+)\}\}$/.exec(piece)?.[1]
    if (name === undefined) return literal(piece)
    const value = values[name]
    if (value !== undefined) return literal(value)
    return wild[name] === undefined ? literal(piece) : `(?:${wild[name]})`
  })
  return new RegExp(`^${pieces.join('')}$`)
}

function literal (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function shown (text: string): string {
  return JSON.stringify(text.slice(0, shownCharsMax))
}
