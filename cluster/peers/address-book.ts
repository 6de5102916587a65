import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../api/pin.ts'
import { endpointOf } from './secured-tcp.ts'

/** Of one peer; the oldest go first. Each that is dead costs a dial that fails. */
const addressesMax = 16

/** Where peers may be reached: from the membership, the peerstore file, the configuration. Only what can be dialled here is kept. */
export class AddressBook {
  readonly #known = new Map<PeerId, Map<string, Multiaddr>>()

  /** @returns whether one of them was not known before */
  learn (peer: PeerId, addresses: readonly string[]): boolean {
    const usable = addresses.map(dialable).filter(address => address !== undefined && (address.peer ?? peer) === peer)
    return usable.map(address => this.#add(peer, address!.where)).includes(true)
  }

  /** The newest first. */
  addresses (peer: PeerId): readonly Multiaddr[] {
    return [...this.#known.get(peer)?.values() ?? []].reverse()
  }

  /** Each with the peer's id at its end. */
  all (): ReadonlyMap<PeerId, readonly string[]> {
    return new Map([...this.#known.keys()].map(peer => [peer, this.addresses(peer).map(address => `${address.toString()}/p2p/${peer}`)]))
  }

  #add (peer: PeerId, where: Multiaddr): boolean {
    const known = this.#known.get(peer) ?? new Map<string, Multiaddr>()
    this.#known.set(peer, known)
    const isNew = !known.delete(where.toString())
    known.set(where.toString(), where)
    if (known.size > addressesMax) known.delete(known.keys().next().value!)
    return isNew
  }
}

/** A multiaddr that our transport can dial, with the peer it names kept apart; undefined for any other. */
export function dialable (text: string): { readonly where: Multiaddr, readonly peer: PeerId | undefined } | undefined {
  try {
    const address = multiaddr(text)
    if (endpointOf(address) === undefined) return undefined
    const peer = address.getComponents().find(({ name }) => name === 'p2p')?.value
    return { where: peer === undefined ? address : address.decapsulate('/p2p'), peer: peer as PeerId | undefined }
  } catch {
    return undefined
  }
}
