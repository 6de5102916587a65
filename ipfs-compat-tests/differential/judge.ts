import { createRandom } from '../../cluster/consensus/raft/simulator/random.ts'
import type { KnownDifferences } from '../harness/recordings/known-differences.ts'
import type { RecordedRequest } from '../harness/recordings/recording.ts'
import { randomScript } from './grammar.ts'
import type { ScriptOptions } from './grammar.ts'
import { shrink } from './shrink.ts'
import type { Bench } from './trial.ts'

type Script = readonly RecordedRequest[]

/** Enough to see what matters in a request of a few options. */
const shrinkTriesMax = 60

/** Something that a client could notice, and how to see it again. */
export interface Finding {
  readonly script: Script
  readonly differences: readonly string[]
  /** A difference that is not there each time. */
  readonly isUnsteady: boolean
}

/** The script that a seed and a number stand for, on its own. */
export function scriptOf (seed: number, number: number, options?: ScriptOptions): Script {
  return randomScript(createRandom(seed, number), options)
}

/**
 * Runs a script; what differs is run again, because two daemons may do what waits for nothing in either order, and made smaller.
 *
 * @returns undefined when nothing differs but what is allowed
 */
export async function judgeScript (bench: Bench, script: Script, allowed: KnownDifferences, { shrinks }: { readonly shrinks: boolean }): Promise<Finding | undefined> {
  const first = await unallowed(bench, script, allowed)
  if (first.length === 0) return undefined
  const isSteady = (await unallowed(bench, script, allowed)).length > 0
  if (!isSteady || !shrinks) return { script, differences: first, isUnsteady: !isSteady }
  const smallest = await shrink(script, async smaller => (await unallowed(bench, smaller, allowed)).length > 0, shrinkTriesMax)
  const differences = await unallowed(bench, smallest, allowed)
  return { script: smallest, differences: differences.length === 0 ? first : differences, isUnsteady: false }
}

/** Whether a reason covers a difference. It is looked for in three parts below one another: the kind of daemon, the request's line, what differs. */
export function isAllowed (daemon: Bench['daemon'], request: RecordedRequest, differences: readonly string[], { reasons }: KnownDifferences): boolean {
  const told = [daemon, lineOf(request), ...differences].join('\n')
  return reasons.some(({ match }) => new RegExp(match).test(told))
}

/** What differs and no reason covers. After a difference that is allowed the sides are no longer equal. */
async function unallowed (bench: Bench, script: Script, allowed: KnownDifferences): Promise<readonly string[]> {
  const outcome = await bench.run(script)
  const at = outcome.findIndex(differences => differences.length > 0)
  if (at < 0) return []
  return isAllowed(bench.daemon, script[at]!, outcome[at]!, allowed) ? [] : outcome[at]!
}

/** A request in one line, for people and for reasons: `POST /api/v0/pin/ls?… [12 bytes …]`. */
export function lineOf ({ method, path, headers, body, chunked, version }: RecordedRequest): string {
  const rest = [...headers.filter(([name]) => name !== 'Content-Type' || body === undefined).map(pair => pair.join(': ')), ...chunked === true ? ['chunked'] : [], ...version === undefined ? [] : [`HTTP/${version}`], ...body === undefined ? [] : [`body ${JSON.stringify(body).slice(0, 900)}`]]
  return [method, path, ...rest].join(' ')
}
