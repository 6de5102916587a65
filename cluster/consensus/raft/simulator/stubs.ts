/** The things outside a run that would make two runs of one seed differ. */
const forbidden: ReadonlyArray<readonly [object, string]> = [
  [Math, 'random'], [Date, 'now'], [performance, 'now'], [globalThis, 'Date'],
  [globalThis, 'setTimeout'], [globalThis, 'setInterval'], [globalThis, 'setImmediate'], [globalThis, 'queueMicrotask'],
  [process, 'nextTick'], [process, 'hrtime'], [crypto, 'getRandomValues'], [crypto, 'randomUUID']
]

/**
 * Takes chance, clocks and timers away while `work` runs, so that code which reaches for one fails at
 * once and with its name, instead of making a seed that cannot be replayed. `work` must be synchronous:
 * the rest of the process needs its globals back.
 */
export function withoutOutsideWorld<T> (work: () => T): T {
  const kept = forbidden.map(([owner, name]) => ({ owner, name, own: Object.getOwnPropertyDescriptor(owner, name) }))
  for (const [owner, name] of forbidden) {
    const refuse = (): never => { throw new Error(`${name} was called inside the simulation`) }
    Object.defineProperty(owner, name, { value: Object.assign(refuse, { now: refuse }), configurable: true, writable: true })
  }
  try {
    return work()
  } finally {
    for (const { owner, name, own } of kept.reverse()) {
      if (own === undefined) Reflect.deleteProperty(owner, name)
      else Object.defineProperty(owner, name, own)
    }
  }
}
