/** What a measurement says: tables for people, or with `--json` one line for each figure. Each figure is remembered, see `history.ts`. */
import { remember } from './history.ts'
import { median, reportText } from './report.ts'
import type { Measured, Round } from './report.ts'

const isJson = process.argv.includes('--json')

/** For people; beside JSON it is out of the way. */
export function say (text: string): void {
  (isJson ? process.stderr : process.stdout).write(text)
}

export interface Told {
  readonly sides: string
  readonly title: string
  readonly bare: readonly Round[]
  readonly peer: readonly Round[]
  readonly measured: Readonly<Record<string, Measured>>
}

/** Rounds of both sides: medians, their ratio and whether a goal was reached. */
export async function tell ({ sides, title, bare, peer, measured }: Told): Promise<void> {
  say(reportText(title, bare, peer, measured))
  const figures = await remember(Object.entries(measured).map(([name, { unit, goal }]) => {
    const of = (rounds: readonly Round[]): number => median(rounds.map(round => round[name]!))
    return { sides, title, name, unit, bare: of(bare), peer: of(peer), ...goal !== undefined && { goal } }
  }))
  if (isJson) for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`)
}
