/** A row that is to be put, or (without a value) removed. */
export interface Change { readonly key: Buffer, readonly value: Buffer | undefined }

/** What one transaction is to change, gathered before it begins. The last change of a row counts. */
export class Changes {
  readonly #tables = new Map<string, Map<string, Change>>()

  get isEmpty (): boolean { return this.#tables.size === 0 }

  has (table: string): boolean { return this.#tables.has(table) }

  get (table: string, key: Buffer): Change | undefined { return this.#tables.get(table)?.get(key.toString('latin1')) }

  set (table: string, change: Change): void {
    const rows = this.#tables.get(table) ?? new Map<string, Change>()
    this.#tables.set(table, rows.set(change.key.toString('latin1'), change))
  }

  * [Symbol.iterator] (): Generator<readonly [table: string, changes: Iterable<Change>]> {
    for (const [table, rows] of this.#tables) yield [table, rows.values()]
  }
}
