import type { CID } from 'multiformats/cid'
import { ClusterError, KuboRepliedError } from './api/errors.ts'
import type { PinInfo } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import { abortable } from './async/abortable.ts'
import { joinSignals } from './async/join-signals.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { PeerRpc, Reached } from './peer-ports.ts'
import type { AbortOptions, Ask } from './ports.ts'

/** A peer that has told nothing for so long is asked, and again. */
const askEveryMs = 5_000
/** A peer that cannot be reached may be restarting, and one that knows nothing of the pin may be behind: so long it is waited for. */
const patienceMs = 15_000

/** A wait for other peers to hold one pin. Begun before the pin is logged, because some hold it before this peer knows that it is agreed. */
export interface Wait extends Disposable {
  readonly ask: Ask
  /** @returns false when somebody else has changed the pin. @throws what its daemon said; ClusterError ERR_PEER_FAILED when it is not there */
  heldBy (peer: PeerId, options: AbortOptions): Promise<boolean>
}

export interface Holding {
  begin (cid: CID): Wait
  /** Whether a peer says that it holds a pin now; one that does not answer does not hold it. */
  isHeldBy (peer: PeerId, cid: CID, options: AbortOptions): Promise<boolean>
  /** What another peer tells. */
  reached (peer: PeerId, reports: readonly Reached[]): void
}

interface Told { readonly told: Map<PeerId, Reached>, changed: PromiseWithResolvers<void> }

/** Who waits for other peers, and what they have told. */
export function createHolding ({ self, rpc, clock }: { readonly self: PeerId, readonly rpc: Pick<PeerRpc, 'call'>, readonly clock: Clock }): Holding {
  const waits = new Map<number, Told>()
  let lastId = 0

  /** Asks again and again, for a peer that should have told and has not. */
  async function pollUntilHeld (peer: PeerId, cid: CID, { signal }: AbortOptions): Promise<boolean> {
    let lostSinceMs: number | undefined
    while (true) {
      const isLost = lostSinceMs !== undefined && clock.now() - lostSinceMs >= patienceMs
      try {
        const standing = standingOf(await askedFor(peer, cid, signal))
        if (standing === 'held') return true
        if (standing === 'unknown' && isLost) return false
        lostSinceMs = standing === 'unknown' ? lostSinceMs ?? clock.now() : undefined
      } catch (err) {
        signal.throwIfAborted()
        if (!isUnreachable(err) || isLost) throw err
        lostSinceMs ??= clock.now()
      }
      await pause(clock, askEveryMs, signal)
    }
  }

  /** What was agreed on before a peer had started, or has lost since, it comes across sooner or later; it is waited for now. */
  async function askedFor (peer: PeerId, cid: CID, signal: AbortSignal): Promise<PinInfo> {
    const info = await rpc.call(peer, 'PinTracker.Status', cid, { signal })
    return info.status === 'unexpectedly_unpinned' ? await rpc.call(peer, 'PinTracker.Recover', cid, { signal }) : info
  }

  async function toldBy (wait: Told, peer: PeerId, signal: AbortSignal): Promise<boolean> {
    while (!wait.told.has(peer)) await abortable(wait.changed.promise, signal)
    const { outcome, error } = wait.told.get(peer)!
    if (outcome === 'failed') throw error ?? new ClusterError('ERR_PEER_FAILED', `${peer} could not pin it`)
    return outcome === 'held'
  }

  return {
    begin (cid) {
      const id = ++lastId
      const wait: Told = { told: new Map(), changed: Promise.withResolvers() }
      waits.set(id, wait)
      return {
        ask: { peer: self, id },
        async heldBy (peer, { signal }) {
          const over = new AbortController()
          using until = joinSignals(signal, over.signal)
          try {
            const polled = pause(clock, askEveryMs, until.signal).then(async () => await pollUntilHeld(peer, cid, until))
            return await Promise.race([toldBy(wait, peer, until.signal), polled])
          } finally {
            over.abort(new Error('it is known'))
          }
        },
        [Symbol.dispose] () { waits.delete(id) }
      }
    },
    async isHeldBy (peer, cid, options) {
      try {
        return (await rpc.call(peer, 'PinTracker.Status', cid, options)).status === 'pinned'
      } catch {
        options.signal.throwIfAborted()
        return false
      }
    },
    reached (peer, reports) {
      for (const report of reports) {
        const wait = waits.get(report.id)
        if (wait === undefined) continue // nobody waits any more
        wait.told.set(peer, report)
        wait.changed.resolve()
        wait.changed = Promise.withResolvers()
      }
    }
  }
}

/** What a peer's status says to who waits for it to hold the pin. @throws what its daemon said */
function standingOf ({ status, error, peer }: PinInfo): 'held' | 'coming' | 'unknown' {
  switch (status) {
    case 'pinned': return 'held'
    case 'pinning': case 'pin_queued': case 'unexpectedly_unpinned': return 'coming'
    case 'pin_error': throw new KuboRepliedError(error, { status: 500, kuboCode: 0 })
    case 'cluster_error': throw new ClusterError('ERR_IPFS_UNREACHABLE', `${peer}: ${error}`)
    default: return 'unknown'
  }
}

function isUnreachable (err: unknown): boolean {
  return err instanceof ClusterError && (err.code === 'ERR_PEER_FAILED' || err.code === 'ERR_TIMEOUT')
}
