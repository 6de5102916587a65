import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { Database, RootDatabase, Transaction } from 'lmdb'
import { ClusterError } from '../api/errors.ts'
import { Changes } from './changes.ts'
import { checkUndamaged } from './damage.ts'
import { bringUpToDate, storeFileName } from './format.ts'
import type { Upgrade } from './format.ts'
import { openHeadroom, probeRoom } from './headroom.ts'
import type { Headroom } from './headroom.ts'

const tablesMax = 32
/** What any transaction may need besides its rows: free lists, meta pages, a new table. */
const overheadBytes = 1 << 20
/** What others may have been promised meanwhile. */
const underWayBytes = 2 << 20
/** So long what is written soon waits for company. */
const soonMs = 50

/** What changing one row may need at most: a leaf and the pages above it are written anew, in a table and its index. */
export const bytesPerRow = 32 << 10

export interface KeyRange {
  readonly from?: Uint8Array
  /** Exclusive. */
  readonly to?: Uint8Array
  readonly limit?: number
  readonly reverse?: boolean
}

/** What the store held at one moment, however much is written meanwhile. Holds on to old pages, so it is to be short or rare. */
export interface View extends Disposable { readonly transaction: Transaction }

/** Bytes by bytes, ordered by key. Reads are synchronous: LMDB maps its file into memory. */
export interface Table {
  /** Inside `write` what was written before in it is seen. */
  get (key: Uint8Array, view?: View): Buffer | undefined
  /** A consistent view from when the iteration starts, or that of `view`. Inside `write` not of a table that was changed in it. */
  entries (range?: KeyRange, view?: View): Iterable<{ readonly key: Buffer, readonly value: Buffer }>
  count (): number
  /** Inside `write` only. `value` must not be changed before that is through. */
  put (key: Uint8Array, value: Uint8Array): void
  /** Inside `write` only. */
  remove (key: Uint8Array): void
}

/** One LMDB file: a peer's log, pinset and tracker index, or what an embedded daemon keeps. */
export interface Store extends AsyncDisposable {
  readonly name: string
  start (options: { readonly signal: AbortSignal }): Promise<void>
  /** To be asked for before `start`, or at least not while something is being written. */
  table (name: string): Table
  view (): View
  /** What is used of the file, which may be longer. */
  sizeBytes (): number
  /**
   * Runs `work` in a transaction and resolves with its answer once that is on disk. What is handed in while another transaction is
   * being written shares the next one; what is handed in within one turn of the event loop always shares one, in order.
   * They stand and fall together: when one throws or the disk refuses, none of them has happened.
   *
   * @param roomBytes disk space it may need, see `bytesPerRow`; the values it writes come on top
   * @throws ClusterError ERR_STORAGE when the disk refuses
   */
  write<T> (work: () => T, roomBytes?: number): Promise<T>
  /** The same for what nobody waits for, and a crash may take: it goes along with the next transaction, and has one of its own only when none comes for a while. */
  writeSoon<T> (work: () => T, roomBytes?: number): Promise<T>
  /**
   * Makes sure that so much can be written, and what is on its way besides: for who is about to promise something that must be written then.
   * Answers nothing when there is room already, as nearly always.
   *
   * @throws ClusterError ERR_STORAGE when the disk is full
   */
  ensureRoom (bytes: number): Promise<void> | undefined
}

interface Waiting { readonly roomBytes: number, readonly work: () => unknown, readonly resolve: (answer: never) => void, readonly reject: (reason: unknown) => void }

