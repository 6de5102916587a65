import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { profileNames } from './settings.ts'
import { switches } from './shrink.ts'
import type { ProfileName } from './settings.ts'
import type { Switch } from './shrink.ts'

export interface SimulatorArgs {
  readonly firstSeed: number
  readonly lastSeed: number
  readonly voters: number
  readonly learners: number
  readonly ticks: number
  readonly profile: ProfileName
  readonly workers: number
  readonly without: readonly Switch[]
  /** Print each seed's hash, not only that of them all. */
  readonly hashes: boolean
  /** No further seeds are begun after so many seconds. */
  readonly seconds: number
  /** Say which seed failed, without looking for the shortest prefix. */
  readonly quick: boolean
  /** A file for what the one seed does, event by event. */
  readonly trace: string | undefined
  readonly help: boolean
}

const secondsMost = 1_000_000

export const usage = `npm run raft:sim -- --seeds A..B [--nodes N] [--learners L] [--ticks T] [--profile P]

  --seeds A..B    both included; a single number replays that seed           (1..1000)
  --nodes N       voters at first, 1 to 9                                     (3)
  --learners L    learners at first, 0 to 50                                  (0)
  --ticks T       ticks under fire; healing comes after                       (500)
  --profile P     ${profileNames.join(' | ')}                     (hostile)
  --workers W     threads                                                     (one a core)
  --without X,Y   leaves kinds of weather out: ${switches.join(', ')}
  --hashes        prints the trace hash of every seed
  --seconds S     begins no more seeds after so long                          (no limit)
  --quick         does not look for the shortest prefix of a failing seed
  --trace FILE    writes what a single seed does as lines of JSON, as etcd's TLA+ specification reads them;
                  the profile model does only what that model knows
`

/** @throws Error with what is wrong, for the command line */
export function parseSimulatorArgs (args: readonly string[]): SimulatorArgs {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1..1000' },
      nodes: { type: 'string', default: '3' },
      learners: { type: 'string', default: '0' },
      ticks: { type: 'string', default: '500' },
      profile: { type: 'string', default: 'hostile' },
      workers: { type: 'string', default: String(availableParallelism()) },
      without: { type: 'string', default: '' },
      hashes: { type: 'boolean', default: false },
      seconds: { type: 'string', default: String(secondsMost) },
      quick: { type: 'boolean', default: false },
      trace: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  const [first = '', last = first] = values.seeds.split('..')
  const firstSeed = integer('seeds', first, 0, Number.MAX_SAFE_INTEGER)
  const lastSeed = integer('seeds', last, firstSeed, Number.MAX_SAFE_INTEGER)
  if (values.trace !== undefined && lastSeed > firstSeed) throw new Error('--trace: one seed at a time')
  return {
    firstSeed,
    lastSeed,
    voters: integer('nodes', values.nodes, 1, 9),
    learners: integer('learners', values.learners, 0, 50),
    ticks: integer('ticks', values.ticks, 1, 10_000_000),
    profile: oneOf('profile', values.profile, profileNames),
    workers: integer('workers', values.workers, 1, 64),
    without: values.without.split(',').filter(name => name !== '').map(name => oneOf('without', name, switches)),
    hashes: values.hashes,
    seconds: integer('seconds', values.seconds, 1, secondsMost),
    quick: values.quick,
    trace: values.trace,
    help: values.help
  }
}

function integer (name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text !== '' && Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new Error(`--${name}: expected an integer from ${least} to ${most}, not "${text}"`)
}

function oneOf<T extends string> (name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find(one => one === text)
  if (found === undefined) throw new Error(`--${name}: expected one of ${allowed.join(', ')}, not "${text}"`)
  return found
}
