import t from 'tap'
import { checkLinearizability } from './linearizability.ts'
import type { HistoryEntry, Operation } from './linearizability.ts'

/** `from..to` in time; `to` undefined: never answered. */
function did (client: number, operation: Operation, answer: number | undefined, from: number, to?: number, key = 'k'): HistoryEntry {
  return { client, key, operation, answer, invokedAt: from, returnedAt: to }
}
const put = (value: number): Operation => ({ kind: 'put', value })
const add = (value: number): Operation => ({ kind: 'add', value })
const get: Operation = { kind: 'get' }
const good = (...history: HistoryEntry[]): boolean => checkLinearizability(history).linearizable

t.test('accepts what one copy could have answered', async t => {
  t.ok(good(did(1, put(1), 0, 0, 1), did(2, get, 1, 2, 3)), 'one after the other')
  t.ok(good(did(1, put(1), 0, 0, 10), did(2, get, 0, 1, 2), did(3, get, 1, 3, 4)), 'it took effect between the reads')
  t.ok(good(did(1, put(1), 0, 0, 10), did(2, put(2), 0, 0, 10), did(3, get, 1, 11, 12)), 'either write may be the later')
  t.ok(good(did(1, put(1), undefined, 0), did(2, get, 0, 1, 2), did(2, get, 1, 50, 51)), 'an unanswered write may take effect late')
  t.ok(good(did(1, put(1), undefined, 0), did(2, get, 0, 1, 2), did(2, get, 0, 50, 51)), 'or never')
  t.ok(good(did(1, add(5), 5, 0, 1), did(1, add(5), 10, 2, 3)), 'sums')
  t.ok(good(did(1, put(7), 0, 0, 1, 'a'), did(1, get, 0, 2, 3, 'b')), 'keys are apart')
})

t.test('CL-05 rejects histories known to be bad', async t => {
  t.notOk(good(did(1, put(1), 0, 0, 1), did(2, get, 0, 2, 3)), 'a stale read')
  t.notOk(good(did(1, put(1), 0, 0, 1), did(1, put(2), 0, 2, 3), did(2, get, 1, 4, 5)), 'a lost update')
  t.notOk(good(did(1, put(1), 0, 0, 10), did(2, get, 1, 1, 2), did(3, get, 0, 3, 4)), 'a value that goes away again')
  t.notOk(good(did(1, put(1), undefined, 5), did(2, get, 1, 1, 2)), 'a read from the future')
  t.notOk(good(did(2, get, 9, 1, 2)), 'a value that nobody wrote')
  t.notOk(good(did(1, add(5), 5, 0, 1), did(2, get, 10, 2, 3)), 'a retry applied twice')
  t.notOk(good(did(1, put(1), undefined, 0), did(2, get, 1, 1, 2), did(2, get, 0, 3, 4)), 'an unanswered write that is undone')
  t.notOk(good(did(1, put(1), 0, 0, 10), did(2, put(2), 0, 0, 10), did(3, get, 1, 11, 12), did(3, get, 2, 13, 14)), 'two orders at once')
  t.notOk(good(did(1, add(1), 1, 0, 1), did(2, add(1), 1, 2, 3)), 'an acknowledged addition is lost')
})

t.test('decides a long concurrent history, and finds the one bad read in it', async t => {
  const history: HistoryEntry[] = []
  let value = 0
  for (let i = 0; i < 4_000; i++) {
    const start = i * 10
    const client = i % 8
    // Each write overlaps the three reads that follow it, which see it.
    if (i % 3 === 0) history.push(did(client, put(value = i), 0, start, start + 29))
    else if (i % 97 === 0) history.push(did(client, put(-i), undefined, 1e9))
    else history.push(did(client, get, value, start + 5, start + 6))
  }

  t.ok(checkLinearizability(history).linearizable)

  const bad = history.map((entry, i) => i === 3_500 && entry.operation.kind === 'get' ? { ...entry, answer: 3 } : entry)
  t.notOk(checkLinearizability(bad).linearizable)
})