/** @param upgrades what makes of each earlier format of what is kept here the next one; see `Upgrade` */
export function createStore ({ folder, fileName = storeFileName, upgrades = [] }: { readonly folder: string, readonly fileName?: string, readonly upgrades?: readonly Upgrade[] }): Store {
  const waiting: Waiting[] = []
  /** What goes before those of `waiting`. */
  const soon: Waiting[] = []
  let soonest: NodeJS.Timeout | undefined
  const names = new Set<string>()
  const databases = new Map<string, Database<Buffer, Buffer>>()
  let environment: RootDatabase<Buffer, Buffer> | undefined
  let headroom: Headroom | undefined
  let pageBytes = 0
  let broken: unknown
  let writing: Promise<void> | undefined
  let changes: Changes | undefined

  function opened (): RootDatabase<Buffer, Buffer> {
    if (environment === undefined) throw new ClusterError('ERR_STORAGE', 'the store is not open')
    return environment
  }

  /** Never within a transaction: what one opens is gone again when the transaction fails, and its handle points nowhere. */
  function openTable (name: string): void {
    assert(writing === undefined, `table ${name} is asked for too late`)
    databases.set(name, opened().openDB<Buffer, Buffer>({ name, keyEncoding: 'binary', encoding: 'binary' }))
  }

  /** By what the last commit says: `getStats` says the same, and walks the free list beside it, which no change of a pin should pay for. */
  function usedBytes (): number {
    const { env } = opened() as unknown as { readonly env: { info (): { readonly lastPageNumber: number } } }
    return (env.info().lastPageNumber + 1) * pageBytes
  }

  function database (name: string): Database<Buffer, Buffer> {
    opened()
    return databases.get(name)!
  }

  function table (name: string): Table {
    names.add(name)
    if (environment !== undefined && !databases.has(name)) openTable(name)
    return {
      get (key, view) {
        if (view !== undefined) return database(name).get(asBuffer(key), { transaction: view.transaction })
        const change = changes?.get(name, asBuffer(key))
        return change === undefined ? database(name).get(asBuffer(key)) : change.value
      },
      entries ({ from, to, limit, reverse = false } = {}, view) {
        assert(view !== undefined || changes?.has(name) !== true, 'a table that is being changed is not read through')
        return database(name).getRange({
          reverse,
          ...from !== undefined && { start: asBuffer(from) },
          ...to !== undefined && { end: asBuffer(to) },
          ...limit !== undefined && { limit },
          ...view !== undefined && { transaction: view.transaction }
        })
      },
      count: () => (database(name).getStats() as { entryCount: number }).entryCount,
      put (key, value) {
        assert(changes !== undefined, 'the store is written inside write() only')
        changes.set(name, { key: asBuffer(key), value: asBuffer(value) })
      },
      remove (key) {
        assert(changes !== undefined, 'the store is written inside write() only')
        changes.set(name, { key: asBuffer(key), value: undefined })
      }
    }
  }

  async function commit (group: readonly Waiting[]): Promise<readonly unknown[]> {
    const environment = opened()
    if (broken !== undefined) throw new ClusterError('ERR_STORAGE', 'the store is read-only since the disk refused a write; restart the peer', { cause: broken })
    const roomBytes = group.reduce((sum, { roomBytes }) => sum + roomBytes, overheadBytes)
    await headroom?.ensure(roomBytes)
    const gathered = changes = new Changes()
    let answers: readonly unknown[]
    try {
      answers = group.map(({ work }) => work())
    } finally {
      changes = undefined
    }
    if (!gathered.isEmpty) await writeDown(environment, gathered)
    headroom?.taken(roomBytes)
    return answers
  }

  /**
   * Nobody else writes, so what the works have read still holds. That they run before the transaction begins, and not within it, spares a change of
   * threads and back: a fifth of what a small transaction takes.
   */
  async function writeDown (environment: RootDatabase<Buffer, Buffer>, changes: Changes): Promise<void> {
    let putting: Promise<unknown> | undefined
    try {
      const batch = environment.batch(() => {
        for (const [table, rows] of changes) {
          const rowsOf = database(table)
          for (const { key, value } of rows) putting = value === undefined ? rowsOf.remove(key) : rowsOf.put(key, value)
        }
      })
      await Promise.all([batch, putting])
    } catch (err) {
      if (!isCommitFailure(err)) throw err
      // Seen with lmdb 3.5.6: to go on writing after a commit has failed ends the process sooner or later.
      broken = await err.commitError.then(() => err, reason => reason as Error)
      throw new ClusterError('ERR_STORAGE', `the disk refused a write: ${(broken as Error).message}`, { cause: broken })
    }
  }

  /** One transaction after the other, each with everything that came up while the one before was being written. */
  async function writeWaiting (): Promise<void> {
    await Promise.resolve() // all that is handed in within this turn is in
    while (waiting.length > 0) {
      clearTimeout(soonest)
      soonest = undefined
      const group = [...soon.splice(0), ...waiting.splice(0)]
      try {
        const answers = await commit(group)
        for (const [i, { resolve }] of group.entries()) resolve(answers[i] as never)
      } catch (err) {
        for (const { reject } of group) reject(err)
      }
    }
    writing = undefined
  }

  function writeWhatIsDue (): void {
    waiting.unshift(...soon.splice(0))
    if (waiting.length > 0) writing ??= writeWaiting()
  }

  function handedIn<T> (to: Waiting[], work: () => T, roomBytes: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    to.push({ roomBytes, work, resolve, reject })
    return promise
  }

  return {
    name: 'store',
    table,
    async start ({ signal }) {
      signal.throwIfAborted()
      try {
        await mkdir(folder, { recursive: true })
        const path = join(folder, fileName)
        if (existsSync(path)) await checkUndamaged(path)
        else await probeRoom(path)
        // Without overlappingSync a transaction that is answered is on disk: one promise, one meaning. With eventTurnBatching lmdb leaves a rejection behind that nobody can catch.
        environment = open<Buffer, Buffer>({ path, noSubdir: true, keyEncoding: 'binary', encoding: 'binary', maxDbs: tablesMax, overlappingSync: false, eventTurnBatching: false })
        pageBytes = (environment.getStats() as { pageSize: number }).pageSize
        headroom = await openHeadroom(path, usedBytes)
        for (const name of names) openTable(name)
      } catch (err) {
        if (err instanceof ClusterError) throw err
        throw new ClusterError('ERR_STORAGE', `cannot open the store in ${folder}: ${(err as Error).message}`, { cause: err })
      }
      await bringUpToDate(this, folder, upgrades)
    },
    view () {
      const transaction = opened().useReadTransaction()
      return { transaction, [Symbol.dispose]: () => transaction.done() }
    },
    sizeBytes: usedBytes,
    async write<T> (work: () => T, roomBytes = bytesPerRow) {
      const written = handedIn(waiting, work, roomBytes)
      writing ??= writeWaiting()
      return await written
    },
    async writeSoon<T> (work: () => T, roomBytes = bytesPerRow) {
      const written = handedIn(soon, work, roomBytes)
      soonest ??= setTimeout(writeWhatIsDue, soonMs)
      return await written
    },
    ensureRoom: bytes => headroom?.ensure(bytes + underWayBytes),
    async [Symbol.asyncDispose] () {
      clearTimeout(soonest)
      writeWhatIsDue()
      await writing
      const closing = environment
      environment = undefined
      databases.clear()
      await closing?.close()
      await headroom?.[Symbol.asyncDispose]()
      headroom = undefined
    }
  }
}

/** lmdb hides what went wrong in a commit behind a promise of its own. */
function isCommitFailure (err: unknown): err is Error & { readonly commitError: Promise<unknown> } {
  return err instanceof Error && 'commitError' in err && err.commitError instanceof Promise
}

function asBuffer (bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
