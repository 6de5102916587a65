import type { CID } from 'multiformats/cid'
import { cidKeyText } from '../api/cid-key.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions, IpfsConnector } from '../ports.ts'
import type { PinFound } from './operations.ts'

/** An answer that is older may be true no longer. */
const goodMs = 1_000

/** Questions to the daemon whose answers will be wanted when a pin has been logged. As many as there are pins being logged. */
export interface Foresight {
  foresee (cid: CID): Disposable
  get (key: string): Promise<PinFound | undefined> | undefined
  /** What the daemon has is about to change: what it said before is good no longer. */
  spoil (key: string): void
}

export function createForesight ({ ipfs, clock }: { readonly ipfs: IpfsConnector, readonly clock: Clock }, options: AbortOptions): Foresight {
  const asked = new Map<string, { readonly answer: Promise<PinFound | undefined>, readonly atMs: number }>()

  return {
    foresee (cid) {
      const key = cidKeyText(cid)
      const answer = ipfs.pinStatus(cid, options).catch(() => undefined) // who needs it asks again, and hears why
      asked.set(key, { answer, atMs: clock.now() })
      return { [Symbol.dispose] () { if (asked.get(key)?.answer === answer) asked.delete(key) } }
    },
    get (key) {
      const found = asked.get(key)
      return found === undefined || clock.now() - found.atMs > goodMs ? undefined : found.answer
    },
    spoil (key) { asked.delete(key) }
  }
}
