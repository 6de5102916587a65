/** Sizes and times as the Go tool says them. */

const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']
/** Longer than that is not counted. */
const longYears = 37
const monthS = 2_592_000
const spans = [['year', 12 * monthS], ['month', monthS], ['week', 604_800], ['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]] as const

/** `83 MB`, `1.2 GB`. */
export function sizeText (bytes: number): string {
  if (bytes < 10) return `${bytes} B`
  const step = Math.min(Math.floor(Math.log10(bytes) / 3), sizes.length - 1)
  const value = Math.floor(bytes / 1_000 ** step * 10 + 0.5) / 10
  return `${value < 10 ? value.toFixed(1) : halfToEven(value)} ${sizes[step]}`
}

/** As Go's `%.0f` rounds. */
function halfToEven (value: number): number {
  const below = Math.floor(value)
  return value - below === 0.5 ? below + below % 2 : Math.round(value)
}

/** `20 seconds from now`, `1 hour ago`, `now`. */
export function whenText (timeMs: number, nowMs: number): string {
  const seconds = Math.floor(Math.abs(timeMs - nowMs) / 1_000)
  const when = timeMs < nowMs ? 'ago' : 'from now'
  if (seconds >= longYears * 12 * monthS) return `a long while ${when}`
  if (seconds >= 18 * monthS && seconds < 24 * monthS) return `2 years ${when}`
  const span = spans.find(([, length]) => seconds >= length)
  if (span === undefined) return 'now'
  const count = Math.floor(seconds / span[1])
  return `${count} ${span[0]}${count === 1 ? '' : 's'} ${when}`
}
