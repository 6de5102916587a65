import { run } from './run.ts'
import { settingsWithout } from './shrink.ts'
import { withoutOutsideWorld } from './stubs.ts'
import type { RunRequest } from './settings.ts'
import type { RunResult } from './run.ts'
import type { Switch } from './shrink.ts'

/** Seeds in a row, all else being the same. */
export interface Batch extends Omit<RunRequest, 'seed'> {
  readonly firstSeed: number
  readonly seeds: number
  readonly without: readonly Switch[]
}

export interface BatchResult {
  readonly firstSeed: number
  /** One a seed, in order. */
  readonly hashes: readonly string[]
  readonly ticks: number
  readonly commits: number
  readonly elections: number
  readonly acknowledged: number
  readonly failures: readonly RunResult[]
}

export function runBatch ({ firstSeed, seeds, without, ...rest }: Batch): BatchResult {
  return withoutOutsideWorld(() => {
    const results = Array.from({ length: seeds }, (_, at) => {
      const request = { ...rest, seed: firstSeed + at }
      return run(request, settingsWithout(request, without))
    })
    const sum = (of: (result: RunResult) => number): number => results.reduce((total, result) => total + of(result), 0)
    return {
      firstSeed,
      hashes: results.map(({ hash }) => hash),
      ticks: sum(({ ticks }) => ticks),
      commits: sum(({ commits }) => commits),
      elections: sum(({ elections }) => elections),
      acknowledged: sum(({ acknowledged }) => acknowledged),
      failures: results.filter(({ failure }) => failure !== undefined)
    }
  })
}
