/** What one round of one side gave: a number for each thing measured. */
export type Round = Readonly<Record<string, number>>

/** What is to be reached: at least for a rate, at most for a time. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }

export interface Measured {
  /** More is better for a rate, less for a time; says how the ratio reads. */
  readonly unit: string
  /** What the ratio is to reach, as the project promises it. */
  readonly goal?: Goal
}

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Rounds of both sides as a table: medians, and peer ÷ bare. The spread is that of the rounds, so that a reader sees what noise there was.
 */
export function reportText (title: string, bare: readonly Round[], peer: readonly Round[], measured: Readonly<Record<string, Measured>>): string {
  const rows = Object.entries(measured).map(([name, { unit, goal }]) => {
    const [ours, theirs] = [peer, bare].map(rounds => rounds.map(round => round[name]!))
    const ratio = median(ours!) / median(theirs!)
    return [`${name} (${unit})`, shown(median(theirs!)), shown(median(ours!)), times(ratio), `${spread(theirs!)} / ${spread(ours!)}`, verdict(ratio, goal, times)]
  })
  const table = [['', 'bare', 'peer', 'ratio', 'spread', 'goal'], ...rows]
  return tableText(title, table)
}

/** The first column to the left, the others to the right, each as wide as it has to be. */
export function tableText (title: string, rows: ReadonlyArray<readonly string[]>): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return `${title}\n${rows.map(row => `  ${row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join('   ')}\n`).join('')}`
}

export function verdict (value: number, goal: Goal | undefined, shownGoal: (bound: number) => string): string {
  if (goal === undefined) return ''
  if ('atLeast' in goal) return `≥ ${shownGoal(goal.atLeast)} ${value >= goal.atLeast ? 'reached' : 'MISSED'}`
  return `≤ ${shownGoal(goal.atMost)} ${value <= goal.atMost ? 'reached' : 'MISSED'}`
}

const times = (ratio: number): string => `${ratio.toFixed(2)}×`
export const shown = (value: number): string => value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
const spread = (values: readonly number[]): string => `±${Math.round((Math.max(...values) - Math.min(...values)) / 2 / median(values) * 100)}%`
