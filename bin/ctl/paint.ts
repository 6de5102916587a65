/** What a piece of text means to who reads it; without colours it stays as it is. */
export interface Paint {
  good (text: string): string
  bad (text: string): string
  /** On its way. */
  busy (text: string): string
}

const escaped = (code: number) => (text: string): string => `\u001b[${code}m${text}\u001b[39m`
const same = (text: string): string => text

export const plain: Paint = { good: same, bad: same, busy: same }
export const colours: Paint = { good: escaped(32), bad: escaped(31), busy: escaped(33) }

/** Colours are for a terminal only, and not for one whose user does not want them (https://no-color.org) or that has none. */
export function paintFor ({ isTTY }: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): Paint {
  return isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' ? colours : plain
}
