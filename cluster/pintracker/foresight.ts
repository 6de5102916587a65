import type { CID } from 'multiformats/cid'
import { cidKeyText } from '../api/cid-key.ts'
import type { AbortOptions, IpfsConnector } from '../ports.ts'
import type { PinFound } from './operations.ts'

/** Questions to the daemon whose answers will be wanted when a pin has been logged. As many as there are pins being logged. */
export interface Foresight {
  foresee (cid: CID): Disposable
  get (key: string): Promise<PinFound | undefined> | undefined
}

export function createForesight (ipfs: IpfsConnector, options: AbortOptions): Foresight {
  const asked = new Map<string, Promise<PinFound | undefined>>()

  return {
    foresee (cid) {
      const key = cidKeyText(cid)
      const answer = ipfs.pinStatus(cid, options).catch(() => undefined) // who needs it asks again, and hears why
      asked.set(key, answer)
      return { [Symbol.dispose] () { if (asked.get(key) === answer) asked.delete(key) } }
    },
    get: key => asked.get(key)
  }
}
