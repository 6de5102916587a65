import type { CID } from 'multiformats/cid'
import { abortable } from '../cluster/async/abortable.ts'
import { hasLeft, untilLeft } from '../cluster/async/caller-left.ts'
import type { AbortOptions, ClusterApi, ClusterPinCall } from '../cluster/ports.ts'
import type { Pin, PinOptions } from '../cluster/api/pin.ts'

/**
 * Pins whose caller has given up and that are being put back as they were. In Kubo that takes no time; whoever asks next about the same
 * CID must not see what is on its way out, so it waits for that.
 */
export interface GivenUp {
  /** `cluster.pin`, remembered from its being given up until it is undone. @throws CallerLeftError at once; the pin goes on */
  pin (cid: CID, options: PinOptions, call: ClusterPinCall): Promise<Pin>
  /** Resolves when nothing that was given up is left of a CID. @throws the signal's reason */
  settled (cid: CID, options: AbortOptions): Promise<void>
  /**
   * Does something while no pin of this CID is being agreed on here. A tracker that is told of a new pin goes by what the daemon had a moment
   * before; what is taken from the daemon just then would be missed.
   */
  apart<T> (cid: CID, work: () => Promise<T>, options: AbortOptions): Promise<T>
}

export function watchGivenUp ({ cluster }: { readonly cluster: ClusterApi }): GivenUp {
  const leaving = new Map<string, Set<Promise<unknown>>>()
  const turns = new Map<string, Promise<void>>()

  /** Waits for those that came before. @returns what lets the next one go on */
  const turn = async (cid: CID, { signal }: AbortOptions): Promise<() => void> => {
    const key = cid.toString()
    const before = turns.get(key) ?? Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const mine = before.then(() => promise)
    turns.set(key, mine)
    void mine.then(() => { if (turns.get(key) === mine) turns.delete(key) })
    try {
      await abortable(before, signal)
    } catch (err) {
      resolve()
      throw err
    }
    return resolve
  }

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
      const isAgreed = await turn(cid, call)
      const work = cluster.pin(cid, options, { ...call, onAgreed: pin => { isAgreed(); call.onAgreed?.(pin) } })
      const onAbort = (): void => { if (!hasLeft(call.signal)) watch(cid, work) } // what its caller has left stays
      call.signal.addEventListener('abort', onAbort, { once: true })
      work.finally(() => {
        isAgreed()
        call.signal.removeEventListener('abort', onAbort)
      }).catch(() => undefined)
      return await untilLeft(work, call.signal)
    },
    async settled (cid, { signal }) {
      const works = leaving.get(cid.toString())
      if (works !== undefined) await Promise.allSettled(works)
      signal.throwIfAborted()
    },
    async apart (cid, work, options) {
      const isDone = await turn(cid, options)
      try {
        return await work()
      } finally {
        isDone()
      }
    }
  }
}
