/**
 * Who is at the other end, checked before a frame of it counts: the same cluster, the very folder the membership names, and
 * not an older copy of it or a second process on another copy. Each later frame repeats a tag made of all of this.
 */
import { randomInt } from 'node:crypto'
import { ByteReader, ByteWriter, MalformedError } from './bytes.ts'
import { crc32c } from './crc32c.ts'
import type { Index, NodeId, Term } from './core/types.ts'
import type { Member } from './members.ts'
import type { Identity } from './storage.ts'

/** Said in every hello. A peer speaks with its own version and the one before, so that peers are updated one by one. */
export const protocolVersion = 1
const protocolVersionMin = 1

export type Lane = 'control' | 'append' | 'snapshot'
const lanes: readonly Lane[] = ['control', 'append', 'snapshot']

export interface Hello {
  readonly version: number
  readonly lane: Lane
  readonly clusterId: string
  readonly from: Member
  readonly boot: number
  /** Drawn at each start: two processes with one boot number are two copies of one folder. */
  readonly nonce: number
  readonly term: Term
  readonly lastIndex: Index
  /** Of the last membership it knows. */
  readonly confIndex: Index
  readonly to: NodeId
  readonly toIncarnation: number
}

export const startNonce = randomInt(2 ** 47)

export function encodeHello (hello: Hello): Uint8Array {
  const { from, to, toIncarnation, boot, nonce, term, lastIndex, confIndex } = hello
  return new ByteWriter().varint(hello.version).u8(lanes.indexOf(hello.lane)).text(hello.clusterId)
    .varint(from.id).varint(from.incarnation).text(from.name).text(from.address)
    .varint(boot).varint(nonce).varint(term).varint(lastIndex).varint(confIndex).varint(to).varint(toIncarnation).done()
}

export function decodeHello (bytes: Uint8Array): Hello {
  const from = new ByteReader(bytes)
  const version = from.varint()
  const lane = lanes[from.u8()]
  if (lane === undefined) throw new MalformedError('a hello for an unknown lane')
  return {
    version,
    lane,
    clusterId: from.text(),
    from: { id: from.varint(), incarnation: from.varint(), name: from.text(), address: from.text() },
    boot: from.varint(),
    nonce: from.varint(),
    term: from.varint(),
    lastIndex: from.varint(),
    confIndex: from.varint(),
    to: from.varint(),
    toIncarnation: from.varint()
  }
}

/** Carried by every frame after the hello. */
export function frameTag ({ clusterId, from, boot, to, toIncarnation }: Hello): number {
  return crc32c(new ByteWriter().text(clusterId).varint(from.id).varint(from.incarnation).varint(boot).varint(to).varint(toIncarnation).done())
}

export type Refusal =
  | 'protocol-version' | 'other-cluster' | 'not-me' | 'other-incarnation' | 'older-copy' | 'second-process' | 'lost-log' | 'removed' | 'only-stores'

/** What has been seen of each folder: it can only grow. */
export interface Seen { readonly boot: number, readonly nonce: number, readonly term: Term }

export interface HandshakeView {
  readonly identity: Identity
  readonly members: readonly Member[]
  readonly confIndex: Index
  seen (id: NodeId, incarnation: number): Seen | undefined
  /** What it acknowledged to us as the leader of this term. */
  acknowledged (id: NodeId): Index
}

export function refusalOf (hello: Hello, { identity, members, confIndex, seen, acknowledged }: HandshakeView): Refusal | undefined {
  const { from } = hello
  if (hello.version < protocolVersionMin) return 'protocol-version'
  if (hello.to !== identity.nodeId || hello.toIncarnation !== identity.incarnation) return 'not-me'
  if (identity.clusterId !== undefined && hello.clusterId !== identity.clusterId) return 'other-cluster'
  const member = members.find(({ id }) => id === from.id)
  if (member !== undefined && member.incarnation !== from.incarnation) return 'other-incarnation'
  // Who knows a newer membership than we do may well belong to it; who knows an older one and is not in ours is out.
  if (member === undefined && hello.confIndex < confIndex) return 'removed'
  const before = seen(from.id, from.incarnation)
  if (before !== undefined) {
    if (hello.boot < before.boot || hello.term < before.term) return 'older-copy'
    if (hello.boot === before.boot && hello.nonce !== before.nonce) return 'second-process'
  }
  if (hello.lastIndex < acknowledged(from.id)) return 'lost-log'
  return undefined
}

export const refusalText: Readonly<Record<Refusal, string>> = {
  'protocol-version': 'it speaks a version of the protocol that is too old',
  'other-cluster': 'it belongs to another cluster',
  'not-me': 'it wants somebody else at this address',
  'other-incarnation': 'its folder is not the one the membership names: it was wiped or replaced. Remove it and take it in anew',
  'older-copy': 'its folder is an older copy of itself (a restored backup?). Remove it, move the folder away and let it join again',
  'second-process': 'two processes run on copies of one folder',
  'lost-log': 'its log no longer has what it acknowledged. Remove it, move the folder away and let it join again',
  removed: 'it has been removed from the cluster',
  'only-stores': 'it is no member here, and none of those that may write'
}
