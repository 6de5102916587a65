import { ByteReader } from '../api/byte-reader.ts'
import { ByteWriter } from '../api/byte-writer.ts'
import { ClusterError, KuboRepliedError } from '../api/errors.ts'
import type { ErrorCode } from '../api/errors.ts'
import type { PinMode } from '../api/pin.ts'
import { bytesPerRow } from '../store/store.ts'
import type { Store, Table } from '../store/store.ts'
import type { OperationType } from './operation.ts'

/** What is known of one CID on this peer's daemon: written before the daemon is asked to pin, kept until it let go. */
export interface Held {
  /** How the daemon had it pinned before the cluster came; absent when it is this peer that pinned it. */
  readonly before: { readonly mode: PinMode, readonly name: string } | undefined
  /** Whether it is known to be there; otherwise it was about to be asked for. */
  readonly isConfirmed: boolean
  readonly sinceMs: number
}

/** An operation that has failed and is to be tried again, or (with no attempts yet) an unpin that a restart must not forget. */
export interface Fault {
  readonly type: OperationType
  readonly asked: boolean
  readonly attempts: number
  readonly atMs: number
  readonly dueMs: number
  readonly code: ErrorCode | ''
  readonly message: string
  /** What came with a Kubo error, 0 for any other. */
  readonly status: number
  readonly kuboCode: number
}

/** This peer's own notes on its daemon's pins, in LMDB beside the pinset: a few bytes a pin, and nothing in memory. Keys are CID bytes. */
export interface TrackerIndex {
  /** What is being noted counts already: it is asked for by whoever else is about to pin the same. */
  held (key: Uint8Array): Held | undefined
  fault (key: Uint8Array): Fault | undefined
  allHeld (): Iterable<{ readonly key: Buffer, readonly held: Held }>
  /** Keys of what is held, in their order: at most so many behind this one. */
  heldBehind (key: Uint8Array | undefined, limit: number): readonly Buffer[]
  faults (): Iterable<{ readonly key: Buffer, readonly fault: Fault }>
  /** Keys of faults whose time has come, the earliest first. */
  due (nowMs: number, limit: number): readonly Buffer[]
  /** It is there or about to be; `isConfirmed` ends a fault. That it is about to be is on disk at once; that it is there soon, as the daemon could be asked again. */
  hold (key: Uint8Array, held: Held): Promise<void>
  /** The same for many, in one transaction. */
  holdAll (notes: readonly { readonly key: Uint8Array, readonly held: Held }[]): Promise<void>
  fail (key: Uint8Array, fault: Fault): Promise<void>
  forget (key: Uint8Array): Promise<void>
}

const types = ['pin', 'unpin', 'release'] as const
const timeBytes = 8
/** Makes of a key the least that is greater. */
const justBehind = Buffer.of(0)

