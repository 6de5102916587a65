import { printable } from './printable.ts'

/** Objects of the API whose keys are not fields but ids and names: Go's encoder sorts them. */
const maps: ReadonlySet<string> = new Set(['peer_map', 'metadata', 'id_to_peername', 'ipfs_links', 'cluster_links', 'cluster_trust_links', 'cluster_to_ipfs'])

/** Reads JSON whose integers may be larger than a number holds exactly, like times in nanoseconds: those become bigints. */
export function parseJson (text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, ((_key: string, value: unknown, { source }: { readonly source: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value) as (key: string, value: unknown) => unknown)
}

/** As Go's tool prints JSON: each object by itself, indented by four, keys of maps in order, and what is markup in HTML escaped. */
export function jsonText (value: unknown): string {
  const written = JSON.stringify(value, (key, part: unknown) => typeof part === 'bigint' ? rawJson(part.toString()) : maps.has(key) ? inOrder(part) : part, 4)
  const lines = written.replace(/[<>&]/g, character => `\\u00${character.charCodeAt(0).toString(16)}`).split('\n')
  return `${lines.map(printable).join('\n')}\n`
}

/** The same object with its keys in order. */
export function inOrder (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
}

/** A part of the language that TypeScript's library does not know yet. */
const rawJson = (JSON as unknown as { rawJSON (text: string): unknown }).rawJSON
