import { ClusterError, KuboRepliedError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { joinSignals } from './async/join-signals.ts'
import type { AbortOptions } from './ports.ts'

export interface HoldersQuestion {
  /** Who is to hold it. */
  readonly peers: readonly PeerId[]
  /** How many of them are enough, and who of them may not be missing: the peer that was asked, so that who asked reads its own write. */
  readonly min: number
  readonly required: PeerId | undefined
  /** Answers once that peer's daemon holds it, or `false` when somebody else has changed the pin meanwhile. Rejects with why it does not hold it. */
  readonly ask: (peer: PeerId, options: AbortOptions) => Promise<boolean>
}

/**
 * Waits until as many peers hold a pin as an answer promises; the others are asked no further, and go on by themselves.
 *
 * @returns false when somebody else has changed the pin meanwhile
 * @throws what a daemon said, or ClusterError ERR_TOO_FEW_DESTINATIONS with every peer's reason, as soon as `min` cannot be reached any more
 */
export async function enoughHolders ({ peers, min, required, ask }: HoldersQuestion, { signal }: AbortOptions): Promise<boolean> {
  const over = new AbortController()
  using asking = joinSignals(signal, over.signal)
  const { promise: decided, resolve, reject } = Promise.withResolvers<boolean>()
  const holding = new Set<PeerId>()
  const failed = new Map<PeerId, unknown>()
  const isEnough = (): boolean => holding.size >= min && (required === undefined || holding.has(required))
  const isHopeless = (): boolean => peers.length - failed.size < min || (required !== undefined && failed.has(required))

  const asked = peers.map(async peer => {
    try {
      if (!await ask(peer, asking)) return resolve(false)
      holding.add(peer)
    } catch (err) {
      failed.set(peer, err)
      if (isHopeless()) reject(tooFew({ peers, min, required }, failed))
    }
    if (isEnough()) resolve(true)
  })
  if (isEnough()) resolve(true)
  try {
    return await abortable(decided, signal)
  } finally {
    over.abort(new Error('nobody waits for the answer'))
    await Promise.all(asked)
  }
}

/** A daemon's own words say more than a count, and a lone peer's error is simply the error. */
function tooFew ({ peers, min, required }: Omit<HoldersQuestion, 'ask'>, failed: ReadonlyMap<PeerId, unknown>): unknown {
  if (required !== undefined && failed.has(required)) return failed.get(required)
  const errors = [...failed.values()]
  const said = errors.find(error => error instanceof KuboRepliedError) ?? (peers.length === 1 ? errors[0] : undefined)
  const reasons = [...failed].map(([peer, error]) => `${peer}: ${error instanceof Error ? error.message : String(error)}`)
  return said ?? new ClusterError('ERR_TOO_FEW_DESTINATIONS', `${peers.length - failed.size} of ${peers.length} peers can hold it, ${min} needed; ${reasons.join('; ')}`)
}
