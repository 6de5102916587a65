import { ClusterError } from '../../api/errors.ts'
import { encodePin } from '../../api/pin-bytes.ts'
import type { PinsetOp } from '../../ports.ts'
import type { Keys } from './keys.ts'
import { encodeNote } from './notes.ts'
import { isAt, put, remove } from './wire.ts'
import type { Compare, TxnOp } from './wire.ts'

/** etcd takes requests of 1.5 MiB (`--max-request-bytes`), names and lengths in them; what one write is longer by is bounded by this too. */
const requestBytesMax = 1 << 20
/** What a key takes in a request besides itself. */
const bytesPerOp = 64
/** A transaction holds another one for each write: those, their own operations, and the mark of who wrote count together. */
const sharedOps = 3

/** As many ops as one change of the pinset may have. */
export const opsMaxOf = (maxTxnOps: number): number => maxTxnOps - sharedOps

/** One change of the pinset, all of it or nothing. */
export interface Write {
  readonly compare: readonly Compare[]
  readonly changes: readonly TxnOp[]
  readonly note: string
  readonly keys: ReadonlySet<string>
  readonly bytes: number
  readonly isGuarded: boolean
  readonly done: PromiseWithResolvers<bigint>
  /** Whether etcd may have it. */
  isSent: boolean
}

/** @throws ClusterError ERR_INVALID_ARGUMENT for what is too large for one transaction, or changes a pin twice */
export function createWrite (ops: readonly PinsetOp[], keys: Keys, maxTxnOps: number): Write {
  const keyed = ops.map(op => ({ op, key: keys.pin(op.kind === 'pin' ? op.pin.cid : op.cid) }))
  const changes = keyed.map(({ op, key }) => op.kind === 'pin' ? put(key, encodePin(op.pin)) : remove(key))
  const compare = keyed.flatMap(({ op: { ifRevision }, key }) => ifRevision === undefined ? [] : [isAt(key, ifRevision)])
  const note = encodeNote(ops)
  const bytes = note.length + JSON.stringify(changes).length + (ops.length + 1) * bytesPerOp
  const touched = new Set(keyed.map(({ key }) => key))
  if (ops.length > opsMaxOf(maxTxnOps)) throw new ClusterError('ERR_INVALID_ARGUMENT', `a change of ${ops.length} pins at once is too large for one transaction of etcd, which takes ${opsMaxOf(maxTxnOps)} (consensus.etcd.max_txn_ops)`)
  if (bytes > requestBytesMax) throw new ClusterError('ERR_INVALID_ARGUMENT', 'the change is too large for one transaction of etcd')
  if (touched.size < ops.length) throw new ClusterError('ERR_INVALID_ARGUMENT', 'one change of the pinset may not change a pin twice')
  return { compare, changes, note, keys: touched, bytes, isGuarded: compare.length > 0, done: Promise.withResolvers(), isSent: false }
}

/** Takes from the front as many as fit into one transaction: no key twice, for etcd does not allow that, and not more than it takes at once. */
export function takeTogether (waiting: Write[], maxTxnOps: number): Write[] {
  const touched = new Set<string>()
  let bytes = 0
  let opsOfLongest = 0
  let count = 0
  for (const write of waiting) {
    bytes += write.bytes
    opsOfLongest = Math.max(opsOfLongest, write.changes.length + 1)
    const fits = bytes <= requestBytesMax && opsOfLongest + count + 2 <= maxTxnOps && [...write.keys].every(key => !touched.has(key))
    if (count > 0 && !fits) break
    for (const key of write.keys) touched.add(key)
    count++
  }
  return waiting.splice(0, count)
}
