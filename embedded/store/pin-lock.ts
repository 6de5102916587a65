import type { AbortOptions } from '../../cluster/ports.ts'

/** Kubo's lock between those who store and pin, any number of them at a time, and a garbage collection, which is alone. */
export interface PinLock {
  /** For as long as what is being stored is not pinned yet. */
  forPinning (options: AbortOptions): Promise<Disposable>
  /** For as long as blocks may go. Once asked for, those who want to pin wait behind it. */
  forCollecting (options: AbortOptions): Promise<Disposable>
}

interface Waiting { readonly isAlone: boolean, readonly go: () => void }

/** First come, first served, so that neither side can keep the other waiting for ever. */
export function createPinLock (): PinLock {
  const queue: Waiting[] = []
  let pinning = 0
  let isCollecting = false

  const admit = (): void => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (isCollecting || (next.isAlone && pinning > 0)) return
      queue.shift()
      if (next.isAlone) isCollecting = true
      else pinning++
      next.go()
    }
  }
  const release = (isAlone: boolean): Disposable => {
    let isHeld = true
    return {
      [Symbol.dispose] () {
        if (!isHeld) return
        isHeld = false
        if (isAlone) isCollecting = false
        else pinning--
        admit()
      }
    }
  }
  const enter = async (isAlone: boolean, { signal }: AbortOptions): Promise<Disposable> => {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { isAlone, go: resolve }
    const giveUp = (): void => {
      const at = queue.indexOf(waiting)
      if (at < 0) return
      queue.splice(at, 1)
      admit()
      reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp)
    queue.push(waiting)
    admit()
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
    return release(isAlone)
  }

  return { forPinning: options => enter(false, options), forCollecting: options => enter(true, options) }
}
