import type { Figure } from '../history.ts'
import { isRate } from '../history.ts'
import { isReached, otherSides, shown, times } from '../report.ts'
import type { Goal } from '../report.ts'
import type { Bar } from './bars.ts'

/** One goal of one figure, and how it stands. */
export interface Result {
  readonly figure: Figure
  /** What the goal is a ratio to; `itself` for the figure as it is. */
  readonly to: 'bare' | 'limit' | 'against' | 'itself'
  readonly value: number
  readonly goal: Goal
}

/** The last of each figure that has goals, of one machine: that of the last run. With a real Kubo, unless nothing was measured with one. */
export function lastResults (figures: readonly Figure[]): readonly Result[] {
  const machine = figures.at(-1)?.machine
  const own = figures.filter(figure => figure.machine === machine && figure.goals !== undefined)
  const real = own.filter(({ sides }) => !sides.includes('embedded'))
  const series = Map.groupBy(real.length > 0 ? real : own, ({ title, name, over }) => `${over?.what ?? title}\n${name}`)
  return [...series.values()].flatMap(all => resultsOf(lastOf(all)))
}

/** Where something grew, of the largest. */
function lastOf (series: readonly Figure[]): Figure {
  const largest = Math.max(...series.map(({ over }) => over?.value ?? 0))
  return series.findLast(({ over }) => (over?.value ?? 0) === largest)!
}

function resultsOf (figure: Figure): readonly Result[] {
  const { peer, goals = {} } = figure
  return (['itself', ...otherSides] as const).flatMap(to => {
    const goal = goals[to]
    const other = to === 'itself' ? 1 : figure[to]
    return goal === undefined || other === undefined ? [] : [{ figure, to, value: peer / other, goal }]
  })
}

export function barOf ({ figure: { title, name, unit }, to, value, goal }: Result): Bar {
  const bound = 'atLeast' in goal ? goal.atLeast : goal.atMost
  const said = to === 'itself' ? `${shown(value)} ${unit}, goal ${shown(bound)}` : `${times(value)} ${to}, goal ${times(bound)}`
  return { label: `${shortened(title)}: ${name}`, said, score: 'atLeast' in goal ? value / bound : bound / value }
}

const labelMax = 66

const shortened = (title: string): string => title.length <= labelMax ? title : `${title.slice(0, labelMax - 1)}…`

/** As Markdown. A figure stands in one row with all its goals. */
export function resultsTable (results: readonly Result[]): string {
  const rows = [...Map.groupBy(results, ({ figure }) => figure)].map(([figure, goals]) => {
    const { title, name, unit, bare, limit, against, peer, at, commit } = figure
    const cell = (value: number | undefined): string => value === undefined ? '–' : shown(value)
    const stands = goals.map(({ to, value, goal }) => {
      const bound = 'atLeast' in goal ? `≥ ${goal.atLeast.toFixed(2)}` : `≤ ${goal.atMost.toFixed(2)}`
      return `${to === 'itself' ? `${shown(value)} ${unit}` : `${times(value)} ${to}`} (${bound})${isReached(value, goal) ? '' : ' **missed**'}`
    })
    return `| ${title}: ${name} | ${cell(bare)} | ${cell(limit)} | ${cell(against)} | ${cell(peer)} | ${unit}${isRate(figure) ? '' : ', less is better'} | ${stands.join('<br>')} | ${at.slice(0, 10)}, ${commit} |`
  })
  return ['| Job | bare | limit | other cluster | ours | | ours ÷ other side (goal) | measured |', '|---|---|---|---|---|---|---|---|', ...rows].join('\n')
}
