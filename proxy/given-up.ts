import type { CID } from 'multiformats/cid'
import type { AbortOptions, ClusterApi, ClusterPinCall } from '../cluster/ports.ts'
import type { Pin, PinOptions } from '../cluster/api/pin.ts'

/**
 * Pins whose caller has gone and that are being put back as they were. In Kubo that takes no time; whoever asks next about the same
 * CID must not see what is on its way out, so it waits for that.
 */
export interface GivenUp {
  /** `cluster.pin`, remembered from its being given up until it is undone. */
  pin (cid: CID, options: PinOptions, call: ClusterPinCall): Promise<Pin>
  /** Resolves when nothing that was given up is left of a CID. @throws the signal's reason */
  settled (cid: CID, options: AbortOptions): Promise<void>
}

export function watchGivenUp ({ cluster }: { readonly cluster: ClusterApi }): GivenUp {
  const leaving = new Map<string, Set<Promise<unknown>>>()

  const watch = (cid: CID, work: Promise<unknown>): void => {
    const key = cid.toString()
    const works = leaving.get(key) ?? new Set()
    leaving.set(key, works.add(work))
    const forget = (): void => {
      works.delete(work)
      if (works.size === 0) leaving.delete(key)
    }
    work.then(forget, forget)
  }

  return {
    async pin (cid, options, call) {
      const work = cluster.pin(cid, options, call)
      const onAbort = (): void => watch(cid, work)
      call.signal.addEventListener('abort', onAbort, { once: true })
      try {
        return await work
      } finally {
        call.signal.removeEventListener('abort', onAbort)
      }
    },
    async settled (cid, { signal }) {
      const works = leaving.get(cid.toString())
      if (works !== undefined) await Promise.allSettled(works)
      signal.throwIfAborted()
    }
  }
}
