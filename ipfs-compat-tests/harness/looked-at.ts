import type { PeerId } from '../../cluster/api/pin.ts'
import { FakeClock } from '../../cluster/clock.ts'
import type { AbortOptions } from '../../cluster/ports.ts'

export const [self, other] = ['self', 'other'] as unknown as readonly [PeerId, PeerId]
export const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve))
export const never = async (): Promise<never> => await new Promise(() => {})
const stepMs = 250

/** Two peers, and a clock that moves only with them. */
export interface LookedAt {
  readonly clock: FakeClock
  readonly members: PeerId[]
  /** What the other one does when it is looked at. */
  answer: () => Promise<unknown>
  /** Ends with the answer or the signal. */
  readonly look: (peer: PeerId, options: AbortOptions) => Promise<unknown>
  readonly looks: () => number
  /** Time, in steps in which all that is due happens. */
  pass (ms: number): Promise<void>
}

/** For what finds out whether a peer is there by looking at it. */
export function lookedAt (answer: () => Promise<unknown>): LookedAt {
  const clock = new FakeClock()
  let looks = 0
  const parts: LookedAt = {
    clock, answer,
    members: [self, other],
    looks: () => looks,
    look (_peer, { signal }) {
      looks++
      return Promise.race([parts.answer(), new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })])
    },
    async pass (ms) {
      for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
        clock.advance(stepMs)
        await turn()
      }
    }
  }
  return parts
}
