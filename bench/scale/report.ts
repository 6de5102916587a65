import { shown, tableText, verdict } from '../report.ts'
import type { Goal } from '../report.ts'

/** One row of the table. */
export interface Figure {
  readonly what: string
  readonly unit: string
  readonly value: number
  readonly goal?: Goal
}

export function figuresText (title: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ what, unit, value, goal }) => [what, `${shown(value)} ${unit}`, verdict(value, goal, bound => bound.toLocaleString('en'))])
  return tableText(title, [['', 'measured', 'goal'], ...rows])
}
