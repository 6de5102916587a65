const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/** A size as go-humanize prints it: `177 B`, `1.2 kB`, `83 MB`. */
export function humanBytes (bytes: bigint): string {
  const value = Number(bytes)
  if (value < 10) return `${value} B`
  const power = Math.min(units.length - 1, Math.floor(Math.log10(value) / 3))
  const scaled = Math.floor(value / 1000 ** power * 10 + 0.5) / 10
  return `${scaled < 10 ? scaled.toFixed(1) : scaled.toFixed(0)} ${units[power]}`
}
