/**
 * Could this history have come from one copy of the data that does one thing at a time? The search of Wing and Gong with
 * Lowe's memory of what has been tried, each key by itself (a history is linearizable if and only if it is per key).
 */

/** Done to one key. `add` answers the new sum, so that a retry applied twice shows up in the next answer. */
export type Operation =
  | { readonly kind: 'put', readonly value: number }
  | { readonly kind: 'add', readonly value: number }
  | { readonly kind: 'get' }

export interface HistoryEntry {
  readonly client: number
  readonly key: string
  readonly operation: Operation
  /** What came back. Undefined: nothing did, so it may have happened at any later time, or never. */
  readonly answer: number | undefined
  /** On one clock for all clients, in any unit. */
  readonly invokedAt: number
  readonly returnedAt: number | undefined
}

export interface Verdict {
  readonly linearizable: boolean
  /** Undecided within the bound on steps: too many unknown answers at once. */
  readonly undecided: readonly string[]
  readonly violations: ReadonlyArray<{ readonly key: string, readonly entries: readonly HistoryEntry[] }>
}

const stepsMax = 20_000_000

export function checkLinearizability (history: readonly HistoryEntry[]): Verdict {
  const undecided: string[] = []
  const violations: Array<{ key: string, entries: readonly HistoryEntry[] }> = []
  for (const [key, entries] of Map.groupBy(history, entry => entry.key)) {
    // An unanswered read says nothing and changes nothing.
    const telling = entries.filter(({ operation, answer }) => operation.kind !== 'get' || answer !== undefined)
    const outcome = checkKey(telling)
    if (outcome === 'undecided') undecided.push(key)
    if (outcome === 'violated') violations.push({ key, entries })
  }
  return { linearizable: violations.length === 0 && undecided.length === 0, undecided, violations }
}

/** A call or a return in the list of events by time; a call knows its return, if there is one. */
interface Event {
  readonly id: number
  readonly entry: HistoryEntry
  readonly returns: Event | undefined
  readonly isCall: boolean
  before: Event | undefined
  after: Event | undefined
}

function checkKey (entries: readonly HistoryEntry[]): 'linearizable' | 'violated' | 'undecided' {
  const head = eventList(entries)
  const done = new Uint32Array((entries.length >> 5) + 1)
  const tried = new Set<string>()
  const stack: Array<{ readonly call: Event, readonly state: number }> = []
  let answered = entries.filter(({ answer }) => answer !== undefined).length
  let state = 0
  let steps = 0

  let event = head.after
  while (answered > 0) {
    if (++steps > stepsMax) return 'undecided'
    if (event !== undefined && event.isCall) {
      const next = apply(state, event.entry)
      done[event.id >> 5]! ^= 1 << (event.id & 31)
      const seen = next === undefined ? undefined : `${done.join()}|${next}`
      if (seen !== undefined && !tried.has(seen)) {
        tried.add(seen)
        stack.push({ call: event, state })
        state = next!
        if (event.entry.answer !== undefined) answered--
        lift(event)
        event = head.after
        continue
      }
      done[event.id >> 5]! ^= 1 << (event.id & 31)
      event = event.after
      continue
    }
    // A return nobody accounted for, or the end: what was chosen last was wrong.
    const last = stack.pop()
    if (last === undefined) return 'violated'
    state = last.state
    done[last.call.id >> 5]! ^= 1 << (last.call.id & 31)
    if (last.call.entry.answer !== undefined) answered++
    unlift(last.call)
    event = last.call.after
  }
  return 'linearizable'
}

/** The state after it, or undefined if it cannot have answered what it did. */
function apply (state: number, { operation, answer }: HistoryEntry): number | undefined {
  if (operation.kind === 'get') return answer === state ? state : undefined
  if (operation.kind === 'put') return operation.value
  const sum = state + operation.value
  return answer === undefined || answer === sum ? sum : undefined
}

function eventList (entries: readonly HistoryEntry[]): Event {
  const events: Array<{ readonly at: number, readonly event: Event }> = []
  for (const [id, entry] of entries.entries()) {
    const returns: Event | undefined = entry.answer === undefined
      ? undefined
      : { id, entry, isCall: false, returns: undefined, before: undefined, after: undefined }
    events.push({ at: entry.invokedAt, event: { id, entry, isCall: true, returns, before: undefined, after: undefined } })
    if (returns !== undefined) events.push({ at: entry.returnedAt!, event: returns })
  }
  // At the same instant calls come first: they count as overlapping, which can only excuse, never accuse.
  events.sort((a, b) => a.at - b.at || Number(b.event.isCall) - Number(a.event.isCall))
  const head: Event = { id: -1, entry: entries[0]!, isCall: false, returns: undefined, before: undefined, after: undefined }
  let last = head
  for (const { event } of events) {
    event.before = last
    last.after = event
    last = event
  }
  return head
}

function lift (call: Event): void {
  for (const event of [call, call.returns]) {
    if (event === undefined) continue
    event.before!.after = event.after
    if (event.after !== undefined) event.after.before = event.before
  }
}

function unlift (call: Event): void {
  for (const event of [call.returns, call]) {
    if (event === undefined) continue
    event.before!.after = event
    if (event.after !== undefined) event.after.before = event
  }
}
