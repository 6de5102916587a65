import type { TraceEvent } from '../core/trace-event.ts'

/**
 * What a run did, as one number: two runs with the same hash took the same steps in the same order. Kept as
 * two 32-bit lanes because 64-bit integers in JavaScript cost ten times as much and every step is hashed.
 */
export interface Trace {
  /** Adds an event: a few whole numbers, the first of which says what happened. */
  add: (kind: number, a?: number, b?: number, c?: number, d?: number) => void
  /** Sixteen hexadecimal digits. */
  hash: () => string
  readonly events: number
}

export function createTrace (): Trace {
  let high = 0x811c9dc5
  let low = 0x01000193
  let events = 0

  const mix = (value: number): void => {
    high = Math.imul(high ^ value, 0x85ebca6b)
    high ^= high >>> 13
    low = Math.imul(low + value | 0, 0xc2b2ae35) ^ high
    low ^= low >>> 16
  }
  return {
    add: (kind, a = 0, b = 0, c = 0, d = 0) => {
      events++
      mix(kind)
      mix(a)
      mix(b)
      mix(c)
      mix(d)
    },
    hash: () => hex(high) + hex(low),
    get events () { return events }
  }
}

/** As `Traceetcdraft.tla` reads it. */
export function traceLine (event: TraceEvent): string {
  return `${JSON.stringify({ tag: 'trace', event })}\n`
}

/** Thirty-two bits that stand for the bytes; for telling entries apart, not for security. */
export function hashBytes (bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return hash >>> 0
}

function hex (word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
