import { parsePeerId } from '../../../cluster/api/peer-id.ts'
import type { Values } from '../../args.ts'
import type { GivenOptions } from './staging.ts'

/** What a `state` command was asked for with. */
export interface StateWishes {
  /** To be read; the standard input without one. */
  readonly input: string | undefined
  /** To be written; the standard output without one. */
  readonly file: string | undefined
  readonly force: boolean
  readonly given: GivenOptions
}

/** @throws ClusterError ERR_INVALID_ARGUMENT for what is no peer id */
export function wishesOf (args: readonly string[], flags: Values): StateWishes {
  const allocations = flags.text('allocations')?.split(',').map(parsePeerId)
  return {
    input: args[0],
    file: flags.text('file'),
    force: flags.is('force'),
    given: { min: factor(flags.text('replication-min')), max: factor(flags.text('replication-max')), allocations }
  }
}

/** 0 is as if nothing were said, as in the Go program. */
const factor = (written: string | undefined): number | undefined => Number(written ?? 0) === 0 ? undefined : Number(written)
