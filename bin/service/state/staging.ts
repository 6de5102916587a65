import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { cidKey } from '../../../cluster/api/cid-key.ts'
import { decodePin, encodePin } from '../../../cluster/api/pin-bytes.ts'
import { factorsOf, pinFromJson, replicationOf } from '../../../cluster/api/pin-json.ts'
import type { PeerId, Pin } from '../../../cluster/api/pin.ts'
import type { AbortOptions } from '../../../cluster/ports.ts'
import { bytesPerRow, createStore } from '../../../cluster/store/store.ts'
import type { Store, Table } from '../../../cluster/store/store.ts'
import { UsageError } from '../../args.ts'

const rowsPerTransaction = 500
const tellEvery = 10_000
const rowsPerPage = 500
/** The file is opened anew after so many looks: what was read of it is mapped until then, and counts as memory of the peer that imports it. */
const looksPerOpening = 100_000
/** Makes of a key the least that is greater. */
const justBehind = Buffer.of(0)

/** What stands for all pins that are read, whatever they say themselves. */
export interface GivenOptions { readonly min: number | undefined, readonly max: number | undefined, readonly allocations: readonly PeerId[] | undefined }

/** An export that was read and understood to its end, on the disk: nothing that is wrong with it is found out halfway through an import. */
export interface Staged extends AsyncDisposable {
  count (): number
  /** Those of them that are not staged. */
  missing (pins: readonly Pin[]): Promise<readonly Pin[]>
  pins (options: AbortOptions): AsyncIterable<{ readonly pin: Pin, readonly bytes: number }>
}

/**
 * Reads JSON lines as the Go program exports them into a store at `folder`, with bounded memory. Of two lines with one CID the last counts.
 *
 * @param path of the file; the standard input without one
 * @throws UsageError naming the line that is not understood
 */
export async function stage (folder: string, { path, given, signal, say }: { readonly path: string | undefined, readonly given: GivenOptions, readonly say: (line: string) => void } & AbortOptions): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await using store = createStore({ folder })
  await store.start({ signal })
  const table = store.table('pins')
  let rows: { readonly key: Buffer, readonly value: Buffer }[] = []
  const flush = async (): Promise<void> => {
    const batch = rows
    rows = []
    const bytes = batch.reduce((sum, { value }) => sum + value.byteLength, 0)
    await store.write(() => { for (const { key, value } of batch) table.put(key, value) }, batch.length * bytesPerRow + 2 * bytes)
  }
  let count = 0
  for await (const pin of read(path, given)) {
    signal.throwIfAborted()
    rows.push({ key: cidKey(pin.cid), value: encodePin(pin) })
    if (rows.length >= rowsPerTransaction) await flush()
    if (++count % tellEvery === 0) say(`  ${count} pins read`)
  }
  await flush()
}

/** What was staged in that folder. For one reader at a time. */
export async function openStaged (folder: string, { signal }: AbortOptions): Promise<Staged> {
  let opened = await openRows(folder, { signal })
  let looks = 0
  const count = opened.rows.count()

  async function rowsForLooks (more: number): Promise<Table> {
    if (looks >= looksPerOpening) {
      looks = 0
      await opened.store[Symbol.asyncDispose]()
      opened = await openRows(folder, { signal })
    }
    looks += more
    return opened.rows
  }

  return {
    count: () => count,
    async missing (pins) {
      const rows = await rowsForLooks(pins.length)
      return pins.filter(({ cid }) => rows.get(cidKey(cid)) === undefined)
    },
    async * pins ({ signal }) {
      let page: readonly { readonly key: Buffer, readonly value: Buffer }[] = []
      do {
        const last = page.at(-1)?.key
        const rows = await rowsForLooks(rowsPerPage)
        page = [...rows.entries({ limit: rowsPerPage, ...last !== undefined && { from: Buffer.concat([last, justBehind]) } })]
        for (const { value } of page) yield { pin: decodePin(value), bytes: value.byteLength }
        await setImmediate()
        signal.throwIfAborted()
      } while (page.length === rowsPerPage)
    },
    [Symbol.asyncDispose]: async () => { await opened.store[Symbol.asyncDispose]() }
  }
}

async function openRows (folder: string, { signal }: AbortOptions): Promise<{ readonly store: Store, readonly rows: Table }> {
  const store = createStore({ folder })
  await store.start({ signal })
  return { store, rows: store.table('pins') }
}

async function * read (path: string | undefined, given: GivenOptions): AsyncGenerator<Pin> {
  let line = 0
  for await (const text of createInterface({ input: path === undefined ? process.stdin : createReadStream(path), crlfDelay: Infinity })) {
    line++
    if (text.trim() === '') continue
    try {
      yield withGiven(pinFromJson(JSON.parse(text)), given)
    } catch (err) {
      throw new UsageError(`${path ?? 'input'}, line ${line}: ${(err as Error).message}; nothing was imported`)
    }
  }
}

function withGiven (pin: Pin, { min, max, allocations = pin.allocations }: GivenOptions): Pin {
  const own = factorsOf(pin.replication)
  const replication = replicationOf(min ?? own.min, max ?? own.max)
  return { ...pin, replication, allocations: replication === 'everywhere' ? [] : allocations }
}
