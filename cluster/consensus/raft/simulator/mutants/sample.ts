import type { Mutant } from './mutant.ts'

/** What a mutant takes on two cores, killers' start and health check included; measured on a busy machine. */
const secondsOfTest = 10
const secondsOfSeeds = 15
const lanes = 2

/**
 * The same mutants every time: every so-many-th of the list, so that all kinds are among them, as many as are
 * expected to fit.
 */
export function sampleWithin (mutants: readonly Mutant[], seconds: number): readonly Mutant[] {
  const cost = mutants.reduce((sum, { killers: [first] }) => sum + (first !== undefined && 'test' in first ? secondsOfTest : secondsOfSeeds), 0)
  const share = Math.min(1, seconds * lanes / cost)
  return mutants.filter((_, at) => Math.floor((at + 1) * share) > Math.floor(at * share))
}
