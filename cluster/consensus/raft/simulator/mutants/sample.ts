import type { Mutant } from './mutant.ts'

/** What a mutant takes on two cores, killers' start and health check included; measured on a busy machine. */
const secondsOfTest = 10
const secondsOfSeeds = 15
const lanes = 2

/** What a sample may take if nothing else is said: what a pull request is made to wait for. */
export const sampleSeconds = 300

export function expectedSeconds ({ killers: [first] }: Mutant): number {
  return first !== undefined && 'test' in first ? secondsOfTest : secondsOfSeeds
}

/**
 * The same mutants every time: every so-many-th of the list, so that all kinds are among them, as many as are
 * expected to fit. Every other one comes first, so that all kinds are also among those that a slow machine gets to.
 */
export function sampleWithin (mutants: readonly Mutant[], seconds: number): readonly Mutant[] {
  const cost = mutants.reduce((sum, mutant) => sum + expectedSeconds(mutant), 0)
  const share = Math.min(1, seconds * lanes / cost)
  const sample = mutants.filter((_, at) => Math.floor((at + 1) * share) > Math.floor(at * share))
  return [...sample.filter((_, at) => at % 2 === 0), ...sample.filter((_, at) => at % 2 === 1)]
}

/** `--sample` alone means the usual time. */
export function withSampleSeconds (argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--sample')
  const isAlone = at >= 0 && !/^\d+$/.test(argv[at + 1] ?? '')
  return isAlone ? argv.with(at, `--sample=${sampleSeconds}`) : argv
}
