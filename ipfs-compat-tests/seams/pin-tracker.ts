/** What every `PinTracker` promises. */
import t from 'tap'
import { failures, restarts } from './pin-tracker-faults.ts'
import type { OpenTracker, Test } from './pin-tracker-kit.ts'
import { imports, ownership } from './pin-tracker-ownership.ts'
import { pinning } from './pin-tracker-pinning.ts'

export function pinTrackerSuite (name: string, open: OpenTracker): void {
  const test: Test = (title, body) => { void t.test(`${name}: ${title}`, body) }
  pinning(test, open)
  ownership(test, open)
  failures(test, open)
  restarts(test, open)
  imports(test, open)
}
