/** Entries, HardState and membership as bytes: the same on disk and on the wire. */
import { ByteReader, ByteWriter, MalformedError } from './bytes.ts'
import type { ConfState, Entry, EntryType, HardState, SnapshotMeta } from './core/types.ts'

const entryTypes: readonly EntryType[] = ['EntryNormal', 'EntryConfChange', 'EntryConfChangeV2']

export function writeEntries (to: ByteWriter, entries: readonly Entry[]): void {
  to.varint(entries.length)
  for (const { type, term, index, data } of entries) {
    to.u8(entryTypes.indexOf(type)).varint(term).varint(index).bytes(data)
  }
}

/** The data of each entry is a view into what the reader reads. */
export function readEntries (from: ByteReader): readonly Entry[] {
  const count = from.varint()
  if (count > from.left) throw new MalformedError('more entries announced than there are bytes')
  return Array.from({ length: count }, () => {
    const type = entryTypes[from.u8()]
    if (type === undefined) throw new MalformedError('an entry of unknown type: this peer is older than the one that wrote it')
    return { type, term: from.varint(), index: from.varint(), data: from.bytes() }
  })
}

export function writeHardState (to: ByteWriter, { term, vote, commit }: HardState): void {
  to.varint(term).varint(vote).varint(commit)
}

export function readHardState (from: ByteReader): HardState {
  return { term: from.varint(), vote: from.varint(), commit: from.varint() }
}

export function writeConfState (to: ByteWriter, conf: ConfState): void {
  to.numbers(conf.voters).numbers(conf.votersOutgoing).numbers(conf.learners).numbers(conf.learnersNext).u8(conf.autoLeave ? 1 : 0)
}

export function readConfState (from: ByteReader): ConfState {
  return {
    voters: from.numbers(), votersOutgoing: from.numbers(), learners: from.numbers(), learnersNext: from.numbers(), autoLeave: from.u8() === 1
  }
}

export function writeSnapshotMeta (to: ByteWriter, { index, term, confState }: SnapshotMeta): void {
  to.varint(index).varint(term)
  writeConfState(to, confState)
}

export function readSnapshotMeta (from: ByteReader): SnapshotMeta {
  return { index: from.varint(), term: from.varint(), confState: readConfState(from) }
}
