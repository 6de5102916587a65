/** What was measured before, on which machine: one JSON line for each figure, so that a later run can be held against it. */
import { execFile } from 'node:child_process'
import { appendFile, readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median } from './report.ts'
import type { Goals } from './report.ts'

export const historyFile = fileURLToPath(new URL('history.jsonl', import.meta.url))
/** Beyond it a figure is worse than noise explains. */
const regressionMin = 0.15
/** Of the runs before the last, so many say what is usual. */
const usualRuns = 9

export interface Growth { readonly what: string, readonly value: number }

/** A figure of one run: the medians of all sides. Where there is another side only ratios are compared, as machines differ and one machine does from hour to hour. */
export interface Figure {
  /** ISO 8601. */
  readonly at: string
  readonly commit: string
  readonly machine: string
  /** What was compared: Kubo and its version, several peers, another cluster. */
  readonly sides: string
  readonly title: string
  readonly name: string
  readonly unit: string
  readonly bare?: number
  readonly limit?: number
  readonly against?: number
  readonly peer: number
  readonly goals?: Goals
  /** What grew from figure to figure, and how much of it there was: pins, peers, connections. */
  readonly over?: Growth
}

/** Whether more is better: rates are per second, all else is time or memory. */
export const isRate = ({ unit }: Pick<Figure, 'unit'>): boolean => unit.endsWith('/s')
const keyOf = ({ machine, sides, title, name }: Figure): string => JSON.stringify([machine, sides, title, name])
/** How well the peer does: greater is better. */
function merit (figure: Figure): number {
  const ratio = figure.peer / (figure.bare ?? figure.limit ?? 1)
  return isRate(figure) ? ratio : 1 / ratio
}

export interface Regression { readonly figure: Figure, readonly usual: number, readonly now: number }

/** The figures of each last run that are more than 15 % worse than the median of those before it. */
export function regressions (figures: readonly Figure[]): readonly Regression[] {
  const series = Map.groupBy(figures, keyOf)
  return [...series.values()].flatMap(all => {
    const last = all.at(-1)!
    const before = all.slice(0, -1).slice(-usualRuns).map(merit)
    if (before.length === 0 || merit(last) >= median(before) * (1 - regressionMin)) return []
    return [{ figure: last, usual: median(before), now: merit(last) }]
  })
}

/** @throws SyntaxError for a line that is none of ours */
export async function readHistory (file = historyFile): Promise<readonly Figure[]> {
  const text = await readFile(file, 'utf8').catch((err: NodeJS.ErrnoException) => { if (err.code === 'ENOENT') return ''; throw err })
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Figure)
}

export async function remember (figures: ReadonlyArray<Omit<Figure, 'at' | 'commit' | 'machine'>>, file = historyFile): Promise<readonly Figure[]> {
  const run = { at: new Date().toISOString(), commit: await commit(), machine: machineName() }
  const whole = figures.map(figure => ({ ...run, ...figure }))
  await appendFile(file, whole.map(figure => `${JSON.stringify(figure)}\n`).join(''))
  return whole
}

function machineName (): string {
  const all = cpus()
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`
}

/** Of the tree that is measured, with a + when it was changed since. */
async function commit (): Promise<string> {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  const git = async (...args: readonly string[]): Promise<string> => (await promisify(execFile)('git', args, { cwd })).stdout.trim()
  try {
    const changed = await git('status', '--porcelain', '--untracked-files=no', '--', ':/', ':!history.jsonl')
    return `${await git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : '+'}`
  } catch {
    return 'unknown' // a packed archive has no history
  }
}
