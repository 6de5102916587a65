import type { Clock } from '../clock.ts'
import type { ProtocolTraffic } from '../peer-ports.ts'

/** How quickly a rate forgets: what came so long ago counts a third as much as what comes now. */
const memoryMs = 10_000

/** Told of the bytes of one protocol's streams. */
export interface ByteCounter {
  received (bytes: number): void
  sent (bytes: number): void
}

/** How much went over the streams of each protocol, and how fast it goes. */
export interface TrafficMeter {
  counter (protocol: string): ByteCounter
  read (): ReadonlyMap<string, ProtocolTraffic>
}

export function createTrafficMeter (clock: Clock): TrafficMeter {
  const protocols = new Map<string, { readonly into: Flow, readonly out: Flow }>()
  return {
    counter (protocol) {
      const { into, out } = protocols.get(protocol) ?? { into: new Flow(clock), out: new Flow(clock) }
      protocols.set(protocol, { into, out })
      return { received: bytes => { into.add(bytes) }, sent: bytes => { out.add(bytes) } }
    },
    read: () => new Map([...protocols].map(([protocol, { into, out }]) => [protocol, { totalIn: into.total, totalOut: out.total, rateIn: into.rate(), rateOut: out.rate() }]))
  }
}

/** A total, and its rate as an average that fades: it costs no timer and no list. */
class Flow {
  readonly #clock: Clock
  #recent = 0
  #atMs: number
  total = 0

  constructor (clock: Clock) {
    this.#clock = clock
    this.#atMs = clock.now()
  }

  add (bytes: number): void {
    this.#fade()
    this.#recent += bytes
    this.total += bytes
  }

  /** Bytes a second. */
  rate (): number {
    this.#fade()
    return this.#recent / (memoryMs / 1_000)
  }

  #fade (): void {
    const nowMs = this.#clock.now()
    if (nowMs > this.#atMs) this.#recent *= Math.exp((this.#atMs - nowMs) / memoryMs)
    this.#atMs = nowMs
  }
}
