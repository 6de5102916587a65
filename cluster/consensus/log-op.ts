import { CID } from 'multiformats/cid'
import { ByteReader } from '../api/byte-reader.ts'
import { ByteWriter } from '../api/byte-writer.ts'
import { ClusterError } from '../api/errors.ts'
import { decodePin, encodePin } from '../api/pin-bytes.ts'
import type { PeerId } from '../api/pin.ts'
import type { Announcement, PinsetOp } from '../ports.ts'

const version = 1
/** `from`: a text follows that says which imports bring a pin, or whose user wants it gone; `ask`: a peer and its number; `unannounced`: words. */
const flag = { unpin: 1, guarded: 2, from: 4, ask: 8, unannounced: 16 } as const

/** What one log entry says: changes of the pinset that are made together or not at all. */
export function encodeLogOp (ops: readonly PinsetOp[]): Buffer {
  const writer = new ByteWriter().byte(version).varint(ops.length)
  for (const op of ops) {
    const from = op.kind === 'pin' ? op.delivery : op.asker
    const ask = op.kind === 'pin' ? op.ask : undefined
    const unannounced = op.kind === 'pin' ? op.unannounced ?? [] : []
    writer.byte((op.kind === 'unpin' ? flag.unpin : 0) | (op.ifRevision === undefined ? 0 : flag.guarded) | (from === undefined ? 0 : flag.from) | (ask === undefined ? 0 : flag.ask) | (unannounced.length === 0 ? 0 : flag.unannounced))
    if (op.ifRevision !== undefined) writer.varint(op.ifRevision)
    if (from !== undefined) writer.text(from)
    if (ask !== undefined) writer.text(ask.peer).varint(ask.id)
    if (unannounced.length > 0) writer.text(unannounced.join(' '))
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
  const from = (flags & flag.from) === 0 ? undefined : reader.text()
  const ask = (flags & flag.ask) === 0 ? undefined : { peer: reader.text() as PeerId, id: reader.varint() }
  const unannounced = (flags & flag.unannounced) === 0 ? undefined : reader.text().split(' ') as Announcement[]
  const body = reader.bytes()
  if ((flags & flag.unpin) === 0) return { kind: 'pin', pin: decodePin(body), ...guard, ...from !== undefined && { delivery: from }, ...ask !== undefined && { ask }, ...unannounced !== undefined && { unannounced } }
  return { kind: 'unpin', cid: CID.decode(Uint8Array.from(body)), ...guard, ...from !== undefined && { asker: from as PeerId } }
}
