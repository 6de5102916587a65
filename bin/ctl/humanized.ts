/** Sizes and times as the Go tool says them. */

const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']
const spans = [['year', 31_104_000], ['month', 2_592_000], ['week', 604_800], ['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]] as const

/** `83 MB`, `1.2 GB`. */
export function sizeText (bytes: number): string {
  if (bytes < 10) return `${bytes} B`
  const step = Math.min(Math.floor(Math.log10(bytes) / 3), sizes.length - 1)
  const value = Math.floor(bytes / 1_000 ** step * 10 + 0.5) / 10
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${sizes[step]}`
}

/** `20 seconds from now`, `1 hour ago`, `now`. */
export function whenText (timeMs: number, nowMs: number): string {
  const seconds = Math.floor(Math.abs(timeMs - nowMs) / 1_000)
  const span = spans.find(([, length]) => seconds >= length)
  if (span === undefined) return 'now'
  const count = Math.floor(seconds / span[1])
  return `${count} ${span[0]}${count === 1 ? '' : 's'} ${timeMs < nowMs ? 'ago' : 'from now'}`
}
