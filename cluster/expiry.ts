import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { closestPeer } from './closest-peer.ts'
import type { AbortOptions, Consensus, PinsetEntry } from './ports.ts'

/** After so long anybody may act: the peer whose turn it was may be dead. The guard lets only one succeed. */
const graceMs = 10 * 60_000
const atOnceMax = 100

export interface ExpiryComponents {
  readonly consensus: Pick<Consensus, 'state' | 'log' | 'writers' | 'isTrusted'>
  readonly self: PeerId
  /** The time that the clocks of most peers have reached, see `AgreedTime`. */
  readonly agreedMs: () => number | undefined
}

/**
 * Unpins what has expired, where this peer is the closest to it, and nothing while it is not known what time it is for most peers. Daemons let go of what
 * their peer pinned itself, and of nothing else.
 *
 * @returns how many
 */
export async function unpinExpired ({ consensus, agreedMs, self }: ExpiryComponents, options: AbortOptions): Promise<number> {
  const nowMs = agreedMs()
  if (nowMs === undefined || !consensus.isTrusted(self)) return 0
  let unpinned = 0
  let batch: PinsetEntry[] = []

  const flush = async (): Promise<void> => {
    const outcomes = await Promise.all(batch.map(entry => unpin(consensus, entry, options)))
    unpinned += outcomes.filter(Boolean).length
    batch = []
  }
  for await (const entry of consensus.state.expired(nowMs, options)) {
    const isOurs = closestPeer(entry.pin.cid, consensus.writers()) === self || entry.pin.expireAtMs! + graceMs <= nowMs
    if (!isOurs) continue
    batch.push(entry)
    if (batch.length >= atOnceMax) await flush()
  }
  await flush()
  return unpinned
}

/** @returns false when somebody changed it meanwhile: it may not have expired any more */
async function unpin (consensus: Pick<Consensus, 'log'>, { pin, revision }: PinsetEntry, options: AbortOptions): Promise<boolean> {
  try {
    await consensus.log([{ kind: 'unpin', cid: pin.cid, ifRevision: revision }], options)
    return true
  } catch (err) {
    if (err instanceof ClusterError && err.code === 'ERR_OUTDATED') return false
    throw err
  }
}
