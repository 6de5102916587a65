import type { Measurement } from '../api/metric.ts'
import type { RepoStat } from '../api/repo.ts'
import { deadline } from '../async/deadline.ts'
import type { Clock } from '../clock.ts'
import type { Informer, IpfsConnector } from '../ports.ts'
import type { DiskConfig } from './config.ts'

const weightMax = BigInt(Number.MAX_SAFE_INTEGER)

export interface DiskComponents { readonly ipfs: Pick<IpfsConnector, 'repoStat'>, readonly clock: Clock }

/**
 * What the daemon has left of its `StorageMax`, or how much it holds. A daemon that is full is measured all the same: it weighs 0. One
 * that does not answer in a quarter of the metric's time is not waited for.
 */
export function createDiskInformer ({ ipfs, clock }: DiskComponents, { metricTtl: ttlMs, metricType: name }: DiskConfig): Informer {
  return {
    name: 'disk',
    ttlMs,
    async measure ({ signal }) {
      const measured: Omit<Measurement, 'value' | 'weight' | 'isValid'> = { name, isPartitionable: false, ttlMs }
      using limit = deadline(clock, ttlMs / 4, 'repo/stat', signal)
      try {
        const size = sizeOf(await ipfs.repoStat({ sizeOnly: true, signal: limit.signal }), name)
        return [{ ...measured, value: String(size), weight: name === 'freespace' ? size : -size, isValid: true }]
      } catch (err) {
        signal.throwIfAborted()
        return [{ ...measured, value: (err as Error).message, weight: 0, isValid: false }]
      }
    }
  }
}

/** In bytes. A daemon without a limit has as much space as can be said. */
function sizeOf ({ repoSize, storageMax }: RepoStat, name: DiskConfig['metricType']): number {
  const size = name === 'reposize' ? repoSize : storageMax > repoSize ? storageMax - repoSize : 0n
  return Number(size > weightMax ? weightMax : size)
}