export function createTrackerIndex (store: Store): TrackerIndex {
  const holdings = store.table('tracker.held')
  const faults = store.table('tracker.faults')
  const due = store.table('tracker.due')
  /** On their way to the disk. */
  const beingNoted = new Map<string, Held>()

  /** Inside `write`. */
  function clearFault (key: Uint8Array): void {
    const row = faults.get(key)
    if (row === undefined) return
    faults.remove(key)
    due.remove(dueKey(decodeFault(row).dueMs, key))
  }

  /** Inside `write`. */
  function hold (key: Uint8Array, held: Held): void {
    holdings.put(key, encodeHeld(held))
    if (held.isConfirmed) clearFault(key)
  }

  async function holdSoon (key: Uint8Array, held: Held): Promise<void> {
    const text = keyText(key)
    beingNoted.set(text, held)
    try {
      await (held.isConfirmed ? store.writeSoon(() => hold(key, held)) : store.write(() => hold(key, held)))
    } finally {
      if (beingNoted.get(text) === held) beingNoted.delete(text)
    }
  }

  return {
    held: key => (beingNoted.size === 0 ? undefined : beingNoted.get(keyText(key))) ?? decoded(holdings, key, decodeHeld),
    fault: key => decoded(faults, key, decodeFault),
    * allHeld () { for (const { key, value } of holdings.entries()) yield { key, held: decodeHeld(value) } },
    heldBehind: (key, limit) => [...holdings.entries({ limit, ...key !== undefined && { from: Buffer.concat([key, justBehind]) } })].map(({ key }) => key),
    * faults () { for (const { key, value } of faults.entries()) yield { key, fault: decodeFault(value) } },
    due: (nowMs, limit) => [...due.entries({ to: timeKey(nowMs + 1), limit })].map(({ key }) => key.subarray(timeBytes)),
    hold: holdSoon,
    holdAll: async notes => await store.write(() => { for (const { key, held } of notes) hold(key, held) }, notes.length * bytesPerRow),
    fail: async (key, fault) => await store.write(() => {
      clearFault(key)
      faults.put(key, encodeFault(fault))
      due.put(dueKey(fault.dueMs, key), Buffer.alloc(0))
    }),
    async forget (key) {
      beingNoted.delete(keyText(key))
      await store.write(() => {
        holdings.remove(key)
        clearFault(key)
      })
    }
  }
}

const keyText = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** What is to be kept of an error, so that it can be told again after a restart. */
export function describeCause (cause: unknown): Pick<Fault, 'code' | 'message' | 'status' | 'kuboCode'> {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof KuboRepliedError) return { code: cause.code, message, status: cause.status, kuboCode: cause.kuboCode }
  return { code: cause instanceof ClusterError ? cause.code : 'ERR_UNKNOWN_OUTCOME', message, status: 0, kuboCode: 0 }
}

/** The error that was described, as far as it goes. */
export function causeOf ({ code, message, status, kuboCode }: Fault): Error | undefined {
  if (code === '') return undefined
  return code === 'ERR_IPFS_REPLIED' ? new KuboRepliedError(message, { status, kuboCode }) : new ClusterError(code, message)
}

function decoded<T> (table: Table, key: Uint8Array, decode: (row: Buffer) => T): T | undefined {
  const row = table.get(key)
  return row === undefined ? undefined : decode(row)
}

function encodeHeld ({ before, isConfirmed, sinceMs }: Held): Buffer {
  const flags = (isConfirmed ? 1 : 0) | (before === undefined ? 0 : 2) | (before?.mode === 'direct' ? 4 : 0)
  return new ByteWriter(32).byte(flags).varint(sinceMs).text(before?.name ?? '').finish()
}

function decodeHeld (row: Buffer): Held {
  const reader = new ByteReader(row)
  const flags = reader.byte()
  const sinceMs = reader.varint()
  const before = (flags & 2) === 0 ? undefined : { mode: (flags & 4) === 0 ? 'recursive' : 'direct', name: reader.text() } as const
  return { before, isConfirmed: (flags & 1) !== 0, sinceMs }
}

function encodeFault ({ type, asked, attempts, atMs, dueMs, code, message, status, kuboCode }: Fault): Buffer {
  return new ByteWriter().byte(types.indexOf(type)).byte(asked ? 1 : 0).varint(attempts).varint(atMs).varint(dueMs)
    .text(code).text(message).varint(status).varint(kuboCode).finish()
}

function decodeFault (row: Buffer): Fault {
  const reader = new ByteReader(row)
  return {
    type: types[reader.byte()]!,
    asked: reader.byte() === 1,
    attempts: reader.varint(),
    atMs: reader.varint(),
    dueMs: reader.varint(),
    code: reader.text() as ErrorCode | '',
    message: reader.text(),
    status: reader.varint(),
    kuboCode: reader.varint()
  }
}

function timeKey (ms: number): Buffer {
  const key = Buffer.alloc(timeBytes)
  key.writeBigUInt64BE(BigInt(ms))
  return key
}

function dueKey (dueMs: number, key: Uint8Array): Buffer {
  return Buffer.concat([timeKey(dueMs), key])
}
