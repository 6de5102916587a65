/** What one round of one side gave: a number for each thing measured that this side has. */
export type Round = Readonly<Record<string, number>>

/**
 * Who is compared: one bare daemon; the limit, which is the same sent to all daemons at once with no cluster between; another cluster; and ours.
 */
export type SideName = 'bare' | 'limit' | 'against' | 'peer'
export const otherSides = ['bare', 'limit', 'against'] as const satisfies readonly SideName[]
export type Rounds = Readonly<Partial<Record<SideName, readonly Round[]>>>

/** What is to be reached: at least for a rate, at most for a time. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }
/** Goals of ours ÷ another side, and of the figure `itself`. */
export type Goals = Readonly<Partial<Record<typeof otherSides[number] | 'itself', Goal>>>

export interface Measured {
  /** More is better for a rate, less for all else; says how the ratio reads. */
  readonly unit: string
  /** As the project promises it. */
  readonly goals?: Goals
}

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Of the rounds that have it. */
export function medianOf (rounds: readonly Round[] | undefined, name: string): number | undefined {
  const values = valuesOf(rounds, name)
  return values.length === 0 ? undefined : median(values)
}

/**
 * Rounds of all sides as a table: medians, and ours ÷ each other. The spread is that of the rounds, so that a reader sees what noise there was.
 */
export function reportText (title: string, rounds: Rounds, measured: Readonly<Record<string, Measured>>): string {
  const others = otherSides.filter(side => rounds[side] !== undefined)
  const sides = [...others, 'peer'] as const
  const had = Object.entries(measured).filter(([name]) => sides.some(side => medianOf(rounds[side], name) !== undefined))
  const rows = had.map(([name, { unit, goals = {} }]) => {
    const ours = medianOf(rounds.peer, name)
    const ratios = others.map(side => ratioOf(ours, medianOf(rounds[side], name)))
    const verdicts = [verdict(ours, goals.itself, shown), ...others.map((side, i) => verdict(ratios[i], goals[side], bound => `${times(bound)} ${side}`))]
    return [
      `${name} (${unit})`, ...sides.map(side => orDash(medianOf(rounds[side], name), shown)), ...ratios.map(ratio => orDash(ratio, times)),
      sides.map(side => spread(valuesOf(rounds[side], name))).join(' / '), verdicts.filter(text => text !== '').join(', ')
    ]
  })
  return tableText(title, [['', ...sides, ...others.map(side => `÷ ${side}`), 'spread', 'goal'], ...rows])
}

/** The first column to the left, the others to the right, each as wide as it has to be. */
export function tableText (title: string, rows: ReadonlyArray<readonly string[]>): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return `${title}\n${rows.map(row => `  ${row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join('   ')}\n`).join('')}`
}

/** Nothing where there is no goal, or nothing to hold against it. */
export function verdict (value: number | undefined, goal: Goal | undefined, shownGoal: (bound: number) => string): string {
  if (goal === undefined || value === undefined) return ''
  return `${'atLeast' in goal ? '≥' : '≤'} ${shownGoal('atLeast' in goal ? goal.atLeast : goal.atMost)} ${isReached(value, goal) ? 'reached' : 'MISSED'}`
}

export function isReached (value: number, goal: Goal): boolean {
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

export const times = (ratio: number): string => `${ratio.toFixed(2)}×`
export const shown = (value: number): string => value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)

const orDash = (value: number | undefined, text: (value: number) => string): string => value === undefined ? '–' : text(value)
const ratioOf = (ours: number | undefined, theirs: number | undefined): number | undefined => ours === undefined || theirs === undefined ? undefined : ours / theirs

function valuesOf (rounds: readonly Round[] | undefined, name: string): readonly number[] {
  return (rounds ?? []).map(round => round[name]).filter(value => value !== undefined)
}

function spread (values: readonly number[]): string {
  return values.length === 0 ? '–' : `±${Math.round((Math.max(...values) - Math.min(...values)) / 2 / median(values) * 100)}%`
}
