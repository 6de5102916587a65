import type { CID } from 'multiformats/cid'
import { cidKeyText } from './api/cid-key.ts'
import type { PinInfo } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import { untilGivenUp } from './async/give-up.ts'
import type { Clock } from './clock.ts'

export interface StatusLaneOptions {
  readonly peer: PeerId
  readonly infos: AsyncIterable<PinInfo>
  readonly clock: Clock
  /** How long the peer may take for one of them. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** What one peer says of its pins, one at a time and ordered by CID, as far as it says anything. */
export class StatusLane {
  readonly peer: PeerId
  /** Why there is no more, when the peer has failed. */
  failure: string | undefined
  readonly #signal: AbortSignal
  readonly #infos: AsyncIterableIterator<PinInfo>
  #head: PinInfo | undefined
  #key: string | undefined

  constructor ({ peer, infos, clock, timeoutMs, signal }: StatusLaneOptions) {
    this.peer = peer
    this.#signal = signal
    this.#infos = untilGivenUp(infos, { signal, stall: { clock, timeoutMs, what: `the pins of ${peer}` } })
  }

  /** Of the next one, see `cidKeyText`; `undefined` when there is none. */
  get key (): string | undefined { return this.#key }
  get cid (): CID | undefined { return this.#head?.cid }

  /** The next one, if it is of this CID. */
  at (key: string): PinInfo | undefined {
    return this.#key === key ? this.#head : undefined
  }

  /** Goes on to the next one. A peer that fails, falls silent or loses its order has said all. @throws the signal's reason */
  async advance (): Promise<void> {
    const before = this.#key
    this.#head = undefined
    this.#key = undefined
    try {
      const { done, value } = await this.#infos.next()
      if (done === true) return
      const key = cidKeyText(value.cid)
      if (before !== undefined && key <= before) throw new Error(`${this.peer} did not list its pins in order`)
      this.#head = value
      this.#key = key
    } catch (err) {
      this.#signal.throwIfAborted()
      this.failure = (err as Error).message
      await this.close()
    }
  }

  async close (): Promise<void> {
    await this.#infos.return?.()
  }
}
