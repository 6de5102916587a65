import type { RawHeaders } from './headers.ts'

/** Which kind of answer a head announces. */
export type HeadKind = 'single' | 'stream' | 'error'

export interface HeadQuestion {
  /** The daemon's own for this caller, see `guard.ts`. */
  readonly own: RawHeaders
  readonly kind: HeadKind
  readonly contentType: string
  /** The request's body was not read to its end, so the connection cannot be kept. */
  readonly bodyLeft: boolean
  readonly clientCloses: boolean
  readonly version: string
  readonly nowMs: number
}

const outputs = 'X-Stream-Output, X-Chunked-Output, X-Content-Length'

/** The head of a command's answer as Go writes it: its map of headers sorted, then what the server itself adds. */
export function commandHead ({ own, kind, contentType, bodyLeft, clientCloses, version, nowMs }: HeadQuestion): string[] {
  const set: [string, string][] = [
    ['Access-Control-Allow-Headers', outputs],
    ['Access-Control-Expose-Headers', outputs],
    ...bodyLeft ? [['Connection', 'close'] as [string, string]] : [],
    ['Content-Type', contentType],
    ['Trailer', 'X-Stream-Error'],
    ...kind === 'stream' ? [['X-Chunked-Output', '1'] as [string, string]] : []
  ]
  const replaced = new Set(set.map(([name]) => name))
  const kept = pairsOf(own).filter(([name]) => !replaced.has(name))
  const head = sorted([...kept, ...set]).flat()
  head.push('Date', new Date(nowMs).toUTCString())
  if (version === '1.0') return head
  if (clientCloses && !bodyLeft) head.push('Connection', 'close')
  head.push('Transfer-Encoding', 'chunked')
  return head
}

/** The head of a refusal before the command runs: Go's `http.Error`, with the headers that depend on the caller alone. */
export function refusalHead ({ own, bodyLeft, clientCloses, version, length, nowMs }: Pick<HeadQuestion, 'own' | 'bodyLeft' | 'clientCloses' | 'version' | 'nowMs'> & { readonly length: number }): string[] {
  const kept = pairsOf(own).filter(([name]) => name === 'Vary' || name === 'Access-Control-Allow-Origin' || name === 'Access-Control-Allow-Credentials')
  const head = sorted([...kept, ['Content-Type', 'text/plain; charset=utf-8'], ['X-Content-Type-Options', 'nosniff']]).flat()
  head.push('Date', new Date(nowMs).toUTCString(), 'Content-Length', String(length))
  if (version !== '1.0' && (clientCloses || bodyLeft)) head.push('Connection', 'close')
  return head
}

function pairsOf (raw: RawHeaders): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!])
}

/** Stable, so that several values of one header keep their order. */
function sorted (pairs: readonly [string, string][]): [string, string][] {
  return [...pairs].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
}
