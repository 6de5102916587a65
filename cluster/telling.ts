import type { PeerId, Pin } from './api/pin.ts'
import { isAllocatedTo } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import type { Logger } from './log.ts'
import type { PeerRpc, Reached } from './peer-ports.ts'
import type { AppliedOps, Ask, Component, PinTracker } from './ports.ts'

/** What may wait to be told to one peer; what comes on top is dropped: who waits asks by itself after a while. */
const waitingMax = 4_096
/** Told in one call. */
const togetherMax = 256

export interface TellingComponents {
  readonly self: PeerId
  readonly tracker: PinTracker
  readonly rpc: Pick<PeerRpc, 'call'>
  readonly log: Logger
}

/** Tells the peer whose client waits for a pin what has become of it here, so that it need not poll. */
export interface Telling extends AppliedOps, Component {}

/** Stands before the tracker: what is applied goes on to it. What is applied before the start nobody waits for any more. */
export function createTelling ({ self, tracker, rpc, log }: TellingComponents): Telling {
  const closing = new AbortController()
  const background = createBackground(err => { log.debug('a peer was not told what has become of its pin', { err }) })
  const outboxes = new Map<PeerId, Reached[]>()
  let isStarted = false

  /** One call to a peer at a time; what comes meanwhile goes with the next. */
  async function flush (peer: PeerId, outbox: Reached[]): Promise<void> {
    try {
      while (outbox.length > 0) await rpc.call(peer, 'PinTracker.Reached', outbox.splice(0, togetherMax), closing)
    } finally {
      outboxes.delete(peer)
    }
  }

  function tell (peer: PeerId, reached: Reached): void {
    const outbox = outboxes.get(peer)
    if (outbox !== undefined) {
      if (outbox.length < waitingMax) outbox.push(reached)
      return
    }
    const first = [reached]
    outboxes.set(peer, first)
    // A turn later: what is applied together is told together.
    background.run(Promise.resolve().then(async () => { await flush(peer, first) }))
  }

  async function tellWhenSettled ({ cid }: Pin, { peer, id }: Ask): Promise<void> {
    const { info, cause } = await tracker.settled(cid, closing)
    const error = cause === undefined ? undefined : cause instanceof Error ? cause : new Error(String(cause))
    tell(peer, { id, outcome: error !== undefined ? 'failed' : info.status === 'pinned' ? 'held' : 'overtaken', error })
  }

  return {
    name: 'telling',
    async start ({ signal }) {
      signal.throwIfAborted()
      isStarted = true
    },
    pinned (pin, note) {
      tracker.pinned(pin, note)
      const { ask } = note
      if (isStarted && ask !== undefined && ask.peer !== self && isAllocatedTo(pin, self)) background.run(tellWhenSettled(pin, ask))
    },
    unpinned: (cid, asker) => { tracker.unpinned(cid, asker) },
    replaced: () => { tracker.replaced() },
    async [Symbol.asyncDispose] () {
      isStarted = false
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
