import { pingFromText, pingName } from './api/metric.ts'
import type { Metric } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import type { Clock } from './clock.ts'
import type { Monitor } from './ports.ts'

/** Clocks that differ by less are in step: a ping may be some seconds on its way. */
const inStepMs = 60_000

export interface AgreedTimeComponents {
  readonly self: PeerId
  /** Whose clocks count: what a peer that only stores says moves nothing. */
  readonly writers: () => readonly PeerId[]
  readonly monitor: Pick<Monitor, 'latest'>
  /** This machine's, which may be wrong, or be set at any moment. */
  readonly clock: Clock
  /** By which the monitor goes: it is never set. */
  readonly steady: Pick<Clock, 'now'>
}

/** A clock that goes by most of the peers' clocks where this machine's is out of step with them. */
export interface AgreedTime extends Clock {
  /** The latest time that the clocks of more than half of the writers have reached; `undefined` while too few of them are known. */
  agreedMs (): number | undefined
  /** By how much this machine's clock is ahead of that, negative when it is behind; 0 while they are in step or not known. */
  aheadMs (): number
}

/**
 * Compares this machine's clock with what the others' pings say of theirs. One that is wrong, or jumps while the peer runs, then neither removes a pin before
 * its time nor keeps one for ever: of three or more no single one decides, and of two the later one waits for the other.
 */
export function createAgreedTime ({ self, writers, monitor, clock, steady }: AgreedTimeComponents): AgreedTime {
  /** How far a ping's sender was from this peer's steady clock. */
  const offsets = new WeakMap<Metric, number | undefined>()

  function offsetOf (ping: Metric): number | undefined {
    if (!offsets.has(ping)) {
      const { clockAtEndMs } = pingFromText(ping.value)
      offsets.set(ping, clockAtEndMs === undefined ? undefined : clockAtEndMs - ping.expireAtMs)
    }
    return offsets.get(ping)
  }

  function agreedMs (): number | undefined {
    const counted = writers()
    const others = monitor.latest(pingName).filter(({ peer }) => peer !== self && counted.includes(peer)).map(offsetOf).filter(offset => offset !== undefined)
    const own = counted.includes(self) ? [clock.now() - steady.now()] : []
    const latestFirst = [...own, ...others].sort((a, b) => b - a)
    const reached = latestFirst[Math.floor(counted.length / 2)]
    return reached === undefined ? undefined : steady.now() + reached
  }

  function aheadMs (): number {
    const agreed = agreedMs()
    const ahead = agreed === undefined ? 0 : clock.now() - agreed
    return Math.abs(ahead) < inStepMs ? 0 : ahead
  }

  return {
    agreedMs: () => {
      const agreed = agreedMs()
      return agreed === undefined ? undefined : clock.now() - aheadMs()
    },
    aheadMs,
    now: () => clock.now() - aheadMs(),
    after: (delayMs, task) => clock.after(delayMs, task)
  }
}
