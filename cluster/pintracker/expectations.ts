import type { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions, IpfsConnector } from '../ports.ts'
import type { TrackerIndex } from './tracker-index.ts'

/** Imports under way that will pin a CID on the daemon by themselves. As many as there are imports. */
export interface Expectations {
  /** Resolves once it is noted whether the daemon has the pin already: only then may the pin be logged. */
  expect (cid: CID, done: Promise<void>, options: AbortOptions): Promise<void>
  get (key: string): Promise<void> | undefined
}

export function createExpectations ({ ipfs, index, clock }: { readonly ipfs: IpfsConnector, readonly index: TrackerIndex, readonly clock: Clock }): Expectations {
  const expected = new Map<string, Promise<void>>()

  return {
    async expect (cid, done, options) {
      const key = cidKeyText(cid)
      expected.set(key, done)
      const drop = (): void => { if (expected.get(key) === done) expected.delete(key) }
      done.then(drop, drop)
      if (index.held(cidKey(cid)) !== undefined) return

      const { status, name } = await ipfs.pinStatus(cid, options)
      const before = status === 'unpinned' ? undefined : { mode: status, name }
      await index.hold(cidKey(cid), { before, isConfirmed: false, sinceMs: clock.now() })
    },
    get: key => expected.get(key)
  }
}
