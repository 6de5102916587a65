import { CID } from 'multiformats/cid'
import { ByteReader } from '../api/byte-reader.ts'
import { ByteWriter } from '../api/byte-writer.ts'
import { ClusterError } from '../api/errors.ts'
import { decodePin, encodePin } from '../api/pin-bytes.ts'
import type { PinsetOp } from '../ports.ts'

const version = 1
const flag = { unpin: 1, guarded: 2, asked: 4 } as const

/** What one log entry says: changes of the pinset that are made together or not at all. */
export function encodeLogOp (ops: readonly PinsetOp[]): Buffer {
  const writer = new ByteWriter().byte(version).varint(ops.length)
  for (const op of ops) {
    const isAsked = op.kind === 'unpin' && op.asked === true
    writer.byte((op.kind === 'unpin' ? flag.unpin : 0) | (op.ifRevision === undefined ? 0 : flag.guarded) | (isAsked ? flag.asked : 0))
    if (op.ifRevision !== undefined) writer.varint(op.ifRevision)
    writer.bytes(op.kind === 'pin' ? encodePin(op.pin) : op.cid.bytes)
  }
  return writer.finish()
}

/** @throws ClusterError ERR_STORAGE when the bytes are no entry of a version that is known here */
export function decodeLogOp (bytes: Uint8Array): readonly PinsetOp[] {
  const reader = new ByteReader(bytes)
  const found = reader.byte()
  if (found !== version) throw new ClusterError('ERR_STORAGE', `a log entry has version ${found}, this program reads version ${version}`)
  const count = reader.varint()
  const ops: PinsetOp[] = []
  while (ops.length < count) ops.push(decodeOp(reader))
  return ops
}

function decodeOp (reader: ByteReader): PinsetOp {
  const flags = reader.byte()
  const guard = (flags & flag.guarded) === 0 ? {} : { ifRevision: reader.bigint() }
  const body = reader.bytes()
  if ((flags & flag.unpin) === 0) return { kind: 'pin', pin: decodePin(body), ...guard }
  return { kind: 'unpin', cid: CID.decode(Uint8Array.from(body)), ...guard, ...(flags & flag.asked) !== 0 && { asked: true } }
}
