import { ClusterError } from './api/errors.ts'
import type { Pin, Replication } from './api/pin.ts'
import type { PeerId } from './api/pin.ts'
import type { Clock } from './clock.ts'
import type { MemberConsensus } from './peer-ports.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, IpfsConnector, PinsetOp } from './ports.ts'

type AdoptingConsensus = Pick<MemberConsensus, 'state' | 'log' | 'opsMax'>

export interface AdoptComponents {
  readonly self: PeerId
  readonly ipfs: IpfsConnector
  readonly consensus: AdoptingConsensus
  readonly placer: Pick<Placer, 'place'>
  readonly clock: Clock
}

export interface AdoptProgress {
  /** Pins of the daemon that were looked at. */
  readonly seen: number
  /** Those of them that are cluster pins now and were not before. */
  readonly adopted: number
}

export interface AdoptOptions extends AbortOptions {
  readonly replication: Replication
  readonly onProgress?: (progress: AdoptProgress) => void
}

/**
 * Makes the daemon's own recursive and direct pins cluster pins, under their names, allocated as any other pin: to this peer, and to as many more
 * as are to hold it. What the pinset has already is left as it is.
 * They stay the daemon's own: as they were there before the cluster, this peer's tracker notes them as not its own, so expiry and
 * re-allocation drop them from the pinset without unpinning them here. A user who unpins one unpins it on the daemon, as without
 * a cluster. Stopped half-way, it can be started again.
 *
 * @throws NotEnoughPeersError when fewer peers than `replication.min` can hold a pin; pins of earlier batches are adopted
 */
export async function adoptPins (components: AdoptComponents, { signal, replication, onProgress }: AdoptOptions): Promise<AdoptProgress> {
  const { self, ipfs, consensus, placer, clock } = components
  let progress: AdoptProgress = { seen: 0, adopted: 0 }
  let batch: Pin[] = []

  const flush = async (): Promise<void> => {
    progress = { seen: progress.seen + batch.length, adopted: progress.adopted + await logMissing(consensus, batch, { signal }) }
    batch = []
    onProgress?.(progress)
  }
  for await (const { cid, status, name } of ipfs.pinLs({ signal })) {
    const allocations = placer.place({ replication, holders: [], wanted: [self], inPlace: [self] })
    batch.push({
      cid, name, mode: status, replication, allocations, expireAtMs: undefined, metadata: {}, pinUpdate: undefined, origins: [], timestampMs: clock.now()
    })
    if (batch.length >= consensus.opsMax) await flush()
  }
  if (batch.length > 0) await flush()
  return progress
}

/** One entry for all that are not there; when somebody pins one of them meanwhile, the rest is tried again. */
async function logMissing (consensus: AdoptingConsensus, pins: readonly Pin[], options: AbortOptions): Promise<number> {
  for (;;) {
    options.signal.throwIfAborted()
    const ops: PinsetOp[] = []
    for (const pin of pins) if (await consensus.state.get(pin.cid) === undefined) ops.push({ kind: 'pin', pin, ifRevision: 0n })
    if (ops.length === 0) return 0
    try {
      await consensus.log(ops, options)
      return ops.length
    } catch (err) {
      if (!(err instanceof ClusterError) || err.code !== 'ERR_OUTDATED') throw err
    }
  }
}
