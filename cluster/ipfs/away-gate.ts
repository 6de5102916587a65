import { abortable } from '../async/abortable.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'

const failuresMax = 10
const pauseMs = 1_000

/**
 * Slows down while the daemon is away, so that a million queued pins do not hammer a closed port and then all fail within a
 * second. After ten failures in a row to reach it, requests wait: once a second one probe is sent, and those that wait
 * go ahead when it gets through or fail with it when it does not.
 *
 * @see ipfs-cluster `ipfshttp.go`, the rate limiter that lets one request a second through
 */
export interface AwayGate extends Disposable {
  /** @throws what the probe threw while the daemon is away */
  opened (signal: AbortSignal): Promise<void>
  reached (): void
  missed (): void
}

export function createAwayGate (clock: Clock, probe: (signal: AbortSignal) => Promise<unknown>): AwayGate {
  const closing = new AbortController()
  let failures = 0
  let probing: Promise<unknown> | undefined

  async function probeAfterPause (): Promise<void> {
    try {
      await pause(clock, pauseMs, closing.signal)
      await probe(closing.signal)
      failures = 0
    } finally {
      probing = undefined
    }
  }

  return {
    async opened (signal) {
      if (failures < failuresMax) return
      probing ??= probeAfterPause()
      await abortable(probing, signal)
    },
    reached: () => { failures = 0 },
    missed: () => { failures++ },
    [Symbol.dispose]: () => closing.abort(new Error('the connection to the IPFS daemon is closing'))
  }
}
