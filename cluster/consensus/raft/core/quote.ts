const escapes: Readonly<Record<number, string>> = {
  7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\'
}
/** Not to be shown as they are: control, format, unassigned and private characters, and all spaces but the plain one. */
const unprintable = /^[\p{C}\p{Z}]$/u
const replacement = 0xfffd

/** Bytes as a double-quoted text, as Go's `%q` writes them: UTF-8 where it is valid and visible, escapes elsewhere. */
export function quoteBytes (bytes: Uint8Array): string {
  let text = '"'
  for (let at = 0; at < bytes.length;) {
    const { point, length } = decodeAt(bytes, at)
    text += length === 0 ? `\\x${hexOf(bytes[at]!, 2)}` : quotePoint(point)
    at += Math.max(1, length)
  }
  return `${text}"`
}

function quotePoint (point: number): string {
  const escape = escapes[point]
  if (escape !== undefined) return escape
  const char = String.fromCodePoint(point)
  if (char === ' ' || !unprintable.test(char)) return char
  if (point < 0x80) return `\\x${hexOf(point, 2)}`
  return point < 0x10000 ? `\\u${hexOf(point, 4)}` : `\\U${hexOf(point, 8)}`
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The character that starts at `at`; length 0 if no valid one does. */
function decodeAt (bytes: Uint8Array, at: number): { readonly point: number, readonly length: number } {
  const first = bytes[at]!
  if (first < 0x80) return { point: first, length: 1 }
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  const text = decoder.decode(bytes.subarray(at, at + length))
  const point = text.codePointAt(0)!
  const isWhole = text.length === String.fromCodePoint(point).length && at + length <= bytes.length
  const isWritten = length === 3 && first === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd
  return isWhole && (point !== replacement || isWritten) ? { point, length } : { point, length: 0 }
}

function hexOf (value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
