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
}

export function encodeMembers (members: readonly Member[]): Uint8Array {
  const to = new ByteWriter()
  writeMembers(to, members)
  return to.done()
}

export function writeMembers (to: ByteWriter, members: readonly Member[]): void {
  to.varint(members.length)
  for (const { id, incarnation, name, address } of members) to.varint(id).varint(incarnation).text(name).text(address)
}

export function readMembers (from: ByteReader): readonly Member[] {
  const members: Member[] = []
  for (let left = from.varint(); left > 0; left--) {
    members.push({ id: from.varint(), incarnation: from.varint(), name: from.text(), address: from.text() })
  }
  return members
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
