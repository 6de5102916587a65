/** Who the members are: which folder (incarnation) a node id belongs to, and where it is reached. Agreed on with the membership itself. */
import { ByteReader, ByteWriter } from './bytes.ts'
import type { ConfState, NodeId } from './core/types.ts'

export interface Member {
  readonly id: NodeId
  /** Of the folder that was taken in. Another folder with the same id is a stranger. */
  readonly incarnation: number
  /** Its name outside of Raft: a libp2p peer id, in production. */
  readonly name: string
  readonly address: string
  /** It is to be relieved of what it holds. */
  readonly isDraining?: true
}

export function encodeMembers (members: readonly Member[]): Uint8Array {
  const to = new ByteWriter()
  writeMembers(to, members)
  return to.done()
}

/** Has to be the last of what is written: who drains stands behind the list, where earlier versions of this program read no further. */
export function writeMembers (to: ByteWriter, members: readonly Member[]): void {
  to.varint(members.length)
  for (const { id, incarnation, name, address } of members) to.varint(id).varint(incarnation).text(name).text(address)
  const draining = members.filter(({ isDraining }) => isDraining)
  if (draining.length === 0) return
  to.varint(draining.length)
  for (const { id } of draining) to.varint(id)
}

/** @see writeMembers */
export function readMembers (from: ByteReader): readonly Member[] {
  const members: Member[] = []
  for (let left = from.varint(); left > 0; left--) {
    members.push({ id: from.varint(), incarnation: from.varint(), name: from.text(), address: from.text() })
  }
  const draining = new Set<NodeId>()
  for (let left = from.left > 0 ? from.varint() : 0; left > 0; left--) draining.add(from.varint())
  return draining.size === 0 ? members : members.map(member => draining.has(member.id) ? { ...member, isDraining: true } : member)
}

export function decodeMembers (bytes: Uint8Array): readonly Member[] {
  return bytes.length === 0 ? [] : readMembers(new ByteReader(bytes))
}

export function memberIds ({ voters, votersOutgoing, learners, learnersNext }: ConfState): readonly NodeId[] {
  return [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])].sort((a, b) => a - b)
}

/** Asked several times for each change, so it allocates nothing. */
export function isOnly (id: NodeId, { voters, votersOutgoing, learners, learnersNext }: ConfState): boolean {
  return voters.length === 1 && voters[0] === id && votersOutgoing.length + learners.length + learnersNext.length === 0
}

export function membersAfter (before: readonly Member[], added: readonly Member[], conf: ConfState): readonly Member[] {
  const byId = new Map([...before, ...added].map(member => [member.id, member]))
  return memberIds(conf).map(id => byId.get(id) ?? { id, incarnation: 0, name: String(id), address: '' })
}
