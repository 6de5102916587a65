import { createBackground } from '../async/background.ts'
import { pause } from '../async/pause.ts'
import type { PeerId } from '../api/pin.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions, Component } from '../ports.ts'
import { dialable } from './address-book.ts'
import type { Host } from './host.ts'

export interface BootstrapComponents {
  readonly host: Pick<Host, 'self' | 'learn' | 'connect' | 'connectTo' | 'connected' | 'watch'>
  readonly clock: Clock
  readonly log: Logger
  /** From 0 to 1, so that peers that were cut off together do not come back together. */
  readonly random?: () => number
}

export interface BootstrapConfig {
  /** Multiaddrs of peers to find the others by. Without an id at the end: whoever answers there, if it knows the secret. */
  readonly addresses: readonly string[]
}

/** Stays connected: connects at the start, and again whenever a connection is lost, for as long as this peer runs. */
export interface Bootstrap extends Component {
  /** The peers to stay connected with besides those of the configuration; instead of those that were said before. */
  keep (peers: readonly PeerId[]): void
}

const firstWaitMs = 500
const longestWaitMs = 30_000
/** Of failures in a row, one in so many is told. */
const toldEvery = 10

export function createBootstrap (components: BootstrapComponents, { addresses }: BootstrapConfig): Bootstrap {
  return new Connecting(components, addresses)
}

class Connecting implements Bootstrap {
  readonly name = 'bootstrap'
  readonly #with: BootstrapComponents
  readonly #addresses: readonly string[]
  readonly #kept = new Map<PeerId, AbortController>()
  readonly #configured = new Set<PeerId>()
  readonly #closing = new AbortController()
  readonly #working
  #wanted: readonly PeerId[] = []
  #isStarted = false

  constructor (components: BootstrapComponents, addresses: readonly string[]) {
    this.#with = components
    this.#addresses = addresses
    this.#working = createBackground(err => { components.log.error('connecting to a peer has ended', { error: err }) })
  }

  async start ({ signal }: AbortOptions): Promise<void> {
    signal.throwIfAborted()
    this.#isStarted = true
    for (const address of this.#addresses) this.#useAddress(address)
    this.keep(this.#wanted)
  }

  keep (peers: readonly PeerId[]): void {
    this.#wanted = peers
    if (!this.#isStarted || this.#closing.signal.aborted) return
    const wanted = new Set([...peers, ...this.#configured])
    wanted.delete(this.#with.host.self)
    for (const [peer, controller] of this.#kept) {
      if (wanted.has(peer)) continue
      this.#kept.delete(peer)
      controller.abort(new Error('not wanted any more'))
    }
    for (const peer of wanted) {
      if (this.#kept.has(peer)) continue
      const controller = new AbortController()
      this.#kept.set(peer, controller)
      this.#working.run(this.#stayConnected(peer, AbortSignal.any([controller.signal, this.#closing.signal])))
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#closing.abort(new Error('this peer is stopping'))
    await this.#working[Symbol.asyncDispose]()
  }

  #useAddress (address: string): void {
    const named = dialable(address)?.peer
    if (named === undefined) {
      this.#working.run(this.#findWhoAnswers(address))
      return
    }
    this.#with.host.learn(named, [address])
    this.#configured.add(named)
  }

  /** An address without an id: once somebody has answered there, that peer is stayed connected with. */
  async #findWhoAnswers (address: string): Promise<void> {
    const { host } = this.#with
    const { signal } = this.#closing
    const peer = await this.#untilDone(address, signal, async () => await host.connectTo(address, { signal }))
    if (peer === undefined) return
    this.#configured.add(peer)
    this.keep(this.#wanted)
  }

  async #stayConnected (peer: PeerId, signal: AbortSignal): Promise<void> {
    const { host } = this.#with
    while (!signal.aborted) {
      await this.#untilDone(peer, signal, async () => {
        if (!host.connected().includes(peer)) await host.connect(peer, { signal })
      })
      await this.#gone(peer, signal)
    }
  }

  /** Tries until it succeeds, longer apart each time. Undefined when the signal aborts first. */
  async #untilDone<T> (who: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T | undefined> {
    const { clock, log, random = Math.random } = this.#with
    for (let failures = 0; !signal.aborted;) {
      try {
        const done = await attempt()
        if (failures > 0) log.info('a peer is reached again', { peer: who, afterFailures: failures })
        return done
      } catch (err) {
        if (signal.aborted) return undefined
        if (failures++ % toldEvery === 0) log.warn('a peer cannot be reached; it is tried again', { peer: who, error: err, failures })
      }
      const waitMs = Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs)
      await pause(clock, waitMs * (0.5 + random() / 2), signal).catch(() => {}) // given up: the loop ends
    }
    return undefined
  }

  /** Resolves when there is no connection to the peer any more, or when the signal aborts. */
  async #gone (peer: PeerId, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    using _watch = this.#with.host.watch((changed, isConnected) => { if (changed === peer && !isConnected) resolve() })
    const onAbort = (): void => { resolve() }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted || !this.#with.host.connected().includes(peer)) resolve()
    await promise
    signal.removeEventListener('abort', onAbort)
  }
}
