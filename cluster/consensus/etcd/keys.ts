import { CID } from 'multiformats/cid'
import { cidKey } from '../../api/cid-key.ts'
import type { PeerId } from '../../api/pin.ts'
import { toWire, under } from './wire.ts'

/** What one key of this cluster is about. */
export type KeyMeaning =
  | { readonly kind: 'pin', readonly cid: CID }
  | { readonly kind: 'note', readonly slot: number }
  | { readonly kind: 'member' | 'peer' | 'draining' | 'removed', readonly peer: PeerId }
  | { readonly kind: 'cluster' | 'trusted' | 'other' }

type Span = ReturnType<typeof under>

/** Where what lies in etcd. In base64, as etcd's gateway takes keys. */
export interface Keys {
  readonly everything: Span
  /** A pin as the pinset keeps it, under its CID's bytes; the revision of the key is the pin's. */
  readonly pins: Span
  pin (cid: CID): string
  /** What an entry says besides, a key for each of those that share a transaction. */
  readonly notes: Span
  note (slot: number): string
  /** The last transaction of a writer, so that one whose answer was lost is not carried out twice. */
  writer (peer: PeerId): string
  /** Which cluster this is. */
  readonly cluster: string
  /** Members, until they are removed. */
  readonly members: Span
  member (peer: PeerId): string
  /** Peers that are there: with a lease. */
  readonly peers: Span
  peer (peer: PeerId): string
  readonly drained: Span
  draining (peer: PeerId): string
  readonly removals: Span
  removed (peer: PeerId): string
  readonly trusted: string
  meaning (key: Uint8Array): KeyMeaning
}

const peerKinds = { members: 'member', peers: 'peer', draining: 'draining', removed: 'removed' } as const

export function keysUnder (prefix: string): Keys {
  const at = (path: string): string => toWire(`${prefix}/${path}`)
  const span = (path: string): Span => under(`${prefix}/${path}`)
  const pinsPrefix = Buffer.from(`${prefix}/pins/`)
  const top = Buffer.from(`${prefix}/`)

  return {
    everything: under(`${prefix}/`),
    pins: span('pins/'),
    pin: cid => toWire(Buffer.concat([pinsPrefix, cidKey(cid)])),
    notes: span('notes/'),
    note: slot => at(`notes/${String(slot).padStart(5, '0')}`),
    writer: peer => at(`writers/${peer}`),
    cluster: at('cluster'),
    members: span('members/'),
    member: peer => at(`members/${peer}`),
    peers: span('peers/'),
    peer: peer => at(`peers/${peer}`),
    drained: span('draining/'),
    draining: peer => at(`draining/${peer}`),
    removals: span('removed/'),
    removed: peer => at(`removed/${peer}`),
    trusted: at('trusted'),
    meaning (key) {
      if (isUnder(key, pinsPrefix)) return pinMeaning(key.subarray(pinsPrefix.length))
      const [kind = '', name] = Buffer.from(key.subarray(top.length)).toString('utf8').split('/')
      if (kind === 'notes' && name !== undefined) return { kind: 'note', slot: Number(name) }
      if (kind in peerKinds && name !== undefined) return { kind: peerKinds[kind as keyof typeof peerKinds], peer: name as PeerId }
      return { kind: kind === 'cluster' || kind === 'trusted' ? kind : 'other' }
    }
  }
}

function isUnder (key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length >= prefix.length && Buffer.compare(key.subarray(0, prefix.length), prefix) === 0
}

/** What somebody has put there by hand and is no CID is nobody's pin. */
function pinMeaning (bytes: Uint8Array): KeyMeaning {
  try {
    return { kind: 'pin', cid: CID.decode(Uint8Array.from(bytes)) }
  } catch {
    return { kind: 'other' }
  }
}
