import type { Clock } from '../cluster/clock.ts'
import type { AddEntry } from './entries.ts'

/**
 * Whole top-level entries that are delivered and pinned together. To be read to its end before the next batch is asked for.
 */
export interface Batch { readonly entries: AsyncIterable<AddEntry> }

export interface BatchLimits {
  /** Everything is one batch, because everything ends up under one root. */
  readonly isWhole: boolean
  /** A pause of the upload: what is complete is not kept waiting for what is not. */
  readonly idleMs: number
  /** What may be held in memory of an entry, to see whether it is complete, and of all of a batch but its first. */
  readonly gatheredBytesMax: number
  readonly gatheredEntriesMax: number
}

/**
 * Cuts an upload into batches. Each top-level entry is a pin of its own and its line waits for that, so one delivery for each would
 * be slow where they are many and small, and one for all would hold back the first line until the last byte. So: an entry joins the
 * batch before it when it comes whole, soon, and small; else the batch ends and it begins the next.
 *
 * An error of the upload ends the batch, which then holds what was complete, and is thrown when the next batch is asked for.
 */
export async function * batches (entries: AsyncIterable<AddEntry>, limits: BatchLimits, clock: Clock): AsyncGenerator<Batch, void, undefined> {
  const source = new EntrySource(entries[Symbol.asyncIterator](), clock)
  try {
    while (await source.hasNext()) {
      yield { entries: limits.isWhole ? source.all() : oneBatch(source, limits) }
    }
  } finally {
    source.close()
  }
}

async function * oneBatch (source: EntrySource, limits: BatchLimits): AsyncGenerator<AddEntry, void, undefined> {
  let bytesLeft = limits.gatheredBytesMax
  let entriesLeft = limits.gatheredEntriesMax
  yield * source.group()
  while (bytesLeft > 0 && entriesLeft > 0) {
    const gathered = await source.gather({ bytesLeft, entriesLeft, idleMs: limits.idleMs })
    if (gathered === undefined) return
    bytesLeft -= gathered.bytes
    entriesLeft -= gathered.entries.length
    yield * gathered.entries
  }
}

type Chunks = AsyncIterator<Uint8Array>
interface Gathered { readonly entries: readonly AddEntry[], readonly bytes: number }

/** The entries of an upload, with a look ahead: some may have been read into memory already, the last of them in part. */
class EntrySource {
  readonly #entries: AsyncIterator<AddEntry>
  readonly #clock: Clock
  /** Read ahead, in order; they come first. */
  #ahead: AddEntry[] = []
  #pending: Promise<IteratorResult<AddEntry>> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor (entries: AsyncIterator<AddEntry>, clock: Clock) {
    this.#entries = entries
    this.#clock = clock
  }

  async hasNext (): Promise<boolean> {
    const next = await this.#next()
    if (next !== undefined) this.#ahead.unshift(next)
    return next !== undefined
  }

  async * all (): AsyncGenerator<AddEntry, void, undefined> {
    for (let entry = await this.#next(); entry !== undefined; entry = await this.#next()) yield entry
  }

  /** The next top-level entry with what is in it, as it comes. */
  async * group (): AsyncGenerator<AddEntry, void, undefined> {
    const first = await this.#next()
    if (first === undefined) return
    yield first
    if (first.kind !== 'directory') return // nothing else belongs to it
    for (let entry = await this.#next(); entry !== undefined; entry = await this.#next()) {
      if (entry.isTop) {
        this.#ahead.unshift(entry)
        return
      }
      yield entry
    }
  }

  /** The next top-level entry with what is in it, read into memory; undefined, and all that was read stays to come, when it is not whole soon. */
  async gather ({ bytesLeft, entriesLeft, idleMs }: { bytesLeft: number, entriesLeft: number, idleMs: number }): Promise<Gathered | undefined> {
    const gathered: AddEntry[] = []
    let bytes = 0
    const giveBack = (rest: readonly AddEntry[] = []): undefined => { this.#ahead.unshift(...gathered, ...rest) }
    try {
      while (true) {
        const entry = await this.#nextWithin(idleMs)
        if (entry === 'idle') return giveBack()
        if (entry === undefined || (entry.isTop && gathered.length > 0)) {
          if (entry !== undefined) this.#ahead.unshift(entry)
          return gathered.length === 0 ? undefined : { entries: gathered, bytes }
        }
        const held = await holdContent(entry, bytesLeft - bytes, idleMs, this.#clock)
        if (!held.isWhole || gathered.length >= entriesLeft) return giveBack([held.entry])
        bytes += held.bytes
        gathered.push(held.entry)
        if (entry.isTop && entry.kind !== 'directory') return { entries: gathered, bytes }
      }
    } catch (error) {
      this.#failure = { error } // what was gathered of this entry is not whole, so nobody gets it
      return undefined
    }
  }

  /** A read that is under way ends with the upload, which is what its owner closes; waiting for it here could be for ever. */
  close (): void {
    this.#pending?.catch(() => {})
    this.#entries.return?.().catch(() => {})
  }

  async #next (): Promise<AddEntry | undefined> {
    const entry = this.#ahead.shift()
    if (entry !== undefined) return entry
    if (this.#failure !== undefined) throw this.#failure.error
    const reading = this.#pending ?? this.#entries.next()
    this.#pending = undefined
    const { done, value } = await reading
    return done === true ? undefined : value
  }

  async #nextWithin (idleMs: number): Promise<AddEntry | undefined | 'idle'> {
    if (this.#ahead.length > 0) return this.#ahead.shift()
    if (this.#failure !== undefined) throw this.#failure.error
    this.#pending ??= this.#entries.next()
    const result = await within(this.#pending, idleMs, this.#clock)
    if (result === 'idle') return 'idle'
    this.#pending = undefined
    return result.done === true ? undefined : result.value
  }
}

interface Held { readonly entry: AddEntry, readonly isWhole: boolean, readonly bytes: number }

/** Reads an entry's content into memory. When it is too long or late, the entry handed back goes on where this stopped. */
async function holdContent (entry: AddEntry, bytesMax: number, idleMs: number, clock: Clock): Promise<Held> {
  const chunks = entry.content[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  let bytes = 0
  while (true) {
    const reading = chunks.next()
    const result = bytes > bytesMax ? 'idle' : await within(reading, idleMs, clock)
    if (result === 'idle') return { entry: { ...entry, content: resumed(held, chunks, reading) }, isWhole: false, bytes }
    if (result.done === true) return { entry: { ...entry, content: fromMemory(held) }, isWhole: true, bytes }
    held.push(result.value)
    bytes += result.value.byteLength
  }
}

async function * fromMemory (held: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield * held
}

async function * resumed (held: readonly Uint8Array[], chunks: Chunks, reading: Promise<IteratorResult<Uint8Array>>): AsyncGenerator<Uint8Array, void, undefined> {
  yield * held
  for (let result = await reading; result.done !== true; result = await chunks.next()) yield result.value
}

async function within<T> (promise: Promise<T>, ms: number, clock: Clock): Promise<T | 'idle'> {
  const idle = Promise.withResolvers<'idle'>()
  promise.catch(() => {}) // who takes it up again sees its error
  using _timer = clock.after(ms, () => { idle.resolve('idle') })
  return await Promise.race([promise, idle.promise])
}
