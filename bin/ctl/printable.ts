/**
 * Control characters and marks that turn the direction of writing, made visible: a name comes from whoever pinned, and must not
 * steer the terminal of whoever lists.
 */
export function printable (text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, character => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`)
}

/** So many characters at least, as Go counts them: a name of emojis is no wider for it. */
export function padded (text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - [...text].length))
}
