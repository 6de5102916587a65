/** The membership as of an entry of the log, from an earlier one and what lies between. */
import { decodeConfChange } from './core/conf-codec.ts'
import { restoreMembership } from './core/conf-state.ts'
import { changeMembership } from './core/confchange.ts'
import { defaultLimits } from './core/limits.ts'
import { Tracker } from './core/tracker.ts'
import type { ConfState, Index, LogReader } from './core/types.ts'

const stepBytes = 1_024 * 1_024

/** `conf` is that of `from`; the log must hold what is between. */
export function confStateAt (log: LogReader, conf: ConfState, from: Index, to: Index): ConfState {
  const surroundings = { lastIndex: to, limits: defaultLimits }
  let outcome = restoreMembership(surroundings, conf)
  for (let next = from + 1; next <= to;) {
    const entries = log.entries(next, to + 1, stepBytes)
    if (typeof entries === 'string') throw new Error(`entries from ${next} on are ${entries}`)
    for (const entry of entries) {
      const change = decodeConfChange(entry)
      if (change !== undefined) outcome = changeMembership({ ...surroundings, ...outcome }, change)
    }
    next += entries.length
  }
  const tracker = new Tracker()
  tracker.use(outcome.membership, outcome.progress)
  return tracker.confState()
}
