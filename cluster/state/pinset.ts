import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import { ByteReader } from '../api/byte-reader.ts'
import { cidKey } from '../api/cid-key.ts'
import { decodePin, expireAtMsOf } from '../api/pin-bytes.ts'
import type { Pin } from '../api/pin.ts'
import { breathing } from '../async/breathe.ts'
import type { FollowingState } from '../peer-ports.ts'
import type { ListCall, PinsetEntry, PinsetOp } from '../ports.ts'
import { bytesPerRow } from '../store/store.ts'
import type { Store, Table, View } from '../store/store.ts'
import { digestAfter, emptyDigest, encodeEntry } from './digest.ts'
import { cidOf, guardsHold, outcomes } from './guards.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'

/** Of a restore, whose rows come in order and so share their pages. */
const rowsPerTransaction = 500
const bytesPerRowInOrder = 4 << 10
const metaTable = 'pinset'
const appliedKey = Buffer.from('applied')
const sideKey = Buffer.from('side')
const digestKey = Buffer.from('digest')
const nothing = Buffer.alloc(0)
/** Makes of a key the least that is greater. */
const justBehind = Buffer.of(0)

/** One whole pinset: pins by CID, and what expires by time. */
interface Side { readonly pins: Table, readonly expiry: Table }

/**
 * The pinset in LMDB. A pin is stored under its CID with the revision before it; what expires is indexed by its time.
 * There are two sides and a pointer: a snapshot is restored to the side that is not in use, then the pointer is turned.
 */
export function createPinset ({ store }: { readonly store: Store }): FollowingState {
  const meta = store.table(metaTable)
  const sides: readonly [Side, Side] = [sideOf(store, 0), sideOf(store, 1)]
  const never = new AbortController().signal

  const inUse = (view?: View): 0 | 1 => meta.get(sideKey, view)?.[0] === 1 ? 1 : 0
  const current = (view?: View): Side => sides[inUse(view)]
  const applied = (view?: View): bigint => meta.get(appliedKey, view)?.readBigUInt64BE() ?? 0n
  const setApplied = (index: bigint): void => meta.put(appliedKey, bigEndian(index))

  const digest = (view?: View): bigint => meta.get(digestKey, view)?.readBigUInt64BE() ?? emptyDigest
  const setDigest = (digest: bigint): void => meta.put(digestKey, bigEndian(digest))

  function get (cid: CID): PinsetEntry | undefined {
    const row = current().pins.get(cidKey(cid))
    return row === undefined ? undefined : decodeRow(row)
  }

  async function * rows ({ after, signal }: ListCall): AsyncGenerator<Buffer, void, undefined> {
    const range = after === undefined ? {} : { from: Buffer.concat([cidKey(after), justBehind]) }
    for await (const { value } of breathing(current().pins.entries(range), { signal })) yield value
  }

  return {
    get: async cid => get(cid),
    async * list (options) {
      for await (const row of rows(options)) yield decodeRow(row).pin
    },
    count: async () => current().pins.count(),
    async * expired (timeMs, options) {
      for await (const { key } of breathing(current().expiry.entries({ to: bigEndian(BigInt(timeMs) + 1n) }), options)) {
        const row = current().pins.get(key.subarray(8))
        if (row !== undefined) yield decodeRow(row)
      }
    },
    async apply (entries) {
      let roomBytes = 0
      const rows = entries.map(({ ops, index }) => ops.map(op => {
        const row = op.kind === 'pin' ? encodeEntry({ pin: op.pin, revision: index }) : undefined
        roomBytes += bytesPerRow + 2 * (row?.byteLength ?? 0)
        return row
      }))
      return await store.write(() => {
        const side = current()
        let last = applied()
        let sum = digest()
        const answers = entries.map(({ ops, index }, entry) => {
          assert(index > last, 'entries are applied once, in order')
          last = index
          const isApplied = guardsHold(ops, cid => revisionOf(side, cid))
          if (isApplied) for (const [i, op] of ops.entries()) sum = digestAfter(sum, applyOp(side, op, rows[entry]![i]), rows[entry]![i])
          return outcomes(ops, isApplied, index)
        })
        setDigest(sum)
        setApplied(last)
        return answers
      }, roomBytes)
    },
    async takeOver ({ entries, gone, asOf }) {
      const rows = entries.map(encodeEntry)
      const roomBytes = rows.reduce((sum, row) => sum + 2 * row.byteLength, (rows.length + gone.length) * bytesPerRow)
      await store.write(() => {
        const side = current()
        let sum = digest()
        for (const [i, { pin }] of entries.entries()) sum = digestAfter(sum, applyOp(side, { kind: 'pin', pin }, rows[i]), rows[i])
        for (const cid of gone) sum = digestAfter(sum, applyOp(side, { kind: 'unpin', cid }, undefined), undefined)
        setDigest(sum)
        if (asOf !== undefined) setApplied(asOf)
      }, roomBytes)
    },
    appliedIndex: () => applied(),
    digest: () => digest(),
    async * snapshot () {
      using view = store.view()
      const index = applied(view)
      yield * encodeSnapshot(decodeRows(current(view).pins, view, never), index, digest(view))
    },
    async restore (source) {
      const next = inUse() === 0 ? 1 : 0
      const { appliedIndex, entries } = await decodeSnapshot(source)
      await clear(store, sides[next])
      const restored = await fill(store, sides[next], entries)
      await store.write(() => {
        meta.put(sideKey, Buffer.of(next))
        setApplied(appliedIndex)
        setDigest(restored)
      })
      await clear(store, sides[next === 0 ? 1 : 0])
    }
  }
}

