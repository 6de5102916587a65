/** What is in any of the sources, each once, in order: they are ordered themselves, and none of them has anything twice. Holds one of each. */
export function * orderedUnion (sources: readonly Iterable<string>[]): Generator<string, void, undefined> {
  const iterators = sources.map(source => source[Symbol.iterator]())
  try {
    const heads = iterators.map(iterator => iterator.next())
    while (true) {
      const least = heads.reduce<string | undefined>((least, { done, value }) => done !== true && (least === undefined || value < least) ? value : least, undefined)
      if (least === undefined) return
      yield least
      for (const [i, { done, value }] of heads.entries()) if (done !== true && value === least) heads[i] = iterators[i]!.next()
    }
  } finally {
    for (const iterator of iterators) iterator.return?.()
  }
}
