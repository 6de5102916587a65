import { ClusterError } from './api/errors.ts'
import type { GlobalPinInfo, PinInfo } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import { Channel } from './async/channel.ts'
import { untilGivenUp } from './async/give-up.ts'
import type { Clock } from './clock.ts'
import { globalPinInfo } from './global-status.ts'
import type { AbortOptions, PinsetReader } from './ports.ts'

/** How long a peer that is there may take for the next line: it compares all that its daemon holds, and speaks of what it found alone. */
const peerTimeoutMs = 10 * 60_000
/** Lines that wait for the reader, of all peers together. */
const waitingMax = 64

export interface GlobalRecoverComponents {
  readonly peerset: () => readonly PeerId[]
  readonly state: PinsetReader
  /** Asks one peer, which may be this one, to recover all it can; it answers what it queued. */
  readonly ask: (peer: PeerId, options: AbortOptions) => AsyncIterable<PinInfo>
  readonly clock: Clock
}

/**
 * Has all members recover what they can, at the same time: a line for each pin and peer, as they come.
 *
 * @throws ClusterError ERR_PEER_FAILED, after the lines of all others, that names who did not answer and why
 */
export async function * recoverOnAll ({ peerset, state, ask, clock }: GlobalRecoverComponents, { signal }: AbortOptions): AsyncGenerator<GlobalPinInfo, void, undefined> {
  signal.throwIfAborted()
  const leaving = new AbortController()
  const given = AbortSignal.any([signal, leaving.signal])
  const lines = new Channel<PinInfo>(waitingMax)
  const failures: string[] = []

  const recover = async (peer: PeerId): Promise<void> => {
    const stall = { clock, timeoutMs: peerTimeoutMs, what: 'recovering' }
    try {
      for await (const info of untilGivenUp(ask(peer, { signal: given }), { signal: given, stall })) await lines.send(info)
    } catch (err) {
      failures.push(`${peer}: ${(err as Error).message}`)
    }
  }
  const recovering = Promise.all(peerset().map(recover)).then(() => {
    const error = signal.aborted ? signal.reason : new ClusterError('ERR_PEER_FAILED', `not all peers could recover their pins: ${failures.sort().join('; ')}`)
    lines.close(failures.length === 0 ? {} : { error })
  })

  try {
    for await (const info of lines) yield globalPinInfo(info.cid, (await state.get(info.cid))?.pin, [info])
  } finally {
    leaving.abort(new Error('the listing was left'))
    await recovering
  }
}