/** Sums what has no digest yet, see `stateUpgrades`. */
export async function addDigest (store: Store): Promise<void> {
  const meta = store.table(metaTable)
  if (meta.get(digestKey) !== undefined) return
  const { pins } = sideOf(store, meta.get(sideKey)?.[0] === 1 ? 1 : 0)
  let sum = emptyDigest
  for await (const { value } of breathing(pins.entries(), { signal: new AbortController().signal })) sum = digestAfter(sum, undefined, value)
  await store.write(() => meta.put(digestKey, bigEndian(sum)))
}

function sideOf (store: Store, side: 0 | 1): Side {
  return { pins: store.table(`pinset.pins.${side}`), expiry: store.table(`pinset.expiry.${side}`) }
}

/**
 * @param row of a pin, as `encodeEntry` made it
 * @returns the row that was there before
 */
function applyOp (side: Side, op: PinsetOp, row: Buffer | undefined): Buffer | undefined {
  const key = cidKey(cidOf(op))
  const before = side.pins.get(key)
  const expiredBefore = before === undefined ? undefined : expireAtMsOf(opened(before).pinBytes)
  if (expiredBefore !== undefined) side.expiry.remove(expiryKey(expiredBefore, key))
  if (op.kind === 'pin') putRow(side, key, op.pin, row!)
  else if (before !== undefined) side.pins.remove(key)
  return before
}

function putRow (side: Side, key: Buffer, { expireAtMs }: Pin, row: Buffer): void {
  side.pins.put(key, row)
  if (expireAtMs !== undefined) side.expiry.put(expiryKey(expireAtMs, key), nothing)
}

function revisionOf (side: Side, cid: CID): bigint {
  const row = side.pins.get(cidKey(cid))
  return row === undefined ? 0n : opened(row).revision
}

function opened (row: Buffer): { readonly revision: bigint, readonly pinBytes: Buffer } {
  const reader = new ByteReader(row)
  return { revision: reader.bigint(), pinBytes: reader.rest() }
}

function decodeRow (row: Buffer): PinsetEntry {
  const { revision, pinBytes } = opened(row)
  return { pin: decodePin(pinBytes), revision }
}

async function * decodeRows (pins: Table, view: View, signal: AbortSignal): AsyncGenerator<PinsetEntry, void, undefined> {
  for await (const { value } of breathing(pins.entries({}, view), { signal })) yield decodeRow(value)
}

/**
 * In many transactions, each of a bounded size.
 *
 * @returns the digest of what was filled in
 */
async function fill (store: Store, side: Side, entries: AsyncIterable<PinsetEntry>): Promise<bigint> {
  let digest = emptyDigest
  let batch: { readonly pin: Pin, readonly row: Buffer }[] = []
  const flush = async (): Promise<void> => {
    const rows = batch
    batch = []
    const roomBytes = rows.reduce((sum, { row }) => sum + bytesPerRowInOrder + 2 * row.byteLength, 0)
    await store.write(() => { for (const { pin, row } of rows) putRow(side, cidKey(pin.cid), pin, row) }, roomBytes)
  }
  for await (const entry of entries) {
    const row = encodeEntry(entry)
    digest = digestAfter(digest, undefined, row)
    batch.push({ pin: entry.pin, row })
    if (batch.length >= rowsPerTransaction) await flush()
  }
  await flush()
  return digest
}

async function clear (store: Store, { pins, expiry }: Side): Promise<void> {
  for (const table of [pins, expiry]) {
    while (table.count() > 0) {
      await store.write(() => {
        for (const { key } of [...table.entries({ limit: rowsPerTransaction })]) table.remove(key)
      }, rowsPerTransaction * bytesPerRowInOrder)
      await setImmediate()
    }
  }
}

/** Orders by time, then by CID. */
function expiryKey (expireAtMs: number, key: Buffer): Buffer {
  return Buffer.concat([bigEndian(BigInt(expireAtMs)), key])
}

function bigEndian (value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
