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
  /** It has all that was agreed on until it was taken in, and stores without a vote for as long as nobody trusts it. */
  readonly storesOnly?: true
}

/** Members, and the names of those that may write; without such a list all members may. */
export interface Roster {
  readonly members: readonly Member[]
  readonly trusted?: readonly string[] | undefined
}

export function encodeRoster (roster: Roster): Uint8Array {
  const to = new ByteWriter()
  writeRoster(to, roster)
  return to.done()
}

/** Has to be the last of what is written: who drains, who only stores and who is trusted stand behind the list, where earlier versions of this program read no further. */
export function writeRoster (to: ByteWriter, { members, trusted = [] }: Roster): void {
  to.varint(members.length)
  for (const { id, incarnation, name, address } of members) to.varint(id).varint(incarnation).text(name).text(address)
  const parts = [members.filter(({ isDraining }) => isDraining), members.filter(({ storesOnly }) => storesOnly), trusted]
  const written = parts.slice(0, parts.findLastIndex(part => part.length > 0) + 1)
  for (const part of written) {
    to.varint(part.length)
    for (const one of part) {
      if (typeof one === 'string') to.text(one)
      else to.varint(one.id)
    }
  }
}

/** @see writeRoster */
export function readRoster (from: ByteReader): Roster {
  const rows = <T>(count: number, read: () => T): readonly T[] => {
    const all: T[] = []
    while (all.length < count) all.push(read())
    return all
  }
  const next = <T>(read: () => T): readonly T[] => rows(from.left > 0 ? from.varint() : 0, read)
  const members = rows(from.varint(), (): Member => ({ id: from.varint(), incarnation: from.varint(), name: from.text(), address: from.text() }))
  const draining = new Set(next(() => from.varint()))
  const storing = new Set(next(() => from.varint()))
  const trusted = next(() => from.text())
  return {
    members: members.map(member => ({ ...member, ...draining.has(member.id) && { isDraining: true }, ...storing.has(member.id) && { storesOnly: true } })),
    ...trusted.length > 0 && { trusted }
  }
}

/** Of a change that says nothing of its members, there are none. */
export function decodeRoster (bytes: Uint8Array): Roster {
  return bytes.length === 0 ? { members: [] } : readRoster(new ByteReader(bytes))
}

/** Whoever votes may write, whatever the list says: a survivor that was made a cluster of its own is on none. */
export function mayWrite (name: string, { trusted, members, conf }: Roster & { readonly conf: ConfState }): boolean {
  return trusted === undefined || trusted.includes(name) || members.some(member => member.name === name && conf.voters.includes(member.id))
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
