import type { Entry, EntryInput } from './types.ts'

export const emptyData: Uint8Array = new Uint8Array(0)

/** Stands in the log where a membership change was refused; it is written with its type, as the change would have been. */
export const refusedChange: EntryInput = { type: 'EntryNormal', data: new Uint8Array(0) }

/** Bytes an entry takes when written down: a tag and a length for each field that says something, and the payload. */
export function entryBytes (entry: Entry): number {
  const length = entry.data.length
  return 2 + varintBytes(entry.term) + varintBytes(entry.index) +
    (entry.type === 'EntryNormal' && entry.data !== refusedChange.data ? 0 : 2) +
    (length === 0 ? 0 : 1 + varintBytes(length) + length)
}

export function entriesBytes (entries: readonly Entry[]): number {
  let bytes = 0
  for (const entry of entries) bytes += entryBytes(entry)
  return bytes
}

export function payloadBytes (entries: readonly EntryInput[]): number {
  let bytes = 0
  for (const entry of entries) bytes += entry.data.length
  return bytes
}

/** How many of the first entries stay within `maxBytes`; never none, so that a large one cannot block the log. */
export function countWithin (entries: readonly Entry[], from: number, to: number, maxBytes: number): number {
  if (from >= to) return 0
  if (maxBytes === Infinity) return to - from

  let bytes = entryBytes(entries[from]!)
  for (let i = from + 1; i < to; i++) {
    bytes += entryBytes(entries[i]!)
    if (bytes > maxBytes) return i - from
  }
  return to - from
}

export function limitEntries (entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  const count = countWithin(entries, 0, entries.length, maxBytes)
  return count === entries.length ? entries : entries.slice(0, count)
}

function varintBytes (value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  if (value < 0x10000000) return 4
  let bytes = 5
  for (let rest = Math.floor(value / 2 ** 35); rest > 0; rest = Math.floor(rest / 128)) bytes++
  return bytes
}
