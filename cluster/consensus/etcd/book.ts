import type { PeerId } from '../../api/pin.ts'
import type { Keys } from './keys.ts'
import { fromWire } from './wire.ts'
import type { KeyValue, WatchEvent } from './wire.ts'

/** A member as it stands in etcd until it is removed. */
export interface MemberNote {
  readonly name: string
  readonly addresses: readonly string[]
  /** Of its folder: another one under the same id is another peer. */
  readonly folder: string
}
export interface ClusterNote {
  readonly id: string
  /** Made of the id and the cluster secret, so that a peer with another secret notices. */
  readonly proof: string
}
export interface TrustNote { readonly everyone: boolean, readonly peers: readonly PeerId[] }

/** Who belongs to the cluster, as far as etcd has told this peer. */
export interface Book {
  readonly cluster: ClusterNote | undefined
  readonly members: ReadonlyMap<PeerId, MemberNote>
  /** Who is there, and since which revision. */
  readonly present: ReadonlyMap<PeerId, bigint>
  readonly draining: ReadonlySet<PeerId>
  /** Folders of peers that were removed. */
  readonly removed: ReadonlyMap<PeerId, readonly string[]>
  readonly trusted: TrustNote
  /** When who is trusted was last changed; 0n: never. */
  readonly trustedRevision: bigint
}

export interface BookKeeper {
  readonly book: Book
  /** All that etcd has, as of that revision. */
  load (kvs: readonly KeyValue[], revision: bigint): void
  /** @returns whether anything is different now */
  note (event: WatchEvent): boolean
}

const everyone: TrustNote = { everyone: true, peers: [] }

export function createBookKeeper (keys: Keys): BookKeeper {
  const members = new Map<PeerId, MemberNote>()
  const present = new Map<PeerId, bigint>()
  const draining = new Set<PeerId>()
  const removed = new Map<PeerId, readonly string[]>()
  let cluster: ClusterNote | undefined
  let trusted = everyone
  let trustedRevision = 0n
  let loadedAt = -1n

  function set (kv: KeyValue): boolean {
    const meaning = keys.meaning(fromWire(kv.key))
    switch (meaning.kind) {
      case 'member': members.set(meaning.peer, jsonOf(kv)); return true
      case 'peer': {
        const since = BigInt(kv.create_revision ?? kv.mod_revision)
        const isNew = present.get(meaning.peer) !== since
        present.set(meaning.peer, since)
        return isNew
      }
      case 'draining': draining.add(meaning.peer); return true
      case 'removed': removed.set(meaning.peer, jsonOf(kv)); return true
      case 'cluster': cluster = jsonOf(kv); return true
      case 'trusted':
        trusted = jsonOf(kv)
        trustedRevision = BigInt(kv.mod_revision)
        return true
      default: return false
    }
  }

  function unset (kv: KeyValue): boolean {
    const meaning = keys.meaning(fromWire(kv.key))
    switch (meaning.kind) {
      case 'member': return members.delete(meaning.peer)
      case 'peer': return present.delete(meaning.peer)
      case 'draining': return draining.delete(meaning.peer)
      case 'removed': return removed.delete(meaning.peer)
      default: return false // which cluster it is, and who may write, is not taken back by removing a key
    }
  }

  return {
    book: {
      members, present, draining, removed,
      get cluster () { return cluster },
      get trusted () { return trusted },
      get trustedRevision () { return trustedRevision }
    },
    load (kvs, revision) {
      for (const kept of [members, present, draining, removed]) kept.clear()
      for (const kv of kvs) set(kv)
      loadedAt = revision
    },
    note ({ type, kv }) {
      if (BigInt(kv.mod_revision) <= loadedAt) return false
      return type === 'DELETE' ? unset(kv) : set(kv)
    }
  }
}

const jsonOf = <T>({ value }: KeyValue): T => JSON.parse(fromWire(value).toString('utf8')) as T
