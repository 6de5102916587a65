/** What Go's `encoding/json` is given here. A key whose value is `undefined` is left out, which is how `omitempty` is written. */
export type GoValue =
  | string | number | bigint | boolean | null
  | readonly GoValue[]
  | { readonly [key: string]: GoValue | undefined }

/**
 * JSON exactly as Go's `json.Encoder` writes it, without the newline: no spaces, keys in the order given, `< > &` and the line
 * separators escaped, 64-bit integers whole. A lone surrogate stands for a byte that was no UTF-8 (see `go-text.ts`) and becomes
 * `\ufffd`, as in Go. Maps must come sorted: Go sorts their keys bytewise, and only the caller knows which object is a map.
 */
export function encodeGoJson (value: GoValue): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string': return quoteGoJson(value)
    case 'number':
    case 'bigint':
    case 'boolean': return String(value)
    default: return isList(value) ? `[${value.map(encodeGoJson).join(',')}]` : encodeObject(value)
  }
}

/** Sorts the keys of a Go map as Go does: by their UTF-8 bytes. */
export function goMap<T extends GoValue> (entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  const sorted = [...entries].sort(([a], [b]) => surrogate.test(a) || surrogate.test(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1)
  return Object.fromEntries(sorted)
}

/** Only where these are the order of JavaScript's units another than that of the bytes in UTF-8. */
const surrogate = /[\ud800-\udfff]/

const isList = (value: object): value is readonly GoValue[] => Array.isArray(value)

function encodeObject (value: { readonly [key: string]: GoValue | undefined }): string {
  let text = ''
  for (const key in value) {
    const member = value[key]
    if (member !== undefined) text += `${text === '' ? '' : ','}${quoteGoJson(key)}:${encodeGoJson(member)}`
  }
  return `{${text}}`
}

const special = /["\\<>&\u0000-\u001f\u2028\u2029]|[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g
const short: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function quoteGoJson (text: string): string {
  return `"${text.replace(special, escapeGoJson)}"`
}

function escapeGoJson (match: string): string {
  if (match.length === 2) return match // a whole surrogate pair is an ordinary character
  const code = match.charCodeAt(0)
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
  return short[match] ?? `\\u${code.toString(16).padStart(4, '0')}`
}
