import type { Mutant } from './mutant.ts'

/** The log on disk, sessions, identity. */
export const storageMutants: readonly Mutant[] = []
