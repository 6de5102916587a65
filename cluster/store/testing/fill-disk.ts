/** Writes to a store until the disk refuses, then goes on a little. Run by the test in a process that may not write large files. */
import { createStore } from '../store.ts'

const rowBytes = 60_000
const store = createStore({ folder: process.argv[2]! })
await store.start({ signal: new AbortController().signal })
const rows = store.table('rows')

let written = 0
const refusals: unknown[] = []
while (refusals.length < 3) {
  try {
    await store.write(() => rows.put(Buffer.from(`row ${written}`), Buffer.alloc(rowBytes, written)), 2 * rowBytes)
    written++
  } catch (err) {
    refusals.push((err as { code?: string }).code)
  }
}
const counted = rows.count()
const small = await store.write(() => rows.put(Buffer.from('small'), Buffer.of(1)), 0).then(() => 'written', () => 'refused')
await store[Symbol.asyncDispose]()
process.stdout.write(`${JSON.stringify({ written, counted, refusals, small })}\n`)
