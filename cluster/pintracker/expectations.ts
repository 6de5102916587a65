import type { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions, IpfsConnector } from '../ports.ts'
import type { Foresight } from './foresight.ts'
import type { TrackerIndex } from './tracker-index.ts'

/** Imports under way that will pin a CID on the daemon by themselves. As many as there are imports. */
export interface Expectations {
  /** Resolves once it is noted whether the daemon has the pin already: only then may the import pin it. */
  expect (cid: CID, done: Promise<void>, options: AbortOptions): Promise<void>
  expectDelivery (delivery: string, ended: Promise<readonly CID[]>): void
  isExpected (key: string): boolean
  /** What will bring this pin, by its CID or by the delivery it was logged with; rejects when that ends without it. */
  get (cid: CID, delivery: string | undefined): Promise<void> | undefined
}

export interface ExpectationsComponents { readonly ipfs: IpfsConnector, readonly index: TrackerIndex, readonly clock: Clock, readonly foresight: Foresight }

export function createExpectations ({ ipfs, index, clock, foresight }: ExpectationsComponents): Expectations {
  const expected = new Map<string, Promise<void>>()
  const deliveries = new Map<string, Promise<readonly CID[]>>()

  return {
    async expect (cid, done, options) {
      const key = cidKeyText(cid)
      keepWhilePending(expected, key, done)
      if (index.held(cidKey(cid)) !== undefined) return

      const { status, name } = await foresight.get(key) ?? await ipfs.pinStatus(cid, options)
      if (index.held(cidKey(cid)) !== undefined) return // the tracker pins it as well: what it found before it did is what counts
      const before = status === 'unpinned' ? undefined : { mode: status, name }
      await index.hold(cidKey(cid), { before, isConfirmed: false, sinceMs: clock.now() })
    },
    expectDelivery (delivery, ended) { keepWhilePending(deliveries, delivery, ended) },
    isExpected: key => expected.has(key),
    // What an import brings is known at its end, and the pin may be agreed on before.
    get: (cid, delivery) => expected.get(cidKeyText(cid)) ?? (delivery === undefined ? undefined : deliveries.get(delivery)?.then(brought => {
      if (!brought.some(one => one.equals(cid))) throw new Error('the import did not bring it')
    }))
  }
}

function keepWhilePending<T> (pending: Map<string, Promise<T>>, key: string, done: Promise<T>): void {
  pending.set(key, done)
  const drop = (): void => { if (pending.get(key) === done) pending.delete(key) }
  done.then(drop, drop)
}
