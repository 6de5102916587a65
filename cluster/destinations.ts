import { ClusterError, NotEnoughPeersError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import { joinSignals } from './async/join-signals.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { PlacementWish, Placer } from './placer.ts'
import type { AbortOptions, Component, PutBlocks } from './ports.ts'
import type { Watch } from './presence.ts'

/** What is held sooner costs no look. */
const lookAfterMs = 250
const lookEveryMs = 500
/** A look is waited for in steps, so that a pause of this peer's own is one step, whatever the clock says after it. */
const stepMs = 250
/** Who does not answer a look for so long gives way to another, if there is one. */
const patienceSteps = 3

export interface DestinationsComponents {
  readonly peerset: () => readonly PeerId[]
  /** The smallest of questions that a peer has its daemon answer. Its answer does not matter, only that there is one; it ends by itself. */
  readonly look: (peer: PeerId, options: AbortOptions) => Promise<unknown>
  readonly clock: Clock
}

/** `isReplaceable`: whether another could be chosen just now. */
export interface DestinationCall extends AbortOptions { readonly isReplaceable: () => boolean }

/**
 * Tells where content should rather not go just now. A peer or a daemon that hangs is known for sure only after seconds (`Presence`), and until then the connection to it is
 * as good as any. Nothing is lost when what has not been answered goes to another a second later, so for who is waited for that is enough;
 * where there is no other it is waited for as long as ever, however slow it is.
 */
export interface Destinations extends Component {
  /** Aborts as soon as the peer or its daemon owes an answer and is replaceable, with ERR_PEER_FAILED, or when the signal does. */
  watch (peer: PeerId, call: DestinationCall): Watch
  /** Those that owe an answer. */
  overdue (): ReadonlySet<PeerId>
}

interface Looked {
  readonly waits: Map<AbortController, () => boolean>
  /** Why it is overdue. */
  lateness: ClusterError | undefined
}

export function createDestinations ({ peerset, look, clock }: DestinationsComponents): Destinations {
  const closing = new AbortController()
  const background = createBackground(() => {}) // it ends when this peer does
  /** Those that are waited for or overdue; each is looked at until it is neither. */
  const looked = new Map<PeerId, Looked>()

  function becomeOverdue (one: Looked, lateness: ClusterError): void {
    one.lateness = lateness
    for (const [wait, isReplaceable] of one.waits) if (isReplaceable()) wait.abort(lateness)
  }

  /** Ends when the signal aborts. */
  async function losePatience (peer: PeerId, one: Looked, signal: AbortSignal): Promise<void> {
    for (let step = 0; step < patienceSteps; step++) await pause(clock, stepMs, signal)
    becomeOverdue(one, new ClusterError('ERR_PEER_FAILED', `${peer} or its daemon has not answered for ${patienceSteps * stepMs} ms`))
  }

  async function lookOnce (peer: PeerId, one: Looked): Promise<void> {
    const answered = new AbortController()
    using until = joinSignals(answered.signal, closing.signal)
    background.run(losePatience(peer, one, until.signal))
    try {
      await look(peer, closing)
      one.lateness = undefined
    } catch (err) {
      closing.signal.throwIfAborted()
      becomeOverdue(one, new ClusterError('ERR_PEER_FAILED', `${peer}: ${(err as Error).message}`, { cause: err }))
    } finally {
      answered.abort(new Error('it is known'))
    }
  }

  async function lookWhileNeeded (peer: PeerId, one: Looked): Promise<void> {
    const isNeeded = (): boolean => one.waits.size > 0 || (one.lateness !== undefined && peerset().includes(peer))
    try {
      for (let afterMs = lookAfterMs; isNeeded(); afterMs = lookEveryMs) {
        await pause(clock, afterMs, closing.signal)
        if (isNeeded()) await lookOnce(peer, one)
      }
    } finally {
      looked.delete(peer)
    }
  }

  return {
    name: 'destinations',
    async start ({ signal }) { signal.throwIfAborted() },
    watch (peer, { signal, isReplaceable }) {
      if (closing.signal.aborted) return { signal, [Symbol.dispose] () {} }
      const before = looked.get(peer)
      const one = before ?? { waits: new Map(), lateness: undefined }
      const wait = new AbortController()
      if (one.lateness !== undefined && isReplaceable()) wait.abort(one.lateness)
      else one.waits.set(wait, isReplaceable)
      if (before === undefined) {
        looked.set(peer, one)
        background.run(lookWhileNeeded(peer, one))
      }
      const joined = joinSignals(signal, wait.signal)
      return {
        signal: joined.signal,
        [Symbol.dispose] () {
          one.waits.delete(wait)
          joined[Symbol.dispose]()
        }
      }
    },
    overdue: () => new Set([...looked].filter(([, { lateness }]) => lateness !== undefined).map(([peer]) => peer)),
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}

/**
 * Sends blocks for as long as who is to take them answers or cannot be replaced. This peer's own daemon is not given up any more once it was told what to pin: it pins
 * that though nobody waits for the answer, and nobody would hear of it. Another peer whose caller has gone sees to that by itself, see `takeBlocks`.
 */
export function putPromptly ({ self, destinations, put }: { readonly self: PeerId, readonly destinations: Pick<Destinations, 'watch'>, readonly put: PutBlocks }): PutBlocks {
  return async (peer, blocks, roots, call) => {
    let isTold = false
    roots.then(() => { isTold = true }, () => {})
    using watch = destinations.watch(peer, { signal: call.signal, isReplaceable: () => !(isTold && peer === self) && call.isReplaceable?.(peer) === true })
    return await put(peer, blocks, roots, { ...call, signal: watch.signal })
  }
}

export interface Choosing { readonly placer: Placer, readonly destinations: Pick<Destinations, 'overdue'> }

/** Passes those over that owe an answer, unless fewer could be chosen without them. @throws NotEnoughPeersError */
export function placePromptly ({ placer, destinations }: Choosing, wish: PlacementWish): readonly PeerId[] {
  const chosen = placer.place(wish)
  const overdue = destinations.overdue()
  if (!chosen.some(peer => overdue.has(peer) && !wish.holders.includes(peer))) return chosen
  try {
    const prompt = placer.place(avoiding(wish, overdue))
    return prompt.length >= chosen.length ? prompt : chosen
  } catch (err) {
    if (err instanceof NotEnoughPeersError) return chosen
    throw err
  }
}

/** Whether the pin could be placed by those who answer alone. */
export function isPlaceablePromptly ({ placer, destinations }: Choosing, wish: PlacementWish): boolean {
  if (wish.replication === 'everywhere') return false
  return placer.explain(avoiding(wish, destinations.overdue())).some(({ isChosen }) => isChosen)
}

function avoiding (wish: PlacementWish, overdue: ReadonlySet<PeerId>): PlacementWish {
  return { ...wish, without: [...wish.without ?? [], ...overdue] }
}
