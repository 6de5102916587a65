import type { KeyRange, Table } from '../../cluster/store/store.ts'

const pageRows = 1_024

/**
 * The rows of a range a page at a time, in the order of their keys. No view is held: one that is held for as long as a slow client
 * reads would keep every page that is written meanwhile. What comes or goes meanwhile may or may not be among the rows.
 */
export function * pagesOf (table: Table, { from, to }: Pick<KeyRange, 'from' | 'to'> = {}): Generator<{ readonly key: Buffer, readonly value: Buffer }> {
  let next = from
  while (true) {
    const rows = [...table.entries({ limit: pageRows, ...next === undefined ? {} : { from: next }, ...to === undefined ? {} : { to } })]
    yield * rows
    if (rows.length < pageRows) return
    next = Buffer.concat([rows.at(-1)!.key, Buffer.of(0)])
  }
}
