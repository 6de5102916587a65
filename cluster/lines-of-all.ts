import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { Channel } from './async/channel.ts'
import { untilGivenUp } from './async/give-up.ts'
import { joinSignals } from './async/join-signals.ts'
import type { Clock } from './clock.ts'
import type { AbortOptions } from './ports.ts'

/** How long a peer that is there may take for the next line: it compares all that its daemon holds, and speaks of what it found alone. */
const peerTimeoutMs = 10 * 60_000
/** Lines that wait for the reader, of all peers together. */
const waitingMax = 64

export interface LinesComponents<T> {
  readonly peerset: () => readonly PeerId[]
  /** Asks one peer, which may be this one. */
  readonly ask: (peer: PeerId, options: AbortOptions) => AsyncIterable<T>
  readonly clock: Clock
  /** What a peer is doing, and what not all could do. */
  readonly words: { readonly what: string, readonly failed: string }
}

/**
 * Asks all members at the same time: their lines, as they come.
 *
 * @throws ClusterError ERR_PEER_FAILED, after the lines of all others, that names who did not answer and why
 */
export async function * linesOfAll<T> ({ peerset, ask, clock, words: { what, failed } }: LinesComponents<T>, { signal }: AbortOptions): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted()
  const leaving = new AbortController()
  using given = joinSignals(signal, leaving.signal)
  const lines = new Channel<T>(waitingMax)
  const failures: string[] = []

  const askOne = async (peer: PeerId): Promise<void> => {
    const stall = { clock, timeoutMs: peerTimeoutMs, what }
    try {
      for await (const line of untilGivenUp(ask(peer, given), { signal: given.signal, stall })) await lines.send(line)
    } catch (err) {
      failures.push(`${peer}: ${(err as Error).message}`)
    }
  }
  const asking = Promise.all(peerset().map(askOne)).then(() => {
    const error = signal.aborted ? signal.reason : new ClusterError('ERR_PEER_FAILED', `${failed}: ${failures.sort().join('; ')}`)
    lines.close(failures.length === 0 ? {} : { error })
  })

  try {
    yield * lines
  } finally {
    leaving.abort(new Error('the listing was left'))
    await asking
  }
}
