import type { CID } from 'multiformats/cid'
import { cidKeyText } from '../api/cid-key.ts'
import { cid, integer } from './parameters.ts'
import type { ValuesOf } from './parameters.ts'

/** A page of a listing, an addition to ipfs-cluster's parameters: lists are in the order of the CIDs' bytes. */
export const pageParameters = {
  limit: integer('At most so many.', { min: 1, max: 1_000_000_000 }),
  after: cid('Only what comes behind this CID: the last one of the page before.')
} as const

/** The page of `items` that is asked for, which are ordered by their CIDs' bytes. The source is left as soon as it is full. */
export async function * pageOf<T extends { readonly cid: CID }> (items: AsyncIterable<T>, { limit = Infinity, after }: ValuesOf<typeof pageParameters>): AsyncGenerator<T, void, undefined> {
  const afterKey = after === undefined ? '' : cidKeyText(after)
  let count = 0
  for await (const item of items) {
    if (afterKey !== '' && cidKeyText(item.cid) <= afterKey) continue
    yield item
    if (++count >= limit) return
  }
}

/** What `ask` answers of each of `items`, in their order; `window` of them are under way at once. */
export async function * eachInOrder<T, R> (items: readonly T[], window: number, ask: (item: T) => Promise<R>): AsyncGenerator<R, void, undefined> {
  const underWay: Promise<R>[] = []
  for (const item of items) {
    if (underWay.length === window) yield await underWay.shift()!
    const asked = ask(item)
    asked.catch(() => {}) // it is thrown when its turn has come
    underWay.push(asked)
  }
  for (const asked of underWay) yield await asked
}
