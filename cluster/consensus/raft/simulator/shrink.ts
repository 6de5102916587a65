import { drawSettings } from './settings.ts'
import { run } from './run.ts'
import type { RunRequest, Settings } from './settings.ts'
import type { RunResult } from './run.ts'

/** Kinds of weather that a run can do without. */
export const switches = [
  'loss', 'duplication', 'delayMost', 'longDelay', 'partition', 'adversary', 'crash', 'crashAll', 'pause', 'slowSync',
  'syncRoundsMost', 'syncFailure', 'diskFull', 'coldReads', 'reads', 'retries', 'membership', 'transfer', 'forgetLeader'
] as const satisfies ReadonlyArray<keyof Settings>
export type Switch = typeof switches[number]

export interface Shrunk {
  readonly result: RunResult
  readonly without: readonly Switch[]
}

const shorterTriesMax = 24

export function settingsWithout (request: RunRequest, without: readonly Switch[]): Settings {
  return { ...drawSettings(request), ...Object.fromEntries(without.map(name => [name, 0])) }
}

/**
 * Makes a failing run easier to read: fewer ticks, then one kind of weather less at a time, as long as the
 * same rule is still broken. A prefix of a run is the run itself, so a broken rule needs no search for its
 * tick; only what is missed in healing does.
 */
export function shrink (failed: RunResult, without: readonly Switch[] = []): Shrunk {
  let best: Shrunk = { result: cut(failed, without), without }
  for (const name of switches) {
    if (best.without.includes(name) || settingsWithout(best.result.request, best.without)[name] === 0) continue
    const less = [...best.without, name]
    const result = attempt({ ...best.result.request, ticks: failed.request.ticks }, less, failed)
    if (result === undefined) continue
    const shorter = cut(result, less)
    if (shorter.request.ticks <= best.result.request.ticks * 2) best = { result: shorter, without: less }
  }
  return best
}

export function replayCommand ({ result: { request }, without }: Shrunk): string {
  const { seed, voters, learners, ticks, profile } = request
  return `npm run raft:sim -- --seeds ${seed} --nodes ${voters} --learners ${learners} --ticks ${ticks} --profile ${profile}` +
    (without.length > 0 ? ` --without ${without.join(',')}` : '')
}

/** The shortest prefix that still fails in the same way. */
function cut (failed: RunResult, without: readonly Switch[]): RunResult {
  let best = failed
  const at = failed.failure?.tick ?? failed.request.ticks
  if (at < failed.request.ticks) best = attempt({ ...failed.request, ticks: at + 1 }, without, failed) ?? failed

  for (let tries = 0, step = Math.ceil(best.request.ticks / 2); tries < shorterTriesMax && step >= 1; tries++) {
    const ticks = best.request.ticks - step
    const shorter = ticks >= 1 ? attempt({ ...best.request, ticks }, without, failed) : undefined
    if (shorter === undefined) step = Math.floor(step / 2)
    else best = shorter
  }
  return best
}

function attempt (request: RunRequest, without: readonly Switch[], failed: RunResult): RunResult | undefined {
  const result = run(request, settingsWithout(request, without))
  return result.failure?.rule === failed.failure?.rule ? result : undefined
}
