/** Go's zero time: "never", "not set". */
const zeroTime = '0001-01-01T00:00:00Z'

/** RFC 3339 as Go writes it: no trailing zeros in the fraction. `undefined` is Go's zero time. */
export function goTime (timeMs: number | undefined): string {
  if (timeMs === undefined) return zeroTime
  const text = new Date(timeMs).toISOString()
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text.replace(/0*Z$/, 'Z')
}

/** Milliseconds since the epoch, or `undefined` for Go's zero time. @throws Error for what is no RFC 3339 time */
export function parseGoTime (text: string): number | undefined {
  if (text === zeroTime) return undefined
  const timeMs = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) : NaN
  if (Number.isNaN(timeMs)) throw new Error('expected a time like 2030-01-31T12:00:00Z')
  return timeMs
}
