/**
 * Go strings are bytes; JavaScript's are not. A byte that is no UTF-8 is carried as the lone surrogate U+DC00 + byte, so that
 * nothing is lost between a query and what is sent on, and so that an encoder can tell it from a real U+FFFD.
 */
export function fromGoBytes (bytes: Uint8Array): string {
  const text = lossy.decode(bytes)
  if (!text.includes('\ufffd')) return text
  let out = ''
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at)
    if (length === 0) out += String.fromCharCode(0xdc00 + bytes[at]!)
    else out += lossy.decode(bytes.subarray(at, at + length))
    at += length === 0 ? 1 : length
  }
  return out
}

/** The bytes that `fromGoBytes` was given. */
export function toGoBytes (text: string): Uint8Array {
  if (!loneByte.test(text)) return Buffer.from(text, 'utf8')
  const pieces = [...text].map(character => {
    const code = character.codePointAt(0)!
    return code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character, 'utf8')
  })
  return Buffer.concat(pieces)
}

/** Go's `%q`: the text in double quotes with Go's escapes. */
export function quoteGo (text: string): string {
  const escaped = [...text].map(character => {
    const code = character.codePointAt(0)!
    const named = goEscapes[character]
    if (named !== undefined) return named
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`
    if (code < 0x80) return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : character
    if (unprintable.test(character)) return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
    return character
  })
  return `"${escaped.join('')}"`
}

const lossy = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const loneByte = /[\udc80-\udcff]/ // also true for some whole pairs: those only take the slow way
const unprintable = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u
const goEscapes: Readonly<Record<string, string>> = {
  '"': '\\"', '\\': '\\\\', '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v'
}

/** How many bytes the character at `at` takes, or 0 when the byte there begins none. */
function characterLength (bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (at + length > bytes.length) return 0
  try {
    strict.decode(bytes.subarray(at, at + length))
    return length
  } catch {
    return 0
  }
}
