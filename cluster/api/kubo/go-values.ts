/** Go's readings of option values, where JavaScript's differ. All answer `undefined` for what Go refuses. */

/** An empty value means true (`?pin`); otherwise go-ipfs-cmds lowers the case first and `strconv.ParseBool` reads it. */
export function parseGoBool (text: string): boolean | undefined {
  if (text === '') return true
  switch (text.toLowerCase()) {
    case '1': case 't': case 'true': return true
    case '0': case 'f': case 'false': return false
    default: return undefined
  }
}

/** `strconv.ParseInt(text, 0, bits)` or `ParseUint`: `0x`, `0o`, `0b` and `0` prefixes, `_` between digits. */
export function parseGoInteger (text: string, { bits, signed }: { bits: 32 | 64, signed: boolean }): bigint | undefined {
  const match = /^([+-]?)(0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0|[1-9][0-9]*(?:_[0-9]+)*)$/.exec(text)
  if (match === null || (!signed && match[1] !== '')) return undefined
  const digits = match[2]!.replaceAll('_', '')
  const octal = /^0[oO]?([0-7]+)$/.exec(digits)
  const magnitude = BigInt(octal === null ? digits : `0o${octal[1]}`)
  const value = match[1] === '-' ? -magnitude : magnitude
  const inRange = signed ? BigInt.asIntN(bits, value) === value : BigInt.asUintN(bits, value) === value
  return inRange ? value : undefined
}

const unitNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, 'µs': 1e3, 'μs': 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 }

/** Of 2⁶³: what has more is refused. */
const integerDigitsMax = 19

/** `time.ParseDuration`, in milliseconds: `300ms`, `-1.5h`, `1m30s`; a bare `0` is the only number without a unit. */
export function parseGoDurationMs (text: string): number | undefined {
  const match = /^([+-]?)(.+)$/s.exec(text)
  if (match === null) return undefined
  const written = match[2]!
  if (written === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(written)) return undefined
  let ns = 0n
  for (const [, whole = '', part = '', unit] of written.matchAll(/(\d*)(\.\d*)?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const digits = whole.replace(/^0+/, '')
    if (digits.length > integerDigitsMax) return undefined
    ns += BigInt(digits) * BigInt(unitNs[unit!]!) + BigInt(Math.trunc(Number(`0${part}`) * unitNs[unit!]!))
  }
  if (ns > 2n ** 63n - (match[1] === '-' ? 0n : 1n)) return undefined
  return Number(match[1] === '-' ? -ns : ns) / 1e6
}
