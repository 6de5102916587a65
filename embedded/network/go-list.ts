/** As Go shows a list that may never have been made: nothing in it is no list. */
export function listOf<T> (items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items
}
