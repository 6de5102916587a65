import { electionMutants } from './election-mutants.ts'
import { membershipMutants } from './membership-mutants.ts'
import { replicationMutants } from './replication-mutants.ts'
import { storageMutants } from './storage-mutants.ts'
import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = [...electionMutants, ...replicationMutants, ...membershipMutants, ...storageMutants]
