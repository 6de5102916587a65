import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { PeerRpc } from './peer-ports.ts'
import type { AbortOptions, Component } from './ports.ts'

/** Between two looks at a peer that is waited for: what is answered sooner costs no look at all… */
const lookEveryMs = 500
/** …and at one that is silent. */
const lookAgainEveryMs = 2_000
/** A look is waited for in steps, so that a pause of this peer's own is one step, whatever the clock says after it. */
const stepMs = 1_000
/** A peer that does not answer a look for so long is silent… */
const silentAfterSteps = 2
/** …but one that has lately said that it is there is only busy: it has so long. */
const silentThoughFreshAfterSteps = 10

export interface PresenceComponents {
  readonly self: PeerId
  readonly peerset: () => readonly PeerId[]
  /** The smallest of questions, which needs no daemon and waits for no turn. Its answer does not matter, only that there is one; it ends by itself. */
  readonly look: (peer: PeerId, options: AbortOptions) => Promise<unknown>
  /** Whether what it last said of itself still holds. */
  readonly isFresh: (peer: PeerId) => boolean
  readonly clock: Clock
}

/** Aborts as soon as the peer is known to be silent, with ERR_PEER_FAILED and why, or when the signal it was made of does. */
export interface Watch extends Disposable { readonly signal: AbortSignal }

/**
 * Tells peers that are slow from those that are not there: who waits for a peer has it looked at, and is let go within 2.5 s when it does not
 * answer even that, or within 10.5 s when it has lately said that it is there and may only be busy. From then on nobody waits for it until it
 * has answered again; that is found out beside, and by what it says itself.
 */
export interface Presence extends Component {
  watch (peer: PeerId, options: AbortOptions): Watch
  /** It has said something: whoever speaks is there. */
  heard (peer: PeerId): void
  /** Those that nobody waits for just now. */
  silent (): ReadonlySet<PeerId>
}

/** Calls, pulls and pushes that wait for no peer longer than it is there. */
export function attentive (rpc: Pick<PeerRpc, 'call' | 'pull' | 'push'>, presence: Pick<Presence, 'watch'>): Pick<PeerRpc, 'call' | 'pull' | 'push'> {
  return {
    async call (peer, method, argument, options) {
      using watch = presence.watch(peer, options)
      return await rpc.call(peer, method, argument, watch)
    },
    async * pull (peer, method, argument, options) {
      using watch = presence.watch(peer, options)
      yield * rpc.pull(peer, method, argument, watch)
    },
    async push (peer, method, source, options) {
      using watch = presence.watch(peer, options)
      return await rpc.push(peer, method, source, watch)
    }
  }
}

interface Seen {
  readonly waits: Set<AbortController>
  silence: ClusterError | undefined
}

export function createPresence ({ self, peerset, look, isFresh, clock }: PresenceComponents): Presence {
  const closing = new AbortController()
  const background = createBackground(() => {}) // it ends when this peer does
  /** Those that are waited for or silent; each is looked at until it is neither. */
  const seen = new Map<PeerId, Seen>()

  function fallSilent (one: Seen, silence: ClusterError): void {
    one.silence = silence
    for (const wait of one.waits) wait.abort(silence)
    one.waits.clear()
  }

  /** Ends when the signal aborts. */
  async function losePatience (peer: PeerId, one: Seen, signal: AbortSignal): Promise<void> {
    for (let steps = 1; ; steps++) {
      await pause(clock, stepMs, signal)
      if (steps < silentAfterSteps || (steps < silentThoughFreshAfterSteps && isFresh(peer))) continue
      return fallSilent(one, one.silence ?? new ClusterError('ERR_PEER_FAILED', `${peer} is silent: it has not answered for ${steps * stepMs} ms`))
    }
  }

  async function lookOnce (peer: PeerId, one: Seen): Promise<void> {
    const answered = new AbortController()
    background.run(losePatience(peer, one, AbortSignal.any([answered.signal, closing.signal])))
    try {
      await look(peer, closing)
      one.silence = undefined
    } catch (err) {
      closing.signal.throwIfAborted()
      const { message } = err as Error
      fallSilent(one, one.silence ?? new ClusterError('ERR_PEER_FAILED', message.includes(peer) ? message : `${peer}: ${message}`, { cause: err }))
    } finally {
      answered.abort(new Error('it is known'))
    }
  }

  async function lookWhileNeeded (peer: PeerId, one: Seen): Promise<void> {
    const isNeeded = (): boolean => one.waits.size > 0 || (one.silence !== undefined && peerset().includes(peer))
    try {
      while (isNeeded()) {
        await pause(clock, one.silence === undefined ? lookEveryMs : lookAgainEveryMs, closing.signal)
        if (isNeeded()) await lookOnce(peer, one)
      }
    } finally {
      seen.delete(peer)
    }
  }

  /** What is known of the peer; from now on it is looked at. */
  function regarded (peer: PeerId): Seen {
    const before = seen.get(peer)
    if (before !== undefined) return before
    const one: Seen = { waits: new Set(), silence: undefined }
    seen.set(peer, one)
    return one
  }

  return {
    name: 'presence',
    async start ({ signal }) { signal.throwIfAborted() },
    watch (peer, { signal }) {
      if (peer === self || closing.signal.aborted) return { signal, [Symbol.dispose] () {} }
      const isNew = !seen.has(peer)
      const one = regarded(peer)
      const wait = new AbortController()
      if (one.silence === undefined) one.waits.add(wait)
      else wait.abort(one.silence)
      if (isNew) background.run(lookWhileNeeded(peer, one))
      return { signal: AbortSignal.any([signal, wait.signal]), [Symbol.dispose]: () => { one.waits.delete(wait) } }
    },
    heard (peer) {
      const one = seen.get(peer)
      if (one !== undefined) one.silence = undefined
    },
    silent: () => new Set([...seen].filter(([, { silence }]) => silence !== undefined).map(([peer]) => peer)),
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
