/** What a measurement says: tables for people, or with `--json` one line for each figure. Each figure is remembered, see `history.ts`. */
import { remember } from './history.ts'
import { medianOf, otherSides, reportText } from './report.ts'
import type { Measured, Rounds } from './report.ts'

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
}

/** Rounds of all sides: medians, their ratios and whether goals were reached. */
export async function tell ({ sides, title, rounds, measured }: Told): Promise<void> {
  say(reportText(title, rounds, measured))
  const figures = await remember(Object.entries(measured).flatMap(([name, { unit, goals }]) => {
    const peer = medianOf(rounds.peer, name)
    if (peer === undefined) return []
    const others = Object.fromEntries(otherSides.map(side => [side, medianOf(rounds[side], name)]).filter(([, value]) => value !== undefined))
    return [{ sides, title, name, unit, ...others, peer, ...goals !== undefined && { goals } }]
  }))
  if (isJson) for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`)
}
