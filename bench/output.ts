/** What a measurement says: tables for people, or with `--json` one line for each figure. Each figure is remembered, see `history.ts`. */
import { remember } from './history.ts'
import type { Growth } from './history.ts'
import { medianOf, otherSides, reportText, shown, tableText, verdict } from './report.ts'
import type { Goal, Measured, Rounds } from './report.ts'

const isJson = process.argv.includes('--json')

/** For people; beside JSON it is out of the way. */
export function say (text: string): void {
  (isJson ? process.stderr : process.stdout).write(text)
}

export interface Told {
  readonly sides: string
  readonly title: string
  readonly rounds: Rounds
  readonly measured: Readonly<Record<string, Measured>>
  readonly over?: Growth
}

/** What only ours has: one value of it. */
export interface OwnFigure {
  readonly what: string
  readonly unit: string
  readonly value: number
  readonly goal?: Goal
}

/** One row for each, in their order. */
export async function tellFigures (of: Pick<Told, 'sides' | 'title' | 'over'>, figures: readonly OwnFigure[]): Promise<void> {
  const rows = figures.map(({ what, unit, value, goal }) => [what, `${shown(value)} ${unit}`, verdict(value, goal, bound => bound.toLocaleString('en'))])
  say(tableText(of.title, [['', 'measured', 'goal'], ...rows]))
  await keep(figures.map(({ what, unit, value, goal }) => ({ ...of, name: what, unit, peer: value, ...goal !== undefined && { goals: { itself: goal } } })))
}

/** Rounds of all sides: medians, their ratios and whether goals were reached. */
export async function tell ({ sides, title, rounds, measured, over }: Told): Promise<void> {
  say(reportText(title, rounds, measured))
  await keep(Object.entries(measured).flatMap(([name, { unit, goals }]) => {
    const peer = medianOf(rounds.peer, name)
    if (peer === undefined) return []
    const others = Object.fromEntries(otherSides.map(side => [side, medianOf(rounds[side], name)]).filter(([, value]) => value !== undefined))
    return [{ sides, title, name, unit, ...others, peer, ...goals !== undefined && { goals }, ...over !== undefined && { over } }]
  }))
}

async function keep (figures: Parameters<typeof remember>[0]): Promise<void> {
  const remembered = await remember(figures)
  if (isJson) for (const figure of remembered) process.stdout.write(`${JSON.stringify(figure)}\n`)
}
