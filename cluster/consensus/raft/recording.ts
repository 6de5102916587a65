import type { CoreInput } from './core-inputs.ts'
import type { Driver } from './driver.ts'
import type { Recorder } from './mailbox-record.ts'
import type { RaftStorage } from './storage.ts'

/** So many inputs between two looks at the core that the repetition is compared with. */
const recordedLookEvery = 100

/** Begins a record with the log as it is, and answers what is to be called before each input. */
export function recordFrom (recorder: Recorder, storage: RaftStorage, start: Omit<Parameters<Recorder['start']>[0], 'base' | 'entries'>): (input: CoreInput, driver: Driver | undefined) => void {
  const { log } = storage
  const entries = log.lastIndex() < log.firstIndex() ? [] : log.entries(log.firstIndex(), log.lastIndex() + 1, Infinity)
  recorder.start({ ...start, base: { ...storage.base, index: log.firstIndex() - 1 }, entries: typeof entries === 'string' ? [] : entries })
  let base = storage.base
  let inputs = 0
  return (input, driver) => {
    if (storage.base !== base) recorder.based(base = storage.base)
    if (driver !== undefined && ++inputs % recordedLookEvery === 0) recorder.seen(driver.core.status())
    recorder.input(input)
  }
}
