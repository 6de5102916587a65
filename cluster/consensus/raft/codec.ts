/** Raft messages as bytes. The version is said once, when a connection is opened (`handshake.ts`). */
import { ByteReader, ByteWriter, MalformedError } from './bytes.ts'
import { readEntries, readSnapshotMeta, writeEntries, writeSnapshotMeta } from './entry-codec.ts'
import { message } from './core/message.ts'
import type { Message, MessageType } from './core/types.ts'

/** The position is the number on the wire: only ever append to it. */
export const wireTypes: readonly MessageType[] = [
  'MsgProp', 'MsgApp', 'MsgAppResp', 'MsgVote', 'MsgVoteResp', 'MsgPreVote', 'MsgPreVoteResp', 'MsgSnap',
  'MsgHeartbeat', 'MsgHeartbeatResp', 'MsgTransferLeader', 'MsgTimeoutNow', 'MsgReadIndex', 'MsgReadIndexResp'
]
const numberOf = new Map(wireTypes.map((type, i) => [type, i]))

export function writeMessage (to: ByteWriter, m: Message): void {
  const number = numberOf.get(m.type)
  if (number === undefined) throw new Error(`${m.type} never leaves its peer`)
  to.u8(number).u8((m.reject ? 1 : 0) | (m.entries.length > 0 ? 2 : 0) | (m.snapshot !== undefined ? 4 : 0))
    .varint(m.to).varint(m.from).varint(m.term).varint(m.logTerm).varint(m.index).varint(m.commit).varint(m.vote).varint(m.rejectHint).varint(m.context)
  if (m.entries.length > 0) writeEntries(to, m.entries)
  if (m.snapshot !== undefined) {
    writeSnapshotMeta(to, m.snapshot.meta)
    to.bytes(m.snapshot.data)
  }
}

/** @throws MalformedError for a kind this program does not know: it is dropped, never guessed at */
export function readMessage (from: ByteReader): Message {
  const type = wireTypes[from.u8()]
  if (type === undefined) throw new MalformedError('a message of unknown kind')
  const flags = from.u8()
  const fields = {
    reject: (flags & 1) !== 0,
    to: from.varint(),
    from: from.varint(),
    term: from.varint(),
    logTerm: from.varint(),
    index: from.varint(),
    commit: from.varint(),
    vote: from.varint(),
    rejectHint: from.varint(),
    context: from.varint()
  }
  const entries = (flags & 2) !== 0 ? readEntries(from) : []
  const snapshot = (flags & 4) !== 0 ? { meta: readSnapshotMeta(from), data: from.bytes() } : undefined
  return message(type, { ...fields, entries, ...snapshot === undefined ? {} : { snapshot } })
}

export function encodeMessage (m: Message): Uint8Array {
  const to = new ByteWriter(64 + m.entries.reduce((sum, { data }) => sum + data.length + 24, 0))
  writeMessage(to, m)
  return to.done()
}

export const decodeMessage = (bytes: Uint8Array): Message => readMessage(new ByteReader(bytes))
