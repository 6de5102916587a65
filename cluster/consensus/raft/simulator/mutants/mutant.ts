import type { ProfileName } from '../settings.ts'

/** What may notice a mutant: a test file of the raft folder, or the simulator with a profile. */
export type Killer =
  | { readonly test: string }
  | { readonly profile: ProfileName, readonly voters?: number, readonly learners?: number, readonly ticks?: number }

/** One change in one place that makes the engine wrong. */
export interface Mutant {
  /** As in the catalogue of mutants; a letter tells variants apart. */
  readonly id: string
  readonly what: string
  /** Within the raft folder. */
  readonly file: string
  /** Stands exactly once in the file, or the mutant is stale and the run fails. */
  readonly find: string
  readonly replace: string
  /** Tried in order until one notices. */
  readonly killers: readonly Killer[]
}

/** So many seeds a mutant may survive in one profile. */
export const seedsMax = 20_000

/** @throws Error when the mutant no longer fits the source */
export function mutate (source: string, { id, file, find, replace }: Mutant): string {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`mutant ${id} is stale: its text stands ${parts.length - 1} times in ${file}`)
  return parts.join(replace)
}

export function killerText (killer: Killer): string {
  if ('test' in killer) return killer.test
  const { profile, voters = 3, learners = 0 } = killer
  return `simulator, ${profile}, ${voters} voters${learners > 0 ? `, ${learners} learners` : ''}`
}
