import type { CID } from 'multiformats/cid'
import { createBackground } from '../async/background.ts'
import { oneAtATime } from '../async/one-at-a-time.ts'
import { pause } from '../async/pause.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions } from '../ports.ts'
import { reconcile } from './reconcile.ts'
import type { ReconcileComponents } from './reconcile.ts'

const firstPauseMs = 1_000
const longestPauseMs = 30_000

/** Lets one reconciliation run at a time: by itself until one has come through, or for who asks. */
export interface Reconciler extends AsyncDisposable {
  /** In the background; tried again until the daemon could be read. Asking twice is asking once. */
  soon (): void
  /** After what runs already. Yields what was queued. */
  now (options: AbortOptions): AsyncGenerator<CID, void, undefined>
}

export function createReconciler (components: ReconcileComponents & { readonly log: Logger }): Reconciler {
  const { log, clock } = components
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('reconciliation ended', { err }) })
  const inTurn = oneAtATime()
  let isDue = false

  const now = (options: AbortOptions): AsyncGenerator<CID, void, undefined> => inTurn(() => reconcile(components, options), options)

  async function untilThrough (): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        isDue = false
        let queued = 0
        for await (const _cid of now({ signal: closing.signal })) queued++
        log.info('the daemon\'s pins were compared with the pinset', { queued })
        return
      } catch (err) {
        closing.signal.throwIfAborted()
        isDue = true
        log.warn('the daemon\'s pins cannot be read; trying again', { err, pauseMs })
        await pause(clock, pauseMs, closing.signal)
      }
    }
  }

  return {
    soon () {
      if (isDue) return
      isDue = true
      background.run(untilThrough())
    },
    now,
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
