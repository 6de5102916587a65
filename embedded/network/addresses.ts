/** Multiaddresses in arguments. Loaded with the network, as it is of no use without. */
import { multiaddr } from '@multiformats/multiaddr'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import { parsePeerId } from './peer-ids.ts'

/** An address that ends in a peer id. */
export interface PeerAddress {
  readonly peer: string
  /** Without the peer id; undefined when there is nothing before it. */
  readonly address: string | undefined
}

/** @returns no peer for an address without one. @throws KuboError for what is no address, in the words of go-multiaddr as far as clients see them */
export function parseAddress (text: string): { readonly peer: string | undefined, readonly address: string | undefined } {
  const refuse = (why: string, cause?: unknown): KuboError => new KuboError(`failed to parse multiaddr ${quoteGo(text)}: ${why}`, { cause })
  if (text === '') throw refuse('empty multiaddr')
  if (!text.startsWith('/')) throw refuse('must begin with /')
  try {
    const parts = multiaddr(text).getComponents()
    const last = parts.at(-1)
    const peer = last?.name === 'p2p' ? parsePeerId(last.value ?? '') : undefined
    const rest = peer === undefined ? parts : parts.slice(0, -1)
    const address = rest.map(({ name, value }) => `/${name}${value === undefined ? '' : `/${value}`}`).join('')
    return { peer, address: address === '' ? undefined : address }
  } catch (err) {
    throw refuse(inWordsOfGo(messageOf(err)), err)
  }
}

/** @throws KuboError `missing` when there is no peer id at its end */
export function parsePeerAddress (text: string, missing: string): PeerAddress {
  const { peer, address } = parseAddress(text)
  if (peer === undefined) throw new KuboError(missing)
  return { peer, address }
}

function inWordsOfGo (message: string): string {
  const unknown = /^Protocol (.*) was unknown$/.exec(message)?.[1]
  if (unknown !== undefined) return `unknown protocol ${unknown}`
  const ip4 = /^Invalid IPv4 address "(.*)"$/.exec(message)?.[1]
  if (ip4 !== undefined) return `invalid value ${quoteGo(ip4)} for protocol ip4: failed to parse ip4 addr: ${ip4}`
  return message
}
