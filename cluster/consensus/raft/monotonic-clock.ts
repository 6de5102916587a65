import type { Clock } from '../../clock.ts'

/** For the engine: it counts how long, never what time it is, so a clock that is set must not move it. */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  after (delayMs, task) {
    const timer = setTimeout(task, delayMs)
    return { [Symbol.dispose]: () => { clearTimeout(timer) } }
  }
}
